//! `vaglio explain`: why somebody is in an audience or not, and why a campaign may speak to them or not. Without a server, from
//! a generation's columns and what the log holds since its cut: the same evaluator that built the audience.

use super::asked::Asked;
use super::{ConfigArg, Format, print, print_json};
use crate::access::{Who, audit};
use crate::error::Result;
use crate::evaluate::Tree;
use crate::live::Held;
use crate::log::{Block, Blocklist};
use crate::planner::explain::{Report, entry, explain};
use crate::schema::Clock;
use crate::snapshot::{Planes, Store};

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
    /// The same as `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// The person's identifiers; an e-mail or phone may be raw or its UID2 hash
    #[arg(required = true, num_args = 1.., value_name = "SOURCE:UID")]
    ids: Vec<String>,
    /// An audience or campaign: `owner/id`, or `id` where only one owner has it
    #[arg(required = true, value_name = "AUDIENCE|CAMPAIGN")]
    about: String,
}

/// Runs the command.
///
/// # Errors
/// No generation, a refused one, arguments that are no identifiers, or a name that nothing has.
pub fn run(args: &Args) -> Result<()> {
    let loaded = args.config.load()?;
    let asked = Asked::open(&loaded, args.generation, Planes::Bid, &args.ids)?;
    let store = Store::open(&loaded.config.data_dir)?;
    let held = Held::of(&loaded, &store, Some(asked.snapshot.generation()), &asked.keys, asked.now)?;
    let (list, _) = Blocklist::read(&crate::log::control_directory(&loaded.config.data_dir), Clock::System.now())?;
    let hasher = loaded.key_hasher(false)?;
    let blocks: Vec<Block> = held.keys.iter().filter_map(|key| list.get(hasher.block_key(*key))).collect();
    // Nothing is told that leaves no trace.
    let subject = asked.keys.first().map(|key| hasher.block_key(*key));
    audit::log(&loaded.config.data_dir, &Who::command_line(), entry(&held, &args.about, subject))?;
    let report = explain(&held, &blocks, &args.about)?;
    if args.json || args.format == Format::Json { print_json(&report) } else { print(&text(&report)) }
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    if let Some(campaign) = &report.campaign {
        let reason = if campaign.reason.is_empty() { String::new() } else { format!(" ({})", campaign.reason) };
        out.push_str(&format!("{}: {}{reason}\n", campaign.id, campaign.verdict));
        if let Some(last) = campaign.exposures.last() {
            out.push_str(&match campaign.exposures.len() {
                1 => format!("  shown once, at {last}\n"),
                times => format!("  shown {times} times, last {last}\n"),
            });
        }
        if let Some(group) = &campaign.group {
            out.push_str(&format!("  group {group}: one campaign of it speaks\n"));
        }
    }
    if report.status != "matched" {
        let meaning = match report.status {
            "blocked" => "this person objected to marketing, or was deleted: suppressed everywhere",
            "no_consent" => "profiling was withdrawn or refused: nothing is said of the profile",
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
        if why.truth != membership.member {
            out.push_str("  left out of the generation: what it rests on is too old\n");
        }
        let Some(changes) = &membership.changes else { continue };
        let all = changes.by_itself.iter().chain(&changes.by_facts);
        all.for_each(|change| out.push_str(&format!("  {}\n", change.sentence)));
    }
    let since = match report.since_the_generation {
        0 => String::new(),
        records => format!(", and {records} records that came since"),
    };
    out.push_str(&format!("generation {} at {}{since}\n", report.generation, report.at));
    out
}

fn draw(part: &Tree, depth: usize, out: &mut String) {
    let mark = if part.truth { "yes" } else { "no " };
    let fact = if part.fact.is_empty() { String::new() } else { format!("    [{}]", part.fact) };
    out.push_str(&format!("{}{mark} {}{fact}\n", "  ".repeat(depth), part.text));
    part.parts.iter().for_each(|part| draw(part, depth + 1, out));
}
