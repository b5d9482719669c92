//! `vaglio audit`: who did what, and whether nobody has changed what stands there since.

use super::{ConfigArg, print, print_json};
use crate::error::{Error, ErrorKind, Result};
use crate::log::{AuditEntry, Trail};
use crate::planner::audit::{Asked, Line};
use crate::schema::{Clock, Span, Timestamp};
use serde_json::json;

/// Show who did what, or verify that nobody changed the trail
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vaglio audit --since 7d                      the last week, the oldest first
  vaglio audit --what publish --object acme/vip
  vaglio audit --verify                        every link of the chain; exit code 1 where one does not hold
  vaglio audit --verify --head 4711:9f3a...    and that nothing was cut off since this was noted elsewhere")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Verify every link instead of showing entries
    #[arg(long)]
    verify: bool,
    /// With --verify: the last entry as it was noted elsewhere; it must still stand there
    #[arg(long, value_name = "NUMBER:HASH", requires = "verify")]
    head: Option<String>,
    /// From then on: a length of time before now (7d) or an instant
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Of this credential only
    #[arg(long)]
    who: Option<String>,
    /// Of this deed only
    #[arg(long)]
    what: Option<String>,
    /// Of what was done to this only, such as acme/vip
    #[arg(long)]
    object: Option<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// A log that cannot be read, and with `--verify` a chain that does not hold.
pub fn run(args: &Args) -> Result<()> {
    let loaded = args.config.load()?;
    let since = args.since.as_deref().map(|text| since(text, Clock::System.now())).transpose()?;
    let trail = Trail::read(&loaded.config.data_dir)?;
    if args.verify { verify(args, &trail) } else { show(args, &trail, since) }
}

fn since(text: &str, now: Timestamp) -> Result<Timestamp> {
    let before = Span::parse(text).map(|span| Timestamp(now.0.saturating_sub(span.0)));
    let wrong = || Error::usage(format!("--since {text}: expected a length of time such as 7d, or an instant"));
    before.or_else(|| Timestamp::parse(text)).ok_or_else(wrong)
}

fn show(args: &Args, trail: &Trail, since: Option<Timestamp>) -> Result<()> {
    let Args { who, what, object, .. } = args;
    let asked = Asked { who: who.clone(), what: what.clone(), object: object.clone(), since, ..Asked::default() };
    let entries: Vec<&AuditEntry> = trail.entries().iter().filter(|entry| asked.fits(entry)).collect();
    if args.json {
        return print_json(&entries.iter().map(|entry| Line::of(entry)).collect::<Vec<_>>());
    }
    let old = trail.unchained().iter().filter(|old| {
        let is = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|wanted| wanted == text);
        object.is_none() && is(who, &old.who) && is(what, &old.what) && since.is_none_or(|since| old.time >= since.0)
    });
    let old = old.map(|old| {
        format!("     -  {}  {}  {}  (before entries were chained)\n", Timestamp(old.time), old.who, old.what)
    });
    let text: String = old.chain(entries.iter().map(|entry| text(entry))).collect();
    if text.is_empty() { print("no entries\n") } else { print(&text) }
}

fn text(entry: &AuditEntry) -> String {
    let AuditEntry { number, who, what, object, .. } = entry;
    let owner = entry.owner.as_ref().map(|owner| format!(" ({owner})")).unwrap_or_default();
    let person = entry.subject.map(|key| format!("  person {:032x}", key.0)).unwrap_or_default();
    let change = match (&entry.before, &entry.after) {
        (None, None) => String::new(),
        (before, after) => {
            let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            format!("  [{} -> {}]", said(before), said(after))
        }
    };
    format!("{number:6}  {}  {who}{owner}  {what}  {object}{person}{change}\n", Timestamp(entry.time))
}

fn verify(args: &Args, trail: &Trail) -> Result<()> {
    let (number, link) = trail.head();
    let noted = args.head.as_deref().map(|head| noted(head, trail)).transpose()?;
    let wrong = trail.broken().map(|broken| {
        let (number, offset) = (broken.number, broken.offset.0);
        (number, format!("entry {number} (record {offset} of the control log): {}", broken.why))
    });
    let wrong = wrong.or_else(|| noted.flatten());
    if args.json {
        let first = trail.entries().first().map(|entry| entry.number);
        let broken = wrong.as_ref().map(|(number, why)| json!({ "number": number, "why": why }));
        let unchained = trail.unchained().len();
        let head = json!({ "number": number, "link": link.to_string() });
        print_json(&json!({ "holds": wrong.is_none(), "broken": broken, "first": first, "head": head,
            "dropped": trail.dropped(), "unchained": unchained }))?;
    }
    if let Some((_, why)) = wrong {
        return Err(Error::new(ErrorKind::Input, format!("the audit trail does not hold: {why}")));
    }
    if args.json {
        return Ok(());
    }
    let dropped = match trail.dropped() {
        0 => String::new(),
        dropped => format!("; those up to {dropped} are more than a year old and were dropped"),
    };
    let entries = trail.entries().len();
    print(&format!(
        "the audit trail holds: {entries} entries{dropped}\nhead {number}:{link}\n(note it elsewhere: `vaglio audit --verify \
         --head {number}:{link}` then finds out whether the end was cut off)\n"
    ))
}

/// What is wrong with what was noted elsewhere.
fn noted(head: &str, trail: &Trail) -> Result<Option<(u64, String)>> {
    let read = head.split_once(':').and_then(|(number, link)| Some((number.parse::<u64>().ok()?, link)));
    let (number, link) = read.ok_or_else(|| Error::usage("--head expects NUMBER:HASH, as --verify prints it"))?;
    let there = trail.entries().iter().find(|entry| entry.number == number);
    Ok(match there {
        Some(entry) if entry.link.to_string() == link => None,
        Some(_) => Some((number, format!("entry {number} is not the one that was noted"))),
        None if number <= trail.dropped() => None,
        None => Some((number, format!("entry {number} is not there any more: the end was cut off"))),
    })
}
