//! `vaglio explain`: why somebody is in an audience or not, and why a campaign may speak to them or not. Offline, from a
//! generation's columns: the same evaluator that built the audience.

use super::asked::{Asked, profiles_of};
use super::{ConfigArg, Format, lookup, print, print_json};
use crate::audiences::Catalogue;
use crate::decide::{CampaignIndex, Decisions, Status};
use crate::error::{Error, Result};
use crate::evaluate::{Question, Tree};
use crate::lookup::{Answer, Outcome, ServingSnapshot};
use crate::overlay::Overlay;
use crate::schema::AudienceId;
use crate::snapshot::columns::Columns;
use crate::snapshot::keys::Keys;
use crate::snapshot::{Planes, Snapshot};
use serde::Serialize;

/// Say why somebody is in an audience, or why a campaign may speak to them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vaglio explain crm:4711 acme/phone-replacers       why in, why not
  vaglio explain crm:4711 upgrade-2026               a campaign: its verdict, every include and exclude
  vaglio explain ifa:123e4567-e89b-12d3-a456-426614174000 email:user@example.com haters")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// The generation; default the live one
    #[arg(long, short, value_name = "N")]
    generation: Option<u64>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The person's identifiers; an e-mail or phone may be raw or its UID2 hash
    #[arg(required = true, num_args = 1.., value_name = "SOURCE:UID")]
    ids: Vec<String>,
    /// An audience or campaign: `owner/id`, or `id` where only one owner has it
    #[arg(required = true, value_name = "AUDIENCE|CAMPAIGN")]
    about: String,
}

#[derive(Serialize)]
struct Report {
    status: &'static str,
    /// False for somebody whom we know, but by no identifier that occurs at bid time.
    reached_by_bid: bool,
    generation: u64,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<Verdict>,
    audiences: Vec<Membership>,
}

#[derive(Serialize)]
struct Verdict {
    id: AudienceId,
    verdict: &'static str,
    reason: &'static str,
}

/// One audience, for the profile that matters.
#[derive(Serialize)]
struct Membership {
    id: AudienceId,
    /// `include`, `exclude`, or nothing when the audience itself was asked about.
    #[serde(skip_serializing_if = "str::is_empty")]
    role: &'static str,
    /// What a lookup says.
    member: bool,
    /// The rule on the facts; absent when nothing may be said of the profile or there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Part>,
}

#[derive(Serialize)]
struct Part {
    rule: String,
    holds: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    fact: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
}

impl From<Tree> for Part {
    fn from(tree: Tree) -> Self {
        let parts = tree.parts.into_iter().map(Part::from).collect();
        Part { rule: tree.text, holds: tree.truth, fact: tree.fact, parts }
    }
}

/// Runs the command.
///
/// # Errors
/// No generation, a refused one, arguments that are no identifiers, or a name that nothing has.
pub fn run(args: &Args) -> Result<()> {
    let mut asked = Asked::open(&args.config.load()?, args.generation, Planes::All, &args.ids)?;
    let serving = ServingSnapshot::new(asked.snapshot.clone())?;
    let mut answer = Answer::default();
    serving.lookup(&asked.keys, asked.now, &Overlay::empty(), &mut answer);
    let mut reached_by_bid = true;
    if answer.outcome == Outcome::NoProfile {
        // Somebody may ask by an identifier that never occurs at bid time: the person's others answer then.
        let profiles = profiles_of(&asked.snapshot, &asked.keys)?;
        let keys = Keys::open(asked.snapshot.section("keys")?)?;
        asked.keys.extend(profiles.iter().flat_map(|ordinal| keys.of(*ordinal)).map(|(key, _)| key));
        serving.lookup(&asked.keys, asked.now, &Overlay::empty(), &mut answer);
        reached_by_bid = profiles.is_empty() || answer.outcome != Outcome::NoProfile;
    }
    let about = About::find(serving.catalogue(), &args.about)?;
    let columns = columns(&asked.snapshot)?;
    let zone = jiff::tz::TimeZone::get(&serving.manifest().timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    let question = Question { catalogue: serving.catalogue(), columns: &columns, now: asked.now, zone: &zone };
    let membership = |(role, id): (&'static str, AudienceId)| {
        let number = serving.catalogue().number(&id);
        // Only the first profile includes; any profile excludes.
        let members = if role == "exclude" { &answer.excluded_by } else { &answer.audiences };
        let profile = match role {
            "exclude" => {
                answer.matched().iter().copied().find(|at| question.audience(&id, *at).is_some_and(|t| t.truth))
            }
            _ => None,
        };
        let profile = profile.or(answer.matched().first().copied()).filter(|_| answer.outcome == Outcome::Matched);
        let why = profile.and_then(|ordinal| question.audience(&id, ordinal)).map(Part::from);
        Membership { member: number.is_some_and(|number| members.contains(&number)), role, id, why }
    };
    let report = Report {
        status: lookup::status(answer.outcome),
        reached_by_bid,
        generation: serving.generation().0,
        at: asked.now.to_string(),
        campaign: about.campaign(serving.catalogue()).map(|number| verdict(&serving, number, &answer, &asked)),
        audiences: about.audiences(serving.catalogue()).into_iter().map(membership).collect(),
    };
    match args.format {
        Format::Json => print_json(&report),
        Format::Text => print(&text(&report)),
    }
}

fn columns(snapshot: &Snapshot) -> Result<Columns<'_>> {
    Columns::open(snapshot.section("traits")?, snapshot.section("events")?, snapshot.section("memberships")?)
}

