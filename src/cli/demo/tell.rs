//! How the tour looks: headings, aligned tables, rule trees. No content.

use crate::access::credentials::DEMO_KEY;
use crate::cli::figures;
use crate::evaluate::Tree;
use crate::server::Addresses;
use crate::snapshot::Manifest;
use std::path::Path;
use std::time::Duration;

/// A numbered heading, underlined.
pub(super) fn heading(number: u32, title: &str) -> String {
    let line = format!("{number}. {title}");
    format!("\n{line}\n{}\n", "-".repeat(line.chars().count()))
}

/// A name, a figure, what it means.
pub(super) fn three_columns(rows: &[(&str, String, String)]) -> String {
    let width = |of: &dyn Fn(&(&str, String, String)) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let (first, second) = (width(&|row| row.0.chars().count()), width(&|row| row.1.chars().count()));
    let line = |(name, figure, what): &(&str, String, String)| {
        format!("  {}\n", format!("{name:<first$}  {figure:<second$}  {what}").trim_end())
    };
    rows.iter().map(line).collect()
}

/// The widest line of a tree that keeps its facts beside it.
const WIDE: usize = 110;

/// A rule's tree: whether each part holds, and what is known: beside the part, or below it where that is too wide.
pub(super) fn tree(tree: &Tree) -> String {
    let mut lines = Vec::new();
    gather(tree, 0, &mut lines);
    let with_facts = lines.iter().filter(|(_, fact)| !fact.is_empty());
    let width = with_facts.clone().map(|(text, _)| text.chars().count()).max().unwrap_or(0);
    let longest = with_facts.map(|(_, fact)| fact.chars().count()).max().unwrap_or(0);
    let line = |(text, fact): (String, &str)| match fact {
        "" => format!("  {text}\n"),
        _ if width + longest > WIDE => format!("  {text}\n{}<- {fact}\n", " ".repeat(12)),
        _ => format!("  {text:<width$}  <- {fact}\n"),
    };
    lines.into_iter().map(line).collect()
}

fn gather<'t>(tree: &'t Tree, depth: usize, lines: &mut Vec<(String, &'t str)>) {
    let mark = if tree.truth { "yes" } else { "no " };
    lines.push((format!("  {mark}  {}{}", "  ".repeat(depth), tree.text.replace('\n', " ")), tree.fact.as_str()));
    for part in &tree.parts {
        gather(part, depth + 1, lines);
    }
}

/// The largest and the smallest of either kind, with their share of everybody.
pub(super) fn some_audiences(manifest: &Manifest) -> String {
    let mut rows = Vec::new();
    for kind in ["target", "suppress"] {
        let mut of_kind: Vec<_> = manifest.audiences.iter().filter(|audience| audience.kind == kind).collect();
        of_kind.sort_by_key(|audience| std::cmp::Reverse(audience.members));
        let last = of_kind.len().saturating_sub(1);
        let mut shown: Vec<usize> = [0, last / 4, last / 2, last * 3 / 4, last].to_vec();
        shown.dedup();
        for audience in shown.into_iter().filter_map(|at| of_kind.get(at)) {
            let share = figures::share(audience.members, manifest.profiles.into());
            rows.push(vec![audience.id.to_string(), kind.to_owned(), figures::count(audience.members), share]);
        }
    }
    figures::table(&rows)
}

/// What to try next. `somebody`: arguments of `vaglio explain`.
pub(super) fn invitation(
    at: &Addresses,
    directory: &Path,
    somebody: Option<&str>,
    took: Duration,
    once: bool,
) -> String {
    let (http, console, directory) = (at.http, at.planner, directory.display());
    let explain = somebody.map(|arguments| format!("  vaglio explain --config {directory}/vaglio.yaml {arguments}\n"));
    let seconds = figures::seconds(took.as_secs_f64());
    let end = if once { "Without --once the server stays." } else { "Serving until Ctrl-C." };
    format!(
        "  shuf -n 1 {directory}/lookups.ndjson | curl -s -d @- http://{http}/v1/lookup
  shuf -n 1 {directory}/lookups.ndjson | curl -s -d @- http://{http}/v1/decide
{}  vaglio inspect --config {directory}/vaglio.yaml
  Change a rule in {directory}/definitions/audiences.yaml and run the demo again: only the rules are evaluated anew.
  The console: http://{console}/ in a browser. This machine needs no key until you make one; to sign in, {DEMO_KEY}
  The tour took {seconds}. {end}\n",
        explain.unwrap_or_default(),
    )
}
