//! `vaglio reach`: how many people a rule, an audience or a definition reaches, by identifier type and by traits; and how several
//! overlap. Without a server, over the columns of a generation.

use super::{ConfigArg, Format, find_generation, print, print_json};
use crate::access::Who;
use crate::error::{Error, Result};
use crate::evaluate::survey::Watch;
use crate::lookup::ServingSnapshot;
use crate::planner::View;
use crate::planner::protect::{Protect, Told};
use crate::planner::see::overlap::{self, overlap};
use crate::planner::see::reach::{self, reach};
use crate::planner::see::{Ground, Named, Over, Remark, Wrong};
use crate::schema::Generation;
use crate::snapshot::{Planes, Store};
use serde_json::value::{RawValue, to_raw_value};
use std::path::{Path, PathBuf};

/// Say how many people a rule, an audience or a definition reaches
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vaglio reach 'age between 25 and 44 and did device_broken within 7 days' --by region
  vaglio reach --audience acme/vip --by age --by plan
  vaglio reach --file draft.yaml                       a definition that is not published yet
  vaglio reach 'age >= 18' --overlap acme/vip,acme/buyers")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// The generation; default the live one
    #[arg(long, short, value_name = "N")]
    generation: Option<u64>,
    /// A rule as planners write it
    #[arg(value_name = "RULE", required_unless_present_any = ["audience", "file", "overlap"])]
    rule: Option<String>,
    /// A published audience: owner/id
    #[arg(long, value_name = "ID", conflicts_with = "rule")]
    audience: Option<String>,
    /// A file with the definition of one audience or campaign
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rule", "audience"])]
    file: Option<PathBuf>,
    /// Count by the values of a trait, too
    #[arg(long, value_name = "TRAIT", value_delimiter = ',')]
    by: Vec<String>,
    /// How it overlaps with these audiences
    #[arg(long, value_name = "ID", value_delimiter = ',', conflicts_with = "by")]
    overlap: Vec<String>,
    /// Whose audiences a rule means by names without an owner
    #[arg(long)]
    owner: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The same as `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// No generation, a refused one, or everything that is wrong with the question.
pub fn run(args: &Args) -> Result<()> {
    let loaded = args.config.load()?;
    let store = Store::open(&loaded.config.data_dir)?;
    let generation = find_generation(&store, args.generation.map(Generation))?;
    let keys = loaded.key_hasher(false)?;
    let serving = ServingSnapshot::new(store.open_snapshot(generation, Planes::All, Some(&keys))?)?;
    let view = View::of(serving, loaded.zone())?;
    let who = Who { name: "command line".to_owned(), owner: None, role: None };
    let (watch, protect) = (Watch::default(), Protect::default());
    let ground = Ground {
        view: &view,
        loaded: &loaded,
        who: &who,
        watch: &watch,
        protect: &protect,
        keys: &keys,
        now: loaded.clock().now(),
        seen: &|_| None,
        overlay: None,
        blocked: None,
    };
    let definition = args.file.as_deref().map(definition).transpose()?;
    let json = args.json || args.format == Format::Json;
    if args.overlap.is_empty() {
        let question = reach::Question {
            rule: args.rule.clone(),
            audience: args.audience.clone(),
            definition,
            owner: args.owner.clone(),
            seen_days: None,
            by: args.by.clone(),
        };
        let answer = reach(&ground, question).map_err(Wrong::into_error)?;
        return if json { print_json(&answer) } else { print(&of_reach(&answer)) };
    }
    let owner = || args.owner.clone();
    let named = args.rule.is_some() || args.audience.is_some() || definition.is_some();
    let first = Named { rule: args.rule.clone(), audience: args.audience.clone(), definition, owner: owner() };
    let others = args.overlap.iter().cloned();
    let others = others.map(|id| Named { audience: Some(id), owner: owner(), ..Named::default() });
    let sets = named.then_some(first).into_iter().chain(others).collect();
    let answer = overlap(&ground, &overlap::Question { sets }).map_err(Wrong::into_error)?;
    if json { print_json(&answer) } else { print(&of_overlap(&answer)) }
}

fn definition(file: &Path) -> Result<Box<RawValue>> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Error::usage(format!("cannot read {}: {error}", file.display())).caused_by(error))?;
    to_raw_value(&text).map_err(|error| Error::internal("a text is JSON").caused_by(error))
}

fn of_reach(answer: &reach::Answer) -> String {
    let mut rows = vec![row("reach", answer.told, answer.share)];
    if !answer.by_id_type.is_empty() {
        rows.push(title("by identifier type"));
        let share = |told: Told| answer.told.count.and_then(|whole| told.share(whole));
        rows.extend(answer.by_id_type.iter().map(|it| row(&format!("  {}", it.id_type), it.told, share(it.told))));
    }
    for breakdown in &answer.breakdown {
        rows.push(title(&format!("by {}", breakdown.name)));
        rows.extend(breakdown.parts.iter().map(|part| row(&format!("  {}", part.value), part.told, part.share)));
        if breakdown.left_out > 0 {
            rows.push(title(&format!("  and {} values more", breakdown.left_out)));
        }
    }
    aligned(&rows) + &remarks(&answer.lint) + &over(&answer.over)
}

fn of_overlap(answer: &overlap::Answer) -> String {
    let letter = |at: usize| char::from(b'A' + at as u8);
    let mut rows = vec![title("sets")];
    let sets = answer.sets.iter().enumerate();
    rows.extend(sets.map(|(at, set)| row(&format!("  {} {}", letter(at), set.label), set.told, set.share)));
    rows.push(title("in both"));
    for (a, line) in answer.pairs.iter().enumerate() {
        for (b, told) in line.iter().enumerate().skip(a + 1) {
            let of_smaller = told.share(line[a].count.unwrap_or(0).min(answer.pairs[b][b].count.unwrap_or(0)));
            rows.push(row(&format!("  {} and {}", letter(a), letter(b)), *told, of_smaller));
        }
    }
    rows.push(title("in exactly"));
    for exclusive in &answer.exclusive {
        let names: Vec<String> = exclusive.sets.iter().map(|at| letter(*at).to_string()).collect();
        rows.push(row(&format!("  {}", names.join(" ")), exclusive.told, exclusive.told.share(answer.over.profiles)));
    }
    aligned(&rows) + &over(&answer.over)
}

/// A label, a count and a share.
type Row = (String, String, String);

fn title(text: &str) -> Row {
    (text.to_owned(), String::new(), String::new())
}

fn row(label: &str, told: Told, share: Option<f64>) -> Row {
    let count = told.count.map_or("few".to_owned(), thousands);
    (label.to_owned(), count, share.map_or(String::new(), |share| format!("{:.1} %", share * 100.0)))
}

/// `1,234,567`
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn aligned(rows: &[Row]) -> String {
    let width = |of: fn(&Row) -> &String| rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0);
    let (first, second, third) = (width(|row| &row.0), width(|row| &row.1), width(|row| &row.2));
    let line = |(label, count, share): &Row| {
        let line = format!("{label:<first$}  {count:>second$}  {share:>third$}");
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

fn remarks(remarks: &[Remark]) -> String {
    let line = |remark: &Remark| {
        let help = remark.help.iter().map(|help| format!("  help: {help}\n")).collect::<String>();
        format!("{} at {}:{}: {}\n{help}", remark.severity, remark.line, remark.column, remark.message)
    };
    remarks.iter().map(line).collect()
}

fn over(over: &Over) -> String {
    let Over { generation, as_of, profiles, took_ms } = over;
    format!("generation {generation} at {as_of}, {} profiles, {took_ms:.1} ms\n", thousands(*profiles))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_below_each_other() {
        let rows = [
            row("reach", Told::exactly(1_234_567), Some(0.5)),
            title("by plan"),
            row("  gold", Told::exactly(7), None),
        ];
        assert_eq!(aligned(&rows), "reach    1,234,567  50.0 %\nby plan\n  gold           7\n");
    }
}
