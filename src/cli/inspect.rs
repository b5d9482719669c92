//! `vaglio inspect`: what a generation is made of, how big it is, how sure its identities are, and whether it is intact.

use super::{ConfigArg, Format, figures, find_generation, print, print_json};
use crate::build::facts::LiveReport;
use crate::build::provenance::Provenance;
use crate::error::Result;
use crate::schema::Generation;
use crate::snapshot::{Identities, Manifest, Planes, Store};
use serde::Serialize;

/// Show what a generation is made of, and verify it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vaglio inspect                      the live generation
  vaglio inspect --generation 41      another one
  vaglio inspect --verify             read every byte and compare the checksums
  vaglio inspect --format json | jq '.sections[] | [.name, .length]'")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// The generation; default the live one
    #[arg(long, short, value_name = "N")]
    generation: Option<u64>,
    /// Read every section and compare its checksum
    #[arg(long)]
    verify: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    manifest: Manifest,
    bytes: Sizes,
    /// That an identifier nobody knows is taken for a known one, a lookup.
    false_match_probability: f64,
    live: bool,
    pinned: bool,
    /// What became of what came by the doors; absent when it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    live_facts: Option<LiveReport>,
    /// Whether every byte was read and found intact; absent when not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
}

#[derive(Serialize)]
struct Sizes {
    total: u64,
    bid: u64,
    bid_per_profile: f64,
    forward_per_profile: f64,
    identities_per_identifier: f64,
}

/// Runs the command.
///
/// # Errors
/// No such generation, or one that is damaged, of another format or another key.
pub fn run(args: &Args) -> Result<()> {
    let loaded = args.config.load()?;
    let store = Store::open(&loaded.config.data_dir)?;
    let generation = find_generation(&store, args.generation.map(Generation))?;
    let manifest = store.manifest(generation)?;
    let mut verified = None;
    if args.verify {
        let key = loaded.key_hasher(false)?;
        store.open_snapshot(generation, Planes::All, Some(&key))?;
        verified = Some(true);
    }
    let report = Report {
        bytes: sizes(&manifest),
        false_match_probability: false_match_probability(&store, &manifest)?,
        live: store.current()? == Some(generation),
        pinned: store.pinned()? == Some(generation),
        live_facts: live_facts(&store, &manifest),
        verified,
        manifest,
    };
    match args.format {
        Format::Json => print_json(&report),
        Format::Text => print(&text(&report)),
    }
}

fn sizes(manifest: &Manifest) -> Sizes {
    let length = |name: &str| manifest.section(name).map_or(0, |section| section.length);
    let per = |bytes: u64, things: u64| if things == 0 { 0.0 } else { bytes as f64 / things as f64 };
    let bid = manifest.bytes(Planes::Bid);
    Sizes {
        total: manifest.bytes(Planes::All),
        bid,
        bid_per_profile: per(bid, manifest.profiles.into()),
        forward_per_profile: per(length("forward"), manifest.profiles.into()),
        identities_per_identifier: per(length("identities") + length("filter"), manifest.bid_ids),
    }
}

fn false_match_probability(store: &Store, manifest: &Manifest) -> Result<f64> {
    let wanted: Vec<_> = manifest.section("identities").cloned().into_iter().collect();
    let sections = store.open_sections(&wanted)?;
    Ok(Identities::open(sections.section("identities")?)?.false_match_probability())
}

/// What became of the facts that a generation's index took in.
pub(super) fn live_facts(store: &Store, manifest: &Manifest) -> Option<LiveReport> {
    let sections = store.open_sections(&[manifest.section("provenance")?.clone()]).ok()?;
    Some(Provenance::open(sections.section("provenance").ok()?).ok()?.live)
}

fn live_facts_line(live: &LiveReport) -> String {
    let unknown: u64 = live.unknown.values().sum();
    let mut line = format!("{} ({} carried over, {} new)", figures::count(live.kept), live.carried, live.fresh);
    if unknown > 0 {
        let names: Vec<&str> = live.unknown.keys().map(String::as_str).take(5).collect();
        line += &format!("; {unknown} of names or values the configuration does not know ({})", names.join(", "));
    }
    line
}

