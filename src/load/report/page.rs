//! The page: one file that holds everything, with no script and no reference to anything outside, which its policy forbids too.

use super::figures::{bytes, count, rate, seconds, share, wait};
use super::parts::{MET, MISSED, Table, escaped, facts, figure, folded, list};
use super::pictures;
use super::{asked, compare, cpu_us_per_accepted, failed, goodput, shown, together, wrong};
use crate::error::{Error, Result};
use crate::load::measured::{Latency, Measured, Run};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");

/// Several runs are compared, and then shown one after the other.
///
/// # Errors
/// No run at all, or a picture that cannot be drawn (a bug of ours).
pub fn html(runs: &[Run]) -> Result<String> {
    let (title, body) = match runs {
        [] => {
            return Err(Error::usage("no run to report; name at least one file that `vaglio load --json FILE` wrote"));
        }
        [run] => (run.workload.name.clone(), alone(run)?),
        runs => (format!("{} runs", runs.len()), several(runs)?),
    };
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        STANDARD.encode(Sha256::digest(STYLE))
    );
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <meta name=\"referrer\" content=\"no-referrer\"/>\n<title>{} - Vaglio load test</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        escaped(&title)
    ))
}

fn alone(run: &Run) -> Result<String> {
    let head = format!(
        "<header>\n<p class=\"over\">Vaglio load test</p>\n<h1>{}</h1>\n{}</header>\n",
        escaped(&run.workload.name),
        head(run)
    );
    Ok(head + &sections(run, "run", 2)?)
}

fn several(runs: &[Run]) -> Result<String> {
    let named = compare::names(runs);
    let links = named.iter().enumerate();
    let links: String = links
        .map(|(nth, name)| format!("<li><a href=\"#run-{nth}\">{}</a> {}</li>\n", escaped(name), badge(&runs[nth])))
        .collect();
    let mut out = format!(
        "<header>\n<p class=\"over\">Vaglio load test</p>\n<h1>{} runs side by side</h1>\n<nav aria-label=\"Runs\"><ol class=\"runs\">\n{links}</ol></nav>\n</header>\n",
        runs.len()
    );
    out.push_str(&compare::section(runs, &named)?);
    for (nth, (run, name)) in runs.iter().zip(&named).enumerate() {
        let _ = write!(out, "<section class=\"run\" id=\"run-{nth}\">\n<h2>{}</h2>\n{}", escaped(name), head(run));
        out.push_str(&sections(run, &format!("run-{nth}"), 3)?);
        out.push_str("</section>\n");
    }
    Ok(out)
}

/// Whether it passed, in a word or two.
pub fn outcome(run: &Run) -> (&'static str, String) {
    let missed = run.verdicts.iter().filter(|verdict| !verdict.met).count();
    match (run.verdicts.len(), missed) {
        (0, _) => ("open", "no goals".to_owned()),
        (all, 0) => (MET, format!("passed, {all} of {all} goals")),
        (all, missed) => (MISSED, format!("failed, {missed} of {all} goals missed")),
    }
}

fn badge(run: &Run) -> String {
    let (class, words) = outcome(run);
    format!("<span class=\"badge {class}\">{words}</span>")
}

fn head(run: &Run) -> String {
    let workload = &run.workload;
    let mut out = String::new();
    if !workload.about.is_empty() {
        let _ = writeln!(out, "<p class=\"about\">{}</p>", escaped(&workload.about));
    }
    let _ = writeln!(
        out,
        "<p>{} <span class=\"quiet\">{}; began {}</span></p>",
        badge(run),
        escaped(&asked(workload)),
        escaped(&run.began)
    );
    if !run.remarks.is_empty() {
        out.push_str("<p class=\"label\">To be known before the figures are trusted</p>\n");
        out.push_str(&list("remarks", &run.remarks));
    }
    out.push_str(&facts("tiles", &tiles(run)));
    out
}

/// The figures that somebody looks for first.
fn tiles(run: &Run) -> Vec<(String, String)> {
    let phases = shown(run);
    let sum = |of: fn(&Measured) -> u64| phases.iter().map(|it| of(it)).fold(0, u64::saturating_add);
    let (due, accepted) = (sum(|it| it.counts.due), sum(|it| it.counts.accepted));
    let mut tiles = vec![(format!("Accepted of {} due", count(due)), share(accepted, due))];
    if let [only] = phases.as_slice() {
        tiles.push(("Accepted a second".to_owned(), rate(goodput(only))));
    }
    if let Some(peak) = run.peak {
        let held = if peak.sustained_per_second > 0.0 {
            format!("{}/s", rate(peak.sustained_per_second))
        } else {
            "none".to_owned()
        };
        tiles.push(("Highest rate with all goals".to_owned(), held));
        tiles.push(("Highest goodput".to_owned(), format!("{}/s", rate(peak.goodput_per_second))));
    }
    // Of a search alone, all its steps together mean nothing.
    if phases.iter().all(|it| !it.step) {
        let all = together(phases.iter().map(|it| &it.latency));
        let name = |q: &str| if phases.len() > 1 { format!("{q}, all phases") } else { q.to_owned() };
        if all.count > 0 {
            tiles.push((name("p50"), wait(all.p50_us)));
            tiles.push((name("p99"), wait(all.p99_us)));
            tiles.push((name("p99.9"), wait(all.p999_us)));
        }
    }
    let checked = sum(|it| it.counts.checked);
    let wrong = sum(|it| wrong(&it.counts));
    tiles.push(match checked {
        0 => ("Wrong verdicts".to_owned(), "not checked".to_owned()),
        checked => (format!("Wrong of {} verdicts", count(checked)), count(wrong)),
    });
    tiles
}