fn verdict(serving: &ServingSnapshot, number: u32, answer: &Answer, asked: &Asked) -> Verdict {
    let status = match answer.outcome {
        Outcome::NoId => Status::NoId,
        Outcome::NoProfile => Status::NoProfile,
        Outcome::Matched => Status::Matched,
        Outcome::NoConsent => Status::NoConsent,
        Outcome::Blocked => Status::Blocked,
    };
    let mut decisions = Decisions::default();
    let index = CampaignIndex::new(serving.catalogue());
    index.decide(status, &answer.audiences, &answer.excluded_by, asked.now, &mut decisions);
    let decision = decisions.all[number as usize];
    let id = serving.catalogue().campaigns[number as usize].id.clone();
    Verdict { id, verdict: decision.verdict().name(), reason: decision.reason() }
}

/// What is asked about.
enum About {
    Audience(AudienceId),
    Campaign(AudienceId),
}

impl About {
    fn find(catalogue: &Catalogue, name: &str) -> Result<About> {
        let fits = |id: &AudienceId| id.as_str() == name || id.id() == name;
        let audiences = catalogue.audiences.iter().map(|audience| &audience.id).filter(|id| fits(id));
        let campaigns = catalogue.campaigns.iter().map(|campaign| &campaign.id).filter(|id| fits(id));
        let audiences = audiences.map(|id| About::Audience(id.clone()));
        let mut found: Vec<About> = audiences.chain(campaigns.map(|id| About::Campaign(id.clone()))).collect();
        match (found.len(), found.pop()) {
            (1, Some(only)) => Ok(only),
            (0, _) => Err(Error::usage(format!("no audience or campaign is called `{name}`{}", near(catalogue, name)))),
            _ => Err(Error::usage(format!("`{name}` is the name of several audiences or campaigns; write `owner/id`"))),
        }
    }

    fn campaign(&self, catalogue: &Catalogue) -> Option<u32> {
        match self {
            About::Campaign(id) => catalogue.campaign(id),
            About::Audience(_) => None,
        }
    }

    /// The audiences that matter, with their part.
    fn audiences(&self, catalogue: &Catalogue) -> Vec<(&'static str, AudienceId)> {
        let number = match self {
            About::Audience(id) => return vec![("", id.clone())],
            About::Campaign(id) => catalogue.campaign(id),
        };
        let Some(campaign) = number.map(|number| &catalogue.campaigns[number as usize]) else { return Vec::new() };
        let include = campaign.include.iter().map(|id| ("include", id.clone()));
        include.chain(campaign.exclude.iter().map(|exclude| ("exclude", exclude.audience.clone()))).collect()
    }
}

fn near(catalogue: &Catalogue, name: &str) -> String {
    let audiences = catalogue.audiences.iter().map(|audience| &audience.id);
    let ids = audiences.chain(catalogue.campaigns.iter().map(|campaign| &campaign.id));
    let known = ids.flat_map(|id| [id.as_str(), id.id()]);
    match crate::audiences::diagnostic::nearest(name, known) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => "; `vaglio inspect` lists the audiences".to_owned(),
    }
}

fn text(report: &Report) -> String {
    let mut out = match &report.campaign {
        Some(Verdict { id, verdict, reason: "" }) => format!("{id}: {verdict}\n"),
        Some(Verdict { id, verdict, reason }) => format!("{id}: {verdict} ({reason})\n"),
        None => String::new(),
    };
    if report.status != "matched" {
        let meaning = match report.status {
            "blocked" => "this person objected to marketing: suppressed everywhere",
            "no_consent" => "profiling was withdrawn or refused: nothing is said of the profile",
            _ if !report.reached_by_bid => "known, but by no identifier that occurs at bid time",
            _ => "none of the identifiers is known",
        };
        out.push_str(&format!("{}: {meaning}\n", report.status));
    }
    for membership in &report.audiences {
        let answer = if membership.member { "in" } else { "not in" };
        let role = if membership.role.is_empty() { String::new() } else { format!("{} ", membership.role) };
        out.push_str(&format!("{role}{}: {answer}\n", membership.id));
        let Some(why) = &membership.why else { continue };
        // The outermost part is the audience itself, which the line above names already.
        let parts = if why.parts.is_empty() { std::slice::from_ref(why) } else { why.parts.as_slice() };
        parts.iter().for_each(|part| draw(part, 1, &mut out));
        if why.holds != membership.member {
            out.push_str(
                "  the generation was built on other facts than hold now: its source is stale, or it is old\n",
            );
        }
    }
    out.push_str(&format!("generation {} at {}\n", report.generation, report.at));
    out
}

fn draw(part: &Part, depth: usize, out: &mut String) {
    let mark = if part.holds { "yes" } else { "no " };
    let fact = if part.fact.is_empty() { String::new() } else { format!("    [{}]", part.fact) };
    out.push_str(&format!("{}{mark} {}{fact}\n", "  ".repeat(depth), part.rule));
    part.parts.iter().for_each(|part| draw(part, depth + 1, out));
}
