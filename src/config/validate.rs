//! What no single field can know to be wrong: contradictions, duplicates and missing partners, over the whole at once.
//! What concerns one source alone is in `validate_source`, what concerns callers in `validate_callers`,
//! what comes by the doors in `validate_ingest`, where audiences are exported to in `validate_destinations`.

use super::declare::{has_type_columns, id_types};
use super::decode::{path_name, placed};
use super::model::{Config, Source};
use super::serving::{Privacy, Server};
use super::tree::{Node, Step};
use super::validate_callers::check_callers;
use super::validate_destinations::check_destinations;
use super::validate_ingest::check_ingest;
use super::validate_source::check_source;
use crate::error::Problem;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Checks a configuration. `tree` is the file as written, for the places; `sources` tells for every source its position
/// in the file and whether it is broken (then what follows from that is not reported).
pub(super) fn validate(config: &Config, tree: &Node, sources: &[(usize, bool)]) -> Vec<Problem> {
    let mut report = Report { tree, base: Vec::new(), problems: Vec::new() };
    check_top(config, &mut report);
    check_server(&config.server, &mut report);
    check_origins(&config.prebid.origins, &mut report);
    check_privacy(&config.privacy, &mut report);
    check_callers(config, &mut report);
    check_destinations(&config.destinations, &mut report);
    let whole: Vec<(usize, &Source)> = config
        .sources
        .iter()
        .zip(sources)
        .filter(|(_, (_, broken))| !broken)
        .map(|(source, (at, _))| (*at, source))
        .collect();
    for (at, source) in &whole {
        report.base = vec!["sources".into(), (*at).into()];
        check_source(source, &mut report);
    }
    report.base.clear();
    check_names(&whole, &mut report);
    check_kinds(&whole, &mut report);
    check_id_types(config, &whole, &mut report);
    check_ingest(config, &whole, &mut report);
    report.problems
}

/// Collects problems with their places.
pub(super) struct Report<'a> {
    tree: &'a Node,
    base: Vec<Step>,
    problems: Vec<Problem>,
}

impl Report<'_> {
    /// Something is wrong below the present base.
    pub fn wrong(&mut self, path: Vec<Step>, message: impl AsRef<str>, help: &str) {
        let path = [self.base.as_slice(), &path].concat();
        let message = format!("{}: {}", path_name(&path), message.as_ref());
        self.problems.push(placed(Problem::new(message).help(help), self.tree.place_of(&path)));
    }

    /// Requires something of a value below the present base.
    pub fn require(&mut self, holds: bool, path: Vec<Step>, message: &str, help: &str) {
        if !holds {
            self.wrong(path, message, help);
        }
    }
}

/// A path from its steps.
macro_rules! steps {
    ($($step:expr),*) => { vec![$($crate::config::tree::Step::from($step)),*] };
}
pub(super) use steps;

fn check_top(config: &Config, report: &mut Report) {
    if jiff::tz::TimeZone::get(&config.timezone).is_err() {
        let message = format!("`{}` is not a time zone", config.timezone);
        report.wrong(steps!["timezone"], message, "write an IANA name such as Europe/Rome, or UTC");
    }
    report.require(!config.data_dir.as_os_str().is_empty(), steps!["data_dir"], "is empty", "name a directory");
    for (at, pattern) in config.definitions.iter().enumerate() {
        if let Err(error) = glob::Pattern::new(pattern) {
            report.wrong(steps!["definitions", at], format!("`{pattern}` is not a pattern: {error}"), "");
        }
    }
    let build = &config.build;
    check_share(Some(build.max_rejected_share), steps!["build", "max_rejected_share"], report);
    report.require(
        build.keep_generations >= 1,
        steps!["build", "keep_generations"],
        "keeps nothing",
        "keep at least 1: the live generation; 2 or more make rollback possible",
    );
    report.require(
        (64..=1 << 30).contains(&build.max_row_bytes),
        steps!["build", "max_row_bytes"],
        "is out of range",
        "choose 64 to 1073741824 bytes",
    );
    report.require(build.threads <= 1_024, steps!["build", "threads"], "is more than 1024", "0 takes one per core");
    report.require(
        config.identity.max_ids_per_profile >= 2,
        steps!["identity", "max_ids_per_profile"],
        "would cut every profile to one identifier",
        "choose 2 or more; 64 is the default",
    );
}

