//! `vaglio generations`: which generations there are, which one is live, and whether a rollback pins it; [`compare`] two.

mod compare;

use super::{ConfigArg, Format, figures, inspect, print, print_json};
use crate::error::Result;
use crate::schema::{Generation, Offset};
use crate::snapshot::{Manifest, Planes, Store};
use serde::Serialize;

/// List the generations on disk
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  vaglio generations --config vaglio.yaml\n  vaglio generations --compare 41 42   sizes, joins and leaves by audience"
)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// How two of them differ: sizes, joins and leaves by audience, changed definitions
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"])]
    compare: Option<Vec<u64>>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Report {
    live: Option<Generation>,
    pinned: Option<Generation>,
    generations: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    generation: Generation,
    /// Absent when the manifest cannot be read.
    #[serde(flatten)]
    summary: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

#[derive(Serialize)]
struct Summary {
    created: String,
    as_of: String,
    profiles: u32,
    audiences: usize,
    bytes: u64,
    index_of: Generation,
    events_cut: Offset,
    control_cut: Offset,
    /// Facts that came by the doors; absent when they cannot be counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    live_facts: Option<u64>,
}

impl Summary {
    fn of(store: &Store, manifest: &Manifest) -> Self {
        Summary {
            events_cut: manifest.events_cut,
            control_cut: manifest.control_cut,
            live_facts: inspect::live_facts(store, manifest).map(|live| live.kept),
            created: manifest.created.to_string(),
            as_of: manifest.as_of.to_string(),
            profiles: manifest.profiles,
            audiences: manifest.audiences.len(),
            bytes: manifest.bytes(Planes::All),
            index_of: manifest.index_of,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// A configuration or data directory that cannot be read. A damaged manifest is a line of the list, not an error.
pub fn run(args: &Args) -> Result<()> {
    let loaded = args.config.load()?;
    let store = Store::open(&loaded.config.data_dir)?;
    if let Some(pair) = &args.compare {
        return compare::run(&loaded, &store, pair, args.format);
    }
    let line = |generation| match store.manifest(generation) {
        Ok(manifest) => Line { generation, summary: Some(Summary::of(&store, &manifest)), refused: None },
        Err(error) => Line { generation, summary: None, refused: Some(error.to_string()) },
    };
    let generations = store.manifests()?.into_iter().map(line).collect();
    let report = Report { live: store.current()?, pinned: store.pinned()?, generations };
    match args.format {
        Format::Json => print_json(&report),
        Format::Text => print(&text(&report)),
    }
}

fn text(report: &Report) -> String {
    if report.generations.is_empty() {
        return "There is no generation yet; `vaglio build` makes the first.\n".to_owned();
    }
    let head =
        ["generation", "created", "as of", "profiles", "audiences", "size", "index of", "events cut", "live facts", ""];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(report.generations.iter().map(|line| {
        let mut row = vec![line.generation.to_string()];
        match &line.summary {
            Some(summary) => row.extend([
                summary.created.clone(),
                summary.as_of.clone(),
                figures::count(summary.profiles.into()),
                figures::count(summary.audiences as u64),
                figures::bytes(summary.bytes),
                summary.index_of.to_string(),
                summary.events_cut.to_string(),
                summary.live_facts.map_or("-".to_owned(), figures::count),
            ]),
            None => {
                row.push("unreadable".to_owned());
                row.resize(head.len() - 1, String::new());
            }
        }
        let live = if report.live == Some(line.generation) { "live" } else { "" };
        let pinned = if report.pinned == Some(line.generation) { ", pinned" } else { "" };
        row.push(format!("{live}{pinned}"));
        row
    }));
    let mut out = figures::table(&rows);
    for line in &report.generations {
        if let Some(refused) = &line.refused {
            out.push_str(&format!("generation {}: {refused}\n", line.generation));
        }
    }
    if let Some(pinned) = report.pinned {
        out.push_str(&format!(
            "A rollback pins generation {pinned}: new builds wait until `vaglio rollback --unpin`.\n"
        ));
    }
    out
}