fn sections(run: &Run, id: &str, level: u8) -> Result<String> {
    let mut out = String::new();
    let mut section = |title: &str, inside: String| {
        if !inside.is_empty() {
            let _ = write!(out, "<section>\n<h{level}>{title}</h{level}>\n{inside}</section>\n");
        }
    };
    section("Goals", goals(run));
    // The steps of a search are many, and its pictures say more.
    if run.phases.iter().all(|it| it.step) {
        section("Pictures", pictures_of(run, id, level + 1)?);
        section("Steps", phases(run));
    } else {
        section("Phases", phases(run));
        section("Pictures", pictures_of(run, id, level + 1)?);
    }
    section("Failures", failures(run));
    section("What was run", what(run));
    Ok(out)
}

fn goals(run: &Run) -> String {
    let rows = run.verdicts.iter().map(|verdict| {
        let phase = if verdict.phase.is_empty() { "whole run" } else { &verdict.phase };
        let met = if verdict.met { MET } else { MISSED };
        vec![phase.to_owned(), verdict.goal.clone(), verdict.found.clone(), met.to_owned()]
    });
    match rows.len() {
        0 => String::new(),
        _ => Table::new("What had to hold".to_owned(), &["phase", "goal", "found", "verdict"], rows.collect()).markup(),
    }
}

fn phases(run: &Run) -> String {
    let (steps, phases): (Vec<&Measured>, Vec<&Measured>) = run.phases.iter().partition(|it| it.step);
    let mut out = String::new();
    if !phases.is_empty() {
        out.push_str(&became(&phases, "What became of the requests"));
        out.push_str(&waited(&phases, "How long accepted answers took, from the intended start"));
        out.push_str(&folded("Waits seen otherwise, and the server", &beside(&phases)));
    }
    if !steps.is_empty() {
        let tables = became(&steps, "What became of the requests, step by step")
            + &waited(&steps, "How long accepted answers took, step by step");
        let rest = beside(&steps);
        out.push_str(&if phases.is_empty() {
            tables + &folded("Waits seen otherwise, and the server", &rest)
        } else {
            folded(&format!("The search, and what stands beside the phases: {} steps", steps.len()), &(tables + &rest))
        });
    }
    out
}

fn became(phases: &[&Measured], caption: &str) -> String {
    let head = [
        "phase",
        "lasted",
        "offered/s",
        "accepted/s",
        "due",
        "accepted",
        "shed",
        "too late",
        "unsent",
        "unanswered",
        "errors",
        "wrong verdicts",
        "unknown verdicts",
    ];
    let rows = phases.iter().map(|it| {
        let counts = &it.counts;
        let checked = |number: u64| if counts.checked == 0 { "-".to_owned() } else { count(number) };
        let rates =
            [it.name.clone(), seconds(it.seconds), rate(it.offered_per_second), rate(goodput(it)), count(counts.due)];
        let fates = [counts.shed, counts.too_late, counts.unsent, counts.unanswered, counts.errors].map(count);
        let fates = [share(counts.accepted, counts.due)].into_iter().chain(fates);
        rates.into_iter().chain(fates).chain([checked(wrong(counts)), checked(counts.unknown_verdicts)]).collect()
    });
    Table::new(caption.to_owned(), &head, rows.collect()).without_empty_columns().markup()
}