fn check_server(server: &Server, report: &mut Report) {
    let listeners = [("grpc", server.grpc), ("http", server.http), ("planner", server.planner)];
    for (at, (name, address)) in listeners.iter().enumerate() {
        for (other_name, other) in &listeners[..at] {
            if clash(*address, *other) {
                let message = format!("{address} is the address of server.{other_name} too");
                report.wrong(steps!["server", *name], message, "give each listener a port of its own");
            }
        }
    }
    let at_least_one = [
        ("max_body_bytes", server.max_body_bytes),
        ("max_header_bytes", server.max_header_bytes),
        ("max_ids", server.max_ids),
        ("max_batch", server.max_batch),
        ("max_connections", server.max_connections),
        ("max_streams", server.max_streams as usize),
        ("max_in_flight", server.max_in_flight),
        ("idle_timeout_ms", server.idle_timeout_ms as usize),
        ("body_timeout_ms", server.body_timeout_ms as usize),
        ("write_timeout_ms", server.write_timeout_ms as usize),
    ];
    for (name, value) in at_least_one {
        report.require(value >= 1, steps!["server", name], "is 0, so nothing could be answered", "choose 1 or more");
    }
    let share = server.deadline.tmax_share;
    report.require(
        share > 0.0 && share <= 1.0,
        steps!["server", "deadline", "tmax_share"],
        "is not a share of the time there is",
        "write a number above 0, up to 1; 0.8 is the default",
    );
    for (section, tls) in [("tls", &server.tls), ("planner_tls", &server.planner_tls)] {
        report.require(
            tls.as_ref().is_none_or(|tls| !tls.client_required || tls.client_ca.is_some()),
            steps!["server", section, "client_required"],
            "requires certificates of clients, and no `client_ca` says who signs them",
            "name the PEM file with the authorities' certificates in `client_ca`",
        );
    }
    report.require(server.workers <= 1_024, steps!["server", "workers"], "is more than 1024", "0 takes one per core");
}

fn check_privacy(privacy: &Privacy, report: &mut Report) {
    let purposes = &privacy.purposes;
    let uses = [
        ("target", &purposes.target),
        ("suppress", &purposes.suppress),
        ("cap", &purposes.cap),
        ("insights", &purposes.insights),
    ];
    for (name, needed) in uses {
        let path = || steps!["privacy", "purposes", name];
        let help = "name those that the use rests on: without one nobody could refuse it";
        report.require(!needed.is_empty(), path(), "names no purpose", help);
        for (at, purpose) in needed.iter().enumerate() {
            let path = [path(), steps![at]].concat();
            report.require((1..=11).contains(purpose), path, "is no purpose of the TCF", "purposes are 1 to 11");
        }
    }
    for (at, purpose) in privacy.legitimate_interest.iter().enumerate() {
        report.require(
            matches!(purpose, 2 | 7..=11),
            steps!["privacy", "legitimate_interest", at],
            "can never rest on legitimate interest",
            "the TCF permits it for purposes 2 and 7 to 11",
        );
    }
    let vendor = privacy.tcf_vendor_id != Some(0);
    report.require(vendor, steps!["privacy", "tcf_vendor_id"], "is no vendor", "vendors are numbered from 1");
}

/// Browsers send the scheme, the host and, unless it is the scheme's own, the port.
fn check_origins(origins: &[String], report: &mut Report) {
    for (at, origin) in origins.iter().enumerate() {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let valid = host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', '?', '#', '@', ' ']));
        report.require(
            valid || origin == "*",
            steps!["prebid", "origins", at],
            "is not a web origin",
            "write it as browsers do, such as https://news.example, without a path; or \"*\" for all",
        );
    }
}

