//! `vaglio build`: sources and definitions -> a new generation, published for whoever serves from the same directory.

use super::{ConfigArg, Format, figures, inspect, print, print_json};
use crate::audiences::Catalogue;
use crate::build::{What, build, defined};
use crate::config::Loaded;
use crate::error::Result;
use crate::snapshot::{Manifest, Planes};
use crate::telemetry::logs;
use crate::telemetry::progress::{Mode, Progress};
use std::io::Write;

/// Build a generation from the sources and publish it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vaglio build                     index the sources, evaluate the rules, publish
  vaglio build --activate-only     only evaluate the rules, over what is indexed already
  vaglio build --quiet --format json

A build that fails leaves the live generation as it is. One that is killed is cleaned up by the next.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Evaluate the rules over the live generation's index; read no source
    #[arg(long)]
    activate_only: bool,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
///
/// # Errors
/// Wrong configuration or definitions, too many rejected rows, a busy or full data directory.
pub fn run(args: &Args) -> Result<()> {
    logs::start(false)?;
    let loaded = args.config.load()?;
    let catalogue = catalogue(&loaded)?;
    let what = if args.activate_only { What::Activate } else { What::Full };
    let progress = Progress::new(if args.quiet { Mode::Silent } else { Mode::Auto });
    let manifest = build(&loaded, &catalogue, what, &progress)?;
    match args.format {
        Format::Json => print_json(&manifest),
        Format::Text => print(&text(&loaded, &manifest)),
    }
}

/// The catalogue of the definition files and of what is published; its warnings go to stderr.
///
/// # Errors
/// Every error of every definition.
pub fn catalogue(loaded: &Loaded) -> Result<Catalogue> {
    let defined = defined::read(loaded)?;
    for warning in defined.findings {
        // Nobody reads stderr: then nobody wants the warning.
        let _ = writeln!(std::io::stderr(), "warning: {warning}");
    }
    Ok(defined.catalogue)
}

fn text(loaded: &Loaded, manifest: &Manifest) -> String {
    let mut out = format!(
        "Generation {}: {} profiles, {} bid-time identifiers, {} audiences, as of {}\n",
        manifest.generation,
        figures::count(manifest.profiles.into()),
        figures::count(manifest.bid_ids),
        manifest.audiences.len(),
        manifest.as_of,
    );
    out.push_str(&inspect::sources(manifest));
    let rejected: u64 = manifest.sources.iter().filter_map(|source| source["rejected"].as_u64()).sum();
    if rejected > 0 {
        let report = loaded.config.data_dir.join("rejects.json");
        let rows = if rejected == 1 { "row was" } else { "rows were" };
        let count = figures::count(rejected);
        out.push_str(&format!("  {count} {rows} rejected; reasons and places: {}\n", report.display()));
    }
    out.push_str(&inspect::audiences(manifest));
    let took: Vec<String> =
        manifest.timings.iter().map(|(phase, took)| format!("{phase} {}", figures::seconds(*took))).collect();
    out.push_str(&format!(
        "\n{} on disk, {} of it for bid time; {}; peak memory {}\n",
        figures::bytes(manifest.bytes(Planes::All)),
        figures::bytes(manifest.bytes(Planes::Bid)),
        took.join(", "),
        figures::bytes(manifest.peak_memory_bytes),
    ));
    out
}
