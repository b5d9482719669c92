//! Checks, before anything is read, that every file has the configured columns; says all that lack at once.

use super::files::{Format, InputFile};
use super::from_csv;
use super::plan::Plan;
use super::rejects::Reason;
use crate::config::Loaded;
use crate::error::{Error, Problem, Result};

/// Whether every file has what its source's plan reads.
///
/// # Errors
/// All missing columns of all files, with what they may have been meant to be.
pub(super) fn check(loaded: &Loaded, plans: &[Plan], files: &[InputFile]) -> Result<()> {
    let mut problems = Vec::new();
    for file in files {
        let plan = &plans[file.source];
        let source = &loaded.config.sources[file.source].name;
        match names(file, plan, source)? {
            Names::Unknown => {}
            Names::Are(names) => problems.extend(missing(plan, &names).into_iter().map(|p| p.in_file(&file.name))),
            Names::Unreadable(reason) => problems.push(
                Problem::new(format!("the header cannot be read: {reason}"))
                    .in_file(&file.name)
                    .help("check that the file is CSV text in UTF-8 with a line of column names"),
            ),
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    let count = problems.len();
    problems.truncate(20);
    if count > problems.len() {
        problems.push(Problem::new(format!("and {} more", count - problems.len())));
    }
    Err(Error::input("the sources do not have the configured columns; nothing was read").with_problems(problems))
}

enum Names {
    Are(Vec<String>),
    /// An empty file, or a format without a header.
    Unknown,
    Unreadable(Reason),
}

fn names(file: &InputFile, plan: &Plan, source: &str) -> Result<Names> {
    match file.format {
        Format::Ndjson => Ok(Names::Unknown),
        Format::Csv => {
            let header = || from_csv::records(plan, file.open(None)?)?.header();
            Ok(match header().map_err(|error| file.unreadable(source, error))? {
                Ok(Some(names)) => Names::Are(names),
                Ok(None) => Names::Unknown,
                Err(reason) => Names::Unreadable(reason),
            })
        }
        #[cfg(feature = "lake")]
        Format::Parquet => super::from_parquet::names(file, source).map(Names::Are),
    }
}

fn missing(plan: &Plan, names: &[String]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for column in &plan.columns {
        match names.iter().filter(|name| *name == column).count() {
            1 => {}
            0 => {
                let problem = Problem::new(format!("no column `{column}`; there are {}", listed(names)));
                problems.push(match help(plan, column, names) {
                    Some(help) => problem.help(help),
                    None => problem,
                });
            }
            _ => problems.push(
                Problem::new(format!("the column `{column}` stands there twice"))
                    .help("rename one of them in the file"),
            ),
        }
    }
    problems
}

fn help(plan: &Plan, column: &str, names: &[String]) -> Option<String> {
    let delimiter = char::from(plan.delimiter);
    if let [only] = names
        && let Some(other) =
            [';', '\t', '|', ','].into_iter().find(|other| *other != delimiter && only.contains(*other))
    {
        return Some(format!("the columns look separated by {other:?}: set `delimiter` in the source"));
    }
    let distance = |name: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &column.to_lowercase());
    let nearest = names.iter().min_by_key(|name| distance(name))?;
    (distance(nearest) <= column.chars().count().div_ceil(3)).then(|| format!("did you mean `{nearest}`?"))
}

fn listed(names: &[String]) -> String {
    let mut shown: Vec<_> = names.iter().take(20).map(|name| format!("`{name}`")).collect();
    if names.len() > shown.len() {
        shown.push(format!("and {} more", names.len() - shown.len()));
    }
    shown.join(", ")
}