/// Port 0 takes any free port.
fn clash(a: SocketAddr, b: SocketAddr) -> bool {
    let same_ip = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && same_ip
}

/// A share lies between 0 and 1.
pub(super) fn check_share(share: Option<f64>, path: Vec<Step>, report: &mut Report) {
    let valid = share.is_none_or(|share| (0.0..=1.0).contains(&share));
    report.require(valid, path, "is not a share", "write a number from 0 to 1; 0.05 is five per cent");
}

fn check_names(sources: &[(usize, &Source)], report: &mut Report) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, source) in sources {
        if let Some(first) = seen.insert(&source.name, *at) {
            let message = format!("`{}` is the name of sources[{first}] too", source.name);
            report.wrong(steps!["sources", *at, "name"], message, "give each source a name of its own");
        }
    }
}

/// A trait, and a property of an event, is of one kind wherever it comes from.
fn check_kinds(sources: &[(usize, &Source)], report: &mut Report) {
    let mut traits = BTreeMap::new();
    let mut properties = BTreeMap::new();
    for (at, source) in sources {
        for (column_at, column) in source.traits.iter().enumerate() {
            let (kind, first) = *traits.entry(column.trait_name()).or_insert((column.kind, &source.name));
            if kind != column.kind {
                let message =
                    format!("trait `{}` is a {kind:?} in source `{first}`", column.trait_name()).to_lowercase();
                report.wrong(steps!["sources", *at, "traits", column_at, "kind"], message, "make the kinds agree");
            }
        }
        let events: Vec<&String> = source.event.iter().flat_map(|event| &event.names).collect();
        for (prop_at, prop) in source.properties.iter().enumerate() {
            for event in events.iter().filter(|name| prop.events.is_empty() || prop.events.contains(name)) {
                let key = (event.as_str(), prop.prop_name());
                let (kind, first) = *properties.entry(key).or_insert((prop.kind, &source.name));
                if kind != prop.kind {
                    let message = format!("property `{}` of `{event}` is a {kind:?} in source `{first}`", key.1);
                    let path = steps!["sources", *at, "properties", prop_at, "kind"];
                    report.wrong(path, message.to_lowercase(), "make the kinds agree, or name the properties apart");
                    break;
                }
            }
        }
    }
}

fn check_id_types(config: &Config, sources: &[(usize, &Source)], report: &mut Report) {
    let mut said: BTreeMap<String, (bool, &str)> = BTreeMap::new();
    for (at, source) in sources {
        for (id_at, id) in source.ids.iter().enumerate() {
            let Some(bid) = id.bid else { continue };
            let (first, where_said) = *said.entry(id.kind.to_lowercase()).or_insert((bid, &source.name));
            if first != bid {
                let message = format!("`{}` is `bid: {first}` in source `{where_said}`", id.kind);
                report.wrong(steps!["sources", *at, "ids", id_at, "bid"], message, "say the same in every source");
            }
        }
    }
    let types = id_types(&config.sources, &config.ingest, &config.identity.precedence);
    for (at, name) in config.identity.precedence.iter().enumerate() {
        let path = steps!["identity", "precedence", at];
        let known = types.iter().any(|known| known.name == name.to_lowercase());
        if !known && !has_type_columns(&config.sources) && sources.len() == config.sources.len() {
            let names: Vec<&str> = types.iter().map(|known| known.name.as_str()).collect();
            report.wrong(
                path,
                format!("no source has identifiers of type `{name}`"),
                &format!("known: {}", names.join(", ")),
            );
        } else if config.identity.precedence[..at].iter().any(|earlier| earlier.eq_ignore_ascii_case(name)) {
            report.wrong(path, format!("`{name}` stands there twice"), "");
        }
    }
}
