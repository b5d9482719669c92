//! What is said of each person, and of time.

use super::cast::{self, Asked, Role};
use super::client::Client;
use super::exchange;
use super::reading::Reading;
use super::stage::Stage;
use super::tell::{self, heading};
use crate::audiences::Campaign;
use crate::cli::{figures, print};
use crate::error::{Error, Result};
use crate::evaluate::Tree;
use crate::schema::{AudienceId, ProfileKey, Timestamp};
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

/// Lookups and decisions sent at most: enough to meet every sort of person among a million.
const LOOKUPS: usize = 5_000;
const DECISIONS: usize = 1_000;

/// Asks, and tells sections 4 to 7. Returns the arguments with which `vaglio explain` tells more of one of the people.
pub(super) fn tell(client: &mut Client, reading: &Reading, stage: &Stage) -> Result<Option<String>> {
    let path = stage.lookups();
    let text = fs::read_to_string(&path).map_err(|error| Error::io(format!("read {}", path.display()), error))?;
    let questions: Vec<String> = text.lines().map(str::to_owned).collect();

    print(&heading(4, "Questions, one connection, one after the other"))?;
    print(&lookups(client, &questions[..questions.len().min(LOOKUPS)])?)?;
    let asked = decisions(client, &questions[..questions.len().min(DECISIONS)])?;
    print(&verdicts(&asked))?;

    print(&heading(5, "Some of these people"))?;
    for role in Role::ALL {
        if let Some(one) = cast::first(role, &asked) {
            print(&person(role, one, reading)?)?;
        }
    }
    if let Some(one) = cast::first(Role::Targeted, &asked) {
        print(&heading(6, "The same, as an exchange asks"))?;
        print(&exchange::tell(client, one)?)?;
    }
    print(&heading(7, "A minute later"))?;
    print(&change(reading, &questions)?)?;
    Ok(cast::first(Role::Targeted, &asked)
        .and_then(|one| Some(format!("{} {}", one.arguments().join(" "), one.include()?))))
}

fn lookups(client: &mut Client, questions: &[String]) -> Result<String> {
    let mut by_status: BTreeMap<String, u64> = BTreeMap::new();
    let (began, mut times) = (Instant::now(), Vec::with_capacity(questions.len()));
    for question in questions {
        let asked = Instant::now();
        let answer = client.post("/v1/lookup", question.clone())?;
        times.push(asked.elapsed());
        *by_status.entry(answer.json()["status"].as_str().unwrap_or("?").to_owned()).or_default() += 1;
    }
    let all = questions.len() as u64;
    let mut text = format!(
        "  {} lookups in {}: {} a second, half of them within {} us, 99 % within {} us (client included)\n\n",
        figures::count(all),
        figures::seconds(began.elapsed().as_secs_f64()),
        figures::count((all as f64 / began.elapsed().as_secs_f64()) as u64),
        percentile(&mut times, 50).as_micros(),
        percentile(&mut times, 99).as_micros(),
    );
    let rows: Vec<Vec<String>> = by_status
        .into_iter()
        .map(|(status, count)| {
            let means = match status.as_str() {
                "matched" => "known: the audiences we may name",
                "no_profile" => "has an identifier nobody has seen before",
                "no_id" => "has no identifier at all",
                "no_consent" => "refused profiling, there or here: nothing is said",
                "blocked" => "objected to marketing: never speak to them",
                _ => "",
            };
            vec![format!("{status:<11} {means:<50}"), figures::count(count), figures::share(count, all)]
        })
        .collect();
    text.push_str(&figures::table(&rows));
    Ok(text)
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times.get(times.len() * percent / 100).copied().unwrap_or_default()
}

fn decisions(client: &mut Client, questions: &[String]) -> Result<Vec<Asked>> {
    let ask = |question: &String| {
        let decision = client.post("/v1/decide", question.clone())?.json();
        Ok(Asked { question: question.clone(), decision })
    };
    questions.iter().map(ask).collect()
}