fn text(report: &Report) -> String {
    let manifest = &report.manifest;
    let state = match (report.live, report.pinned) {
        (true, true) => " (live, pinned by a rollback)",
        (true, false) => " (live)",
        _ => "",
    };
    let frozen = if manifest.frozen { " (frozen by the configuration)" } else { "" };
    let mut out = format!("Generation {}{state}\n", manifest.generation);
    let facts = [
        ("created", manifest.created.to_string()),
        ("as of", format!("{}{frozen}", manifest.as_of)),
        ("time zone", manifest.timezone.clone()),
        ("format", manifest.format.to_string()),
        ("key", manifest.key_fingerprint.clone()),
        ("catalogue", manifest.catalogue_version.clone()),
        ("index of", format!("generation {}", manifest.index_of)),
        ("log cuts", format!("events {}, control {}", manifest.events_cut, manifest.control_cut)),
        ("live facts", report.live_facts.as_ref().map_or("-".to_owned(), live_facts_line)),
        ("profiles", figures::count(manifest.profiles.into())),
        ("bid identifiers", figures::count(manifest.bid_ids)),
        ("precedence", manifest.precedence.join(", ")),
        ("false match", format!("{:.1e} per unknown lookup", report.false_match_probability)),
    ];
    for (name, value) in facts {
        out.push_str(&format!("  {name:<16}{value}\n"));
    }
    out.push_str(&sections(report));
    out.push_str(&audiences(manifest));
    out.push_str(&sources(manifest));
    if !manifest.timings.is_empty() {
        let timings = manifest.timings.iter().map(|(phase, took)| vec![phase.clone(), figures::seconds(*took)]);
        out.push_str(&format!("\nBuilt in\n{}", figures::table(&timings.collect::<Vec<_>>())));
    }
    if report.verified == Some(true) {
        let bytes = figures::bytes(report.bytes.total);
        out.push_str(&format!(
            "\nVerified: the manifest, the key and {bytes} in {} sections.\n",
            manifest.sections.len()
        ));
    }
    out
}

fn sections(report: &Report) -> String {
    let (manifest, sizes) = (&report.manifest, &report.bytes);
    let mut rows = vec![["section", "plane", "size", "a profile", "xxh3"].map(str::to_owned).to_vec()];
    rows.extend(manifest.sections.iter().map(|section| {
        let per_profile = section.length as f64 / f64::from(manifest.profiles.max(1));
        let plane = format!("{:?}", section.plane).to_lowercase();
        let hash = section.xxh3.chars().take(12).collect();
        vec![section.name.clone(), plane, figures::bytes(section.length), format!("{per_profile:.1} B"), hash]
    }));
    format!(
        "\nSections: {}, of which {} for the bid plane: {:.1} B a profile\n{}  forward: {:.1} B a profile; identities with filter: {:.1} B an identifier\n",
        figures::bytes(sizes.total),
        figures::bytes(sizes.bid),
        sizes.bid_per_profile,
        figures::table(&rows),
        sizes.forward_per_profile,
        sizes.identities_per_identifier,
    )
}

/// The audiences of a generation as a table.
pub(super) fn audiences(manifest: &Manifest) -> String {
    let mut rows = vec![["audience", "kind", "members", "share", ""].map(str::to_owned).to_vec()];
    rows.extend(manifest.audiences.iter().map(|audience| {
        vec![
            audience.id.to_string(),
            audience.kind.clone(),
            figures::count(audience.members),
            figures::share(audience.members, manifest.profiles.into()),
            audience.flagged.clone().unwrap_or_default(),
        ]
    }));
    format!("\nAudiences: {}\n{}", manifest.audiences.len(), figures::table(&rows))
}

/// What was read of each source, as a table.
pub(super) fn sources(manifest: &Manifest) -> String {
    let field = |source: &serde_json::Value, name: &str| source[name].as_u64().map_or("-".to_owned(), figures::count);
    let mut rows = vec![["source", "files", "rows", "accepted", "expired", "rejected", ""].map(str::to_owned).to_vec()];
    rows.extend(manifest.sources.iter().map(|source| {
        let mut row = vec![source["name"].as_str().unwrap_or("-").to_owned()];
        row.extend(["files", "rows", "accepted", "expired", "rejected"].map(|name| field(source, name)));
        row.push(if source["stale"] == true { "stale" } else { "" }.to_owned());
        row
    }));
    format!("\nSources: {}\n{}", manifest.sources.len(), figures::table(&rows))
}