const WAITS: [&str; 8] = ["answers", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max"];

fn waits(it: &Latency) -> Vec<String> {
    let waits = [it.mean_us.round() as u64, it.p50_us, it.p90_us, it.p99_us, it.p999_us, it.p9999_us, it.max_us];
    let waits = waits.map(|us| if it.count == 0 { "-".to_owned() } else { wait(us) });
    [count(it.count)].into_iter().chain(waits).collect()
}

fn waited(phases: &[&Measured], caption: &str) -> String {
    let head: Vec<&str> = ["phase"].into_iter().chain(WAITS).chain(["CPU/accepted", "server memory"]).collect();
    let rows = phases.iter().map(|it| {
        let server = [
            cpu_us_per_accepted(it).map_or("-".to_owned(), |us| format!("{us:.1} µs")),
            it.server_resident_bytes.map_or("-".to_owned(), bytes),
        ];
        [it.name.clone()].into_iter().chain(waits(&it.latency)).chain(server).collect()
    });
    Table::new(caption.to_owned(), &head, rows.collect()).without_empty_columns().markup()
}

/// The same waits from when requests were really sent, those that were shed, and how late the generator was.
fn beside(phases: &[&Measured]) -> String {
    let head: Vec<&str> = ["phase", "which"].into_iter().chain(WAITS).collect();
    let mut rows = Vec::new();
    for phase in phases {
        for (which, latency) in [
            ("accepted, from when it was sent", &phase.service),
            ("shed, from the intended start", &phase.shed_latency),
        ] {
            if latency.count > 0 {
                rows.push([phase.name.clone(), which.to_owned()].into_iter().chain(waits(latency)).collect());
            }
        }
    }
    let others = Table::new("Other waits".to_owned(), &head, rows);
    let rows = phases.iter().map(|it| {
        let generations: Vec<String> =
            it.generations.iter().map(|(generation, answers)| format!("{generation}: {}", count(*answers))).collect();
        let generations =
            if generations.len() > 8 { format!("{} of them", generations.len()) } else { generations.join(", ") };
        let cpu = it.server_cpu_seconds.map_or("-".to_owned(), |used| format!("{used:.1} s"));
        vec![it.name.clone(), wait(it.generator_late_p99_us), count(it.items), cpu, generations]
    });
    let head = ["phase", "generator late (p99)", "lookups or events", "server CPU", "answers by generation"];
    let rest = Table::new("Generator and server".to_owned(), &head, rows.collect()).without_empty_columns();
    let others = if others.is_empty() { String::new() } else { others.markup() };
    others + &rest.markup()
}

fn pictures_of(run: &Run, id: &str, level: u8) -> Result<String> {
    let of = distributions(run);
    let of: Vec<(String, &Latency)> = of.iter().map(|(name, it)| (name.clone(), *it)).collect();
    let drawn = [
        pictures::saturation(&[(run.workload.name.clone(), run)], id),
        pictures::latency(run, id),
        pictures::throughput(run, id),
        pictures::quantiles(&of, id),
        pictures::histogram(&of, id),
    ];
    drawn.iter().flatten().map(|picture| figure(picture, level)).collect()
}

/// What is drawn of how waits are distributed: the phases; of one alone, from both starts; of a search, some of its steps.
fn distributions(run: &Run) -> Vec<(String, &Latency)> {
    let phases = shown(run);
    match phases.as_slice() {
        [only] => vec![
            ("from the intended start".to_owned(), &only.latency),
            ("from when it was sent".to_owned(), &only.service),
        ],
        steps if steps.iter().all(|it| it.step) => compare::telling_steps(run),
        phases => phases.iter().map(|it| (it.name.clone(), &it.latency)).take(pictures::ALIKE).collect(),
    }
}

fn failures(run: &Run) -> String {
    let rows: Vec<Vec<String>> = run
        .phases
        .iter()
        .flat_map(|phase| {
            phase
                .failures
                .iter()
                .map(|(kind, (times, first))| vec![phase.name.clone(), kind.clone(), count(*times), first.clone()])
        })
        .collect();
    if rows.is_empty() {
        let lost = run.phases.iter().map(|it| failed(&it.counts)).fold(0, u64::saturating_add);
        return if lost == 0 { "<p class=\"quiet\">None.</p>\n".to_owned() } else { String::new() };
    }
    Table::new("Kinds of failures".to_owned(), &["phase", "kind", "times", "the first message"], rows).markup()
}

fn what(run: &Run) -> String {
    let workload = &run.workload;
    let target = &workload.target;
    let doors = [&target.http, &target.grpc, &target.planner].map(String::as_str).join(", ");
    let tmax = workload.request.tmax_ms;
    let mut all = vec![
        ("Doors".to_owned(), asked(workload)),
        ("Addresses".to_owned(), doors),
        ("Connections".to_owned(), count(target.connections as u64)),
        ("Worth waiting for".to_owned(), if tmax == 0 { "no limit".to_owned() } else { format!("{tmax} ms") }),
        ("Unknown people".to_owned(), format!("{:.0} %", workload.users.unknown_share * 100.0)),
        ("Seed".to_owned(), workload.seed.to_string()),
    ];
    all.extend(run.generator.iter().map(|(name, value)| (format!("Generator: {name}"), value.clone())));
    let text = serde_json::to_string_pretty(workload).unwrap_or_default();
    let shape = "<pre class=\"scroll\" role=\"group\" aria-label=\"Workload\" tabindex=\"0\">";
    facts("facts", &all) + &folded("The whole workload", &format!("{shape}{}</pre>\n", escaped(&text)))
}
