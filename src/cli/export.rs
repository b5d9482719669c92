//! `vaglio export`: an audience's identifiers, out of the sources again, to a directory or an object store.

use super::{ConfigArg, Format as Print, find_generation, print, print_json};
use crate::access::{Entry, Who, audit};
use crate::build::exports::{Ask, EXPIRES_DAYS, Format, Inputs, Place, Report, below_floor, export, floor};
use crate::error::{Error, Result};
use crate::evaluate::survey::Watch;
use crate::lookup::ServingSnapshot;
use crate::planner::View;
use crate::planner::exports::{ended, entry};
use crate::schema::AudienceId;
use crate::snapshot::{Planes, Store};
use crate::telemetry::progress::{Mode, Progress};

/// Export an audience: its identifiers as the sources have them, or hashed for a partner or the edge
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vaglio export acme/gold --format csv --to exports
  vaglio export acme/gold --format meta --ids email,phone --to partner     a destination of the configuration
  vaglio export acme/gold --format csv --delta --to s3://bucket/audiences  joins and leaves since the last one
  vaglio export acme/haters --format suppression --expires-days 2 --to edge

Identifiers that came by the doors alone are in no source, and are counted as not exportable. docs/exports.md says more.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// The audience, `owner/id`
    audience: String,
    /// The shape of the files
    #[arg(long, short, value_enum)]
    format: Format,
    /// A destination of the configuration, a directory, or s3://bucket/prefix
    #[arg(long, value_name = "DIR|s3://...")]
    to: String,
    /// Only what changed since the last export of the same to the same place
    #[arg(long)]
    delta: bool,
    /// Identifier types; default all
    #[arg(long, value_delimiter = ',', value_name = "TYPE,...")]
    ids: Vec<String>,
    /// Suppress audiences: with everybody who objects to marketing
    #[arg(long)]
    include_objectors: bool,
    /// Days after which a suppression list may not be used any more
    #[arg(long, value_name = "N", default_value_t = EXPIRES_DAYS.0)]
    expires_days: u32,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    print: Print,
}

/// Runs the command.
///
/// # Errors
/// No such audience, one below its floor, arguments that do not fit together; otherwise as [`export`].
pub fn run(args: &Args) -> Result<()> {
    let loaded = args.config.load()?;
    let store = Store::open(&loaded.config.data_dir)?;
    let hasher = loaded.key_hasher(false)?;
    let snapshot = store.open_snapshot(find_generation(&store, None)?, Planes::All, Some(&hasher))?;
    let view = View::of(ServingSnapshot::new(snapshot)?, loaded.zone())?;
    let id = AudienceId::resolve(&args.audience, "");
    let number = view.catalogue().number(&id).ok_or_else(|| {
        Error::usage(format!(
            "there is no audience `{id}` in generation {}; `vaglio inspect` lists them",
            view.generation()
        ))
    })?;
    let audience = &view.catalogue().audiences[number as usize];
    let mut ids: Vec<String> = args.ids.iter().map(|id| id.to_lowercase()).collect();
    ids.sort();
    ids.dedup();
    let ask = Ask {
        format: args.format,
        delta: args.delta,
        ids,
        include_objectors: args.include_objectors,
        expires_days: args.expires_days,
    };
    ask.check(audience, &loaded)
        .map_err(|(field, why)| Error::usage(format!("--{}: {why}", field.replace('_', "-"))))?;
    let configured = loaded.config.destinations.iter().find(|it| it.name == args.to);
    if let Some(owners) = configured.map(|it| &it.owners).filter(|owners| !owners.is_empty())
        && !owners.iter().any(|owner| owner == id.owner())
    {
        let message = format!("the destination `{}` is for audiences of {}", args.to, owners.join(", "));
        return Err(Error::usage(message));
    }
    let place = Place::parse(configured.map_or(args.to.as_str(), |it| it.path.as_str()))?;
    let members = view.members(number)?;
    if let Some(refusal) = below_floor(audience, members.len(), floor(audience, &loaded)) {
        return Err(refusal);
    }
    let (who, receiver) = (Who::command_line(), configured.map_or_else(|| place.name(), |it| it.name.clone()));
    // Nothing leaves without a trace.
    let after = format!("format {}{}", ask.format.name(), if ask.delta { ", delta" } else { "" });
    audit::log(&loaded.config.data_dir, &who, Entry { after: Some(after), ..entry(&id, &receiver) })?;
    let report = export(&Inputs {
        loaded: &loaded,
        hasher: &hasher,
        serving: view.serving(),
        audience,
        members: &members,
        ask: &ask,
        place: &place,
        receiver: &receiver,
        watch: &Watch::default(),
        progress: &Progress::new(if args.quiet { Mode::Silent } else { Mode::Auto }),
    })?;
    let after = Some(ended("command line", &report));
    audit::log(&loaded.config.data_dir, &who, Entry { what: "export end", after, ..entry(&id, &receiver) })?;
    match args.print {
        Print::Json => print_json(&report),
        Print::Text => print(&text(&id, &report)),
    }
}

fn text(id: &AudienceId, report: &Report) -> String {
    let mut out = format!(
        "{id} of generation {} at {}: {} members, {} withheld, {} exported, {} not exportable\n",
        report.generation,
        report.as_of,
        report.members,
        report.withheld.total(),
        report.profiles.exported,
        report.profiles.not_exportable,
    );
    for (name, by) in &report.identifiers {
        out += &format!(
            "  {name:<16} {:>12} of {} written, {} written before, {} not exportable, {} not in this format\n",
            by.exported, by.identifiers, by.unchanged, by.not_exportable, by.not_in_format
        );
    }
    if report.removed + report.cannot_remove > 0 {
        out += &format!("  to be removed: {} written, {} cannot be\n", report.removed, report.cannot_remove);
    }
    for file in &report.files {
        out += &format!("{}  {} entries, {} bytes, sha256 {}\n", file.name, file.entries, file.bytes, file.sha256);
    }
    for note in &report.notes {
        out += &format!("note: {note}\n");
    }
    out
}