/// Campaigns by rows, verdicts by columns.
fn verdicts(asked: &[Asked]) -> String {
    let columns = ["target", "excluded", "not_in_target", "unknown"];
    let mut campaigns: BTreeMap<String, [u64; 5]> = BTreeMap::new();
    for (id, verdict, reason) in asked.iter().flat_map(|one| one.verdicts()) {
        let column = columns.iter().position(|name| *name == reason || reason.is_empty() && *name == verdict);
        let column = if verdict == "unknown" { 3 } else { column.unwrap_or(4) };
        let column = if verdict == "target" { 0 } else { column };
        campaigns.entry(id.to_owned()).or_default()[column] += 1;
    }
    let head = ["", "target", "excluded", "not in target", "unknown", "other suppress"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for (id, counts) in campaigns {
        rows.push(std::iter::once(id).chain(counts.into_iter().map(figures::count)).collect());
    }
    format!(
        "\n  {} decisions, for every active campaign\n\n{}",
        figures::count(asked.len() as u64),
        figures::table(&rows)
    )
}

fn person(role: Role, one: &Asked, reading: &Reading) -> Result<String> {
    let keys = reading.keys(&one.lookup());
    let title = match role {
        Role::Targeted => "Somebody to speak to",
        Role::Excluded => "Somebody to leave alone, for one campaign",
        Role::OutOfTarget => "Somebody known whom nothing concerns",
        Role::Stranger => "A stranger",
        Role::Nobody => "Nobody",
        Role::RefusedHere => "Somebody whose browser says no",
        Role::RefusedBefore => "Somebody who refused profiling",
        Role::Objector => "Somebody who objected to marketing",
    };
    let mut text = format!("\n  {title}\n    {}\n", one.question);
    text.push_str(&by_verdict(one));
    text.push_str(&why(role, one, &keys, reading)?);
    Ok(text)
}

/// A line a verdict and reason: the campaigns it was given to.
fn by_verdict(one: &Asked) -> String {
    let mut groups: Vec<((&str, &str), Vec<&str>)> = Vec::new();
    for (campaign, verdict, reason) in one.verdicts() {
        let campaign = campaign.split_once('/').map_or(campaign, |(_, id)| id);
        match groups.iter_mut().find(|(key, _)| *key == (verdict, reason)) {
            Some((_, campaigns)) => campaigns.push(campaign),
            None => groups.push(((verdict, reason), vec![campaign])),
        }
    }
    groups.sort_by_key(|((verdict, _), _)| *verdict != "target");
    let all = groups.len() == 1;
    let line = |((verdict, reason), campaigns): ((&str, &str), Vec<&str>)| {
        let campaigns = if all { "every campaign".to_owned() } else { campaigns.join(", ") };
        format!("    {verdict:<8} {reason:<13}  {campaigns}\n")
    };
    groups.into_iter().map(line).collect()
}

/// The reason, from the rules where there is one.
fn why(role: Role, one: &Asked, keys: &[ProfileKey], reading: &Reading) -> Result<String> {
    let campaign = |id: &str| reading.catalogue().campaigns.iter().find(|campaign| campaign.id.as_str() == id);
    Ok(match role {
        Role::Targeted => match one.include().and_then(campaign) {
            Some(found) => because("speaks to them", found, &found.include, keys, reading)?,
            None => String::new(),
        },
        Role::Excluded => match one.with("excluded").and_then(campaign) {
            Some(found) => {
                let excludes: Vec<AudienceId> = found.exclude.iter().map(|exclude| exclude.audience.clone()).collect();
                because("leaves them alone", found, &excludes, keys, reading)?
            }
            None => String::new(),
        },
        Role::OutOfTarget => {
            "  Known, and in none of the audiences these campaigns want. Only `brand` speaks to all.\n".into()
        }
        Role::Stranger => {
            "  No profile: each campaign's `no_profile` decides. Four in ten bid requests are like this.\n".into()
        }
        Role::Nobody => "  Nothing to look up. What is not known is not guessed: the answer is `unknown`.\n".into(),
        Role::RefusedHere => "  The request carries an opt-out signal (gpc): nothing of the profile is used.\n".into(),
        Role::RefusedBefore => "  The operator's consent file says so; it holds on every device of theirs.\n".into(),
        Role::Objector => "  An objection wins over everything, at every door and in every failure.\n".into(),
    })
}

/// Of these audiences that the person is in, the one with most to tell, with the facts.
fn because(
    does: &str,
    campaign: &Campaign,
    audiences: &[AudienceId],
    keys: &[ProfileKey],
    reading: &Reading,
) -> Result<String> {
    let mut told: Option<(&AudienceId, Tree)> = None;
    for id in audiences {
        let Some(tree) = reading.explain(keys, id, reading.now, true)? else { continue };
        if told.as_ref().is_none_or(|(_, best)| size(&tree) > size(best)) {
            told = Some((id, tree));
        }
    }
    let text =
        told.map(|(id, tree)| format!("  {} {does} because they are in {id}:\n{}", campaign.id, tell::tree(&tree)));
    Ok(text.unwrap_or_default())
}

/// The parts of a tree.
fn size(tree: &Tree) -> usize {
    1 + tree.parts.iter().map(size).sum::<usize>()
}

fn change(reading: &Reading, questions: &[String]) -> Result<String> {
    let Some(change) = cast::next_change(reading, questions) else {
        return Ok("  Nobody in this small sample enters or leaves an audience within two hours.\n".to_owned());
    };
    let audience = &reading.catalogue().audiences[change.audience as usize];
    let does = if change.joins { "enters" } else { "leaves" };
    let mut text = format!(
        "  Windows move with the clock. Nothing is rebuilt for it: a generation lists who comes and goes at which minute.\n  \
         (This demo's clock stands still at {}; the generation's files are asked about later ones.)\n  Somebody {does} {} \
         at {}:\n",
        reading.now, audience.id, change.at
    );
    for at in [Timestamp(change.at.0 - 60), change.at] {
        let answered = reading.audiences(&change.keys, at).is_some_and(|all| all.contains(&change.audience));
        text.push_str(&format!("\n  {at}  lookup says {}\n", if answered { "in" } else { "not in" }));
        if let Some(tree) = reading.explain(&change.keys, &audience.id, at, answered)? {
            text.push_str(&tell::tree(&tree));
        }
    }
    Ok(text)
}
