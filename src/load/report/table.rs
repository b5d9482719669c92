//! A run as text for a terminal: the phases in columns, what failed, the goals, what a reader must know.
//!
//! Names and messages come from files and servers: control characters in them are shown, not obeyed.

use super::figures::{bytes, count, milliseconds, rate, seconds};
use crate::load::measured::{Measured, Run};
use std::fmt::Write;

/// A column: what is above it (two lines), and what is in it.
type Column = ([&'static str; 2], fn(&Measured) -> String);

const COLUMNS: [Column; 16] = [
    (["offered", "/s"], |it| rate(it.offered_per_second)),
    (["accepted", "/s"], |it| rate(super::goodput(it))),
    (["late", ""], |it| count(it.counts.too_late)),
    (["shed", ""], |it| count(it.counts.shed)),
    (["unsent", ""], |it| count(it.counts.unsent)),
    (["unanswered", ""], |it| count(it.counts.unanswered)),
    (["errors", ""], |it| count(it.counts.errors)),
    (["p50", "ms"], |it| waited(it, it.latency.p50_us)),
    (["p90", "ms"], |it| waited(it, it.latency.p90_us)),
    (["p99", "ms"], |it| waited(it, it.latency.p99_us)),
    (["p99.9", "ms"], |it| waited(it, it.latency.p999_us)),
    (["max", "ms"], |it| waited(it, it.latency.max_us)),
    (["wrong", "verdicts"], wrong),
    (["unknown", "verdicts"], |it| if it.counts.checked == 0 { none() } else { count(it.counts.unknown_verdicts) }),
    (["server CPU", "us/accepted"], |it| super::cpu_us_per_accepted(it).map_or_else(none, |us| format!("{us:.1}"))),
    (["server", "memory"], |it| it.server_resident_bytes.map_or_else(none, bytes)),
];

/// The columns that are left out where they are nought in every phase.
const RARE: [&str; 2] = ["late", "unknown"];

/// A run, aligned, with units; ends in a line break.
pub fn table(run: &Run) -> String {
    let mut out = String::new();
    head(run, &mut out);
    phases(run, &mut out);
    if let Some(peak) = run.peak {
        let (held, goodput) = (peak.sustained_per_second, rate(peak.goodput_per_second));
        let held = match held {
            0.0 => "the goals held at no rate".to_owned(),
            held => format!("the goals held up to {}/s", rate(held)),
        };
        let _ = writeln!(out, "\n{held}; the highest goodput was {goodput}/s");
    }
    failures(run, &mut out);
    verdicts(run, &mut out);
    if !run.remarks.is_empty() {
        out.push('\n');
    }
    for remark in &run.remarks {
        let _ = writeln!(out, "note: {}", shown(remark));
    }
    out
}

fn head(run: &Run, out: &mut String) {
    let workload = &run.workload;
    let _ = writeln!(out, "{}: {}", shown(&workload.name), super::asked(workload));
    let about: Vec<String> =
        run.generator.iter().map(|(key, value)| format!("{} {}", shown(key), shown(value))).collect();
    let _ = writeln!(out, "began {}, seed {}; {}", shown(&run.began), workload.seed, about.join(", "));
    let late = run.phases.iter().map(|it| it.generator_late_p99_us).max().unwrap_or(0);
    let _ = writeln!(
        out,
        "latency counts from the intended start; the generator itself was {} ms late (p99)",
        milliseconds(late)
    );
}

fn phases(run: &Run, out: &mut String) {
    if run.phases.is_empty() {
        out.push_str("\nno phase was run\n");
        return;
    }
    let columns: Vec<&Column> = COLUMNS.iter().filter(|column| wanted(column, run)).collect();
    let mut rows = vec![vec![String::new(), String::new()], vec![String::new(), String::new()]];
    for ([above, below], _) in &columns {
        rows[0].push((*above).to_owned());
        rows[1].push((*below).to_owned());
    }
    "phase".clone_into(&mut rows[1][0]);
    "lasted".clone_into(&mut rows[1][1]);
    for phase in &run.phases {
        let name = if phase.step { format!("  {}", shown(&phase.name)) } else { shown(&phase.name) };
        let cells = columns.iter().map(|(_, cell)| cell(phase));
        rows.push([name, seconds(phase.seconds)].into_iter().chain(cells).collect());
    }
    out.push('\n');
    align(&rows, 1, out);
}

fn wanted((head, cell): &Column, run: &Run) -> bool {
    run.phases.iter().any(|phase| match cell(phase).as_str() {
        "-" => head[1] == "ms",
        "0" => !RARE.contains(&head[0]),
        _ => true,
    })
}

fn failures(run: &Run, out: &mut String) {
    for phase in &run.phases {
        for (kind, (times, first)) in &phase.failures {
            let _ = writeln!(
                out,
                "failed in {}: {} x {}: {}",
                shown(&phase.name),
                count(*times),
                shown(kind),
                shown(first)
            );
        }
    }
}

fn verdicts(run: &Run, out: &mut String) {
    if run.verdicts.is_empty() {
        out.push_str("\nno goals were set\n");
        return;
    }
    let rows: Vec<Vec<String>> = run
        .verdicts
        .iter()
        .map(|verdict| {
            let phase = if verdict.phase.is_empty() { "whole run".to_owned() } else { shown(&verdict.phase) };
            let met = if verdict.met { "met" } else { "MISSED" };
            vec![met.to_owned(), phase, shown(&verdict.goal), shown(&verdict.found)]
        })
        .collect();
    out.push('\n');
    align(&rows, 4, out);
}

/// Rows in columns, two blanks apart: so many of the first to the left, the others to the right.
fn align(rows: &[Vec<String>], left: usize, out: &mut String) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let wide =
        |at| rows.iter().filter_map(|row| row.get(at)).map(|cell: &String| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(wide).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells
            .map(|(at, (cell, &width))| if at < left { format!("{cell:<width$}") } else { format!("{cell:>width$}") });
        let line = cells.collect::<Vec<_>>().join("  ");
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

fn waited(phase: &Measured, us: u64) -> String {
    if phase.latency.count == 0 { none() } else { milliseconds(us) }
}

fn wrong(phase: &Measured) -> String {
    if phase.counts.checked == 0 { none() } else { count(super::wrong(&phase.counts)) }
}

fn none() -> String {
    "-".to_owned()
}

/// Without anything that a terminal would obey.
fn shown(text: &str) -> String {
    text.chars().flat_map(|it| if it.is_control() { it.escape_debug().collect::<Vec<_>>() } else { vec![it] }).collect()
}
