//! `vaglio lookup`: what a bid-time lookup would say of somebody, offline, from a generation's files.

use super::asked::Asked;
use super::{ConfigArg, Format, print, print_json};
use crate::audiences::{Audience, AudienceKind};
use crate::config::Loaded;
use crate::error::Result;
use crate::lookup::{Answer, Outcome, ServingSnapshot};
use crate::overlay::Overlay;
use crate::schema::Segment;
use crate::snapshot::Planes;
use serde::Serialize;

/// Look somebody up in a generation, without a server
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vaglio lookup ifa:123e4567-e89b-12d3-a456-426614174000
  vaglio lookup email:user@example.com crm:4711     several identifiers of one person
  vaglio lookup --generation 41 --format json crm:4711

Unlike a bid-time answer, this one names suppress audiences too.")]
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
    #[arg(required = true, value_name = "SOURCE:UID")]
    ids: Vec<String>,
}

#[derive(Serialize)]
struct Report<'a> {
    status: &'static str,
    profiles: u32,
    audiences: Vec<Line<'a>>,
    /// Audiences of the person's other profiles: they exclude, and do not include.
    only_excluding: Vec<Line<'a>>,
    generation: u64,
    at: String,
}

#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    name: &'a str,
    kind: AudienceKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    segment: Option<&'a Segment>,
}

/// Runs the command.
///
/// # Errors
/// No generation, a refused one, or arguments that are no identifiers. That nobody is found is an answer.
pub fn run(args: &Args) -> Result<()> {
    let loaded = args.config.load()?;
    let asked = Asked::open(&loaded, args.generation, Planes::Bid, &args.ids)?;
    let serving = ServingSnapshot::new(asked.snapshot)?;
    let mut answer = Answer::default();
    serving.lookup(&asked.keys, asked.now, &Overlay::empty(), &mut answer);
    let line = |number: &u32| serving.catalogue().audiences.get(*number as usize).map(Line::new);
    let report = Report {
        status: status(answer.outcome),
        profiles: answer.profiles,
        audiences: answer.audiences.iter().filter_map(line).collect(),
        only_excluding: answer.excluded_by.iter().filter(|n| !answer.audiences.contains(n)).filter_map(line).collect(),
        generation: serving.generation().0,
        at: asked.now.to_string(),
    };
    match args.format {
        Format::Json => print_json(&report),
        Format::Text => print(&(text(&report) + &unknown_at_bid_time(&loaded, &args.ids))),
    }
}

/// Identifiers that no lookup can know, because their type is not indexed for bid time.
fn unknown_at_bid_time(loaded: &Loaded, ids: &[String]) -> String {
    let asked = |name: &str| {
        ids.iter().any(|id| id.split(':').next().is_some_and(|typed| typed.trim().eq_ignore_ascii_case(name)))
    };
    let types = loaded.id_types.iter().filter(|id_type| !id_type.bid && asked(&id_type.name));
    let names: Vec<&str> = types.map(|id_type| id_type.name.as_str()).collect();
    if names.is_empty() {
        return String::new();
    }
    let names = names.join(", ");
    format!("note: {names} does not occur at bid time (no `bid: true`), so no lookup finds it; `vaglio explain` does\n")
}

/// The name of an outcome in answers.
pub fn status(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NoId => "no_id",
        Outcome::NoProfile => "no_profile",
        Outcome::Matched => "matched",
        Outcome::NoConsent => "no_consent",
        Outcome::Blocked => "blocked",
    }
}

impl<'a> Line<'a> {
    fn new(audience: &'a Audience) -> Self {
        Line { id: audience.id.as_str(), name: &audience.name, kind: audience.kind, segment: audience.segment.as_ref() }
    }
}

fn text(report: &Report) -> String {
    let meaning = match report.status {
        "no_profile" => ": none of the identifiers is known",
        "no_consent" => ": profiling was withdrawn or refused, so nothing is said of the profile",
        "blocked" => ": this person objected to marketing; every campaign is suppressed",
        "matched" if report.audiences.is_empty() => ": known, and in no audience",
        _ => "",
    };
    let mut out = format!("{}{meaning}\n", report.status);
    if report.profiles > 1 {
        out.push_str(&format!("{} profiles match; the first supplies the audiences\n", report.profiles));
    }
    let mut list = |lines: &[Line], note: &str| {
        for line in lines {
            let kind = if line.kind == AudienceKind::Suppress { "suppress" } else { "target" };
            let segment = match line.segment {
                Some(Segment { taxonomy: Some(taxonomy), id }) => format!("  (segment {id} of taxonomy {taxonomy})"),
                Some(Segment { taxonomy: None, id }) => format!("  (segment {id})"),
                None => String::new(),
            };
            out.push_str(&format!("  {kind:<9}{}  {}{segment}{note}\n", line.id, line.name));
        }
    };
    list(&report.audiences, "");
    list(&report.only_excluding, "  (another profile of this person: excludes only)");
    out.push_str(&format!("generation {} at {}\n", report.generation, report.at));
    out
}
