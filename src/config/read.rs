//! Reads any other YAML file of ours as the configuration is read: every mistake at once, each with its line and column.

use super::decode::{self, path_name, placed};
use super::tree::{Node, Step, Value, parse};
use crate::error::{Error, Problem, Result};
use serde::de::DeserializeOwned;
use std::path::Path;

/// More bytes than anybody writes by hand.
const MAX_BYTES: u64 = 16 << 20;

/// Reads a YAML file. `what` names its kind in messages (`workload`); `check` finds what no single field can know to be
/// wrong, and says so to [`Written`], which knows where everything stood.
///
/// # Errors
/// A file that cannot be read, or every unknown key, wrong type, missing value and contradiction in it, all at once.
pub fn read<T: DeserializeOwned>(file: &Path, what: &str, check: impl FnOnce(&T, &mut Written)) -> Result<T> {
    from_text(&text(file, what)?, file, what, check)
}

fn text(file: &Path, what: &str) -> Result<String> {
    let cannot = |error: std::io::Error| {
        let why = match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
            _ => error.to_string(),
        };
        Error::usage(format!("cannot read the {what} {}: {why}", file.display())).caused_by(error)
    };
    let length = std::fs::metadata(file).map_err(cannot)?.len();
    if length > MAX_BYTES {
        let message = format!("the {what} {} has {length} bytes; it may have at most {MAX_BYTES}", file.display());
        return Err(Error::usage(message));
    }
    std::fs::read_to_string(file).map_err(cannot)
}

/// As [`read`], from the text; `file` is its name in messages.
///
/// # Errors
/// As [`read`].
pub fn from_text<T: DeserializeOwned>(
    text: &str,
    file: &Path,
    what: &str,
    check: impl FnOnce(&T, &mut Written),
) -> Result<T> {
    let mut tree = parse(text).map_err(|problem| wrong(file, what, vec![problem]))?;
    let mut mistakes = Vec::new();
    let decoded: Option<T> = decode::decode(&mut tree, &mut mistakes);
    let mut problems: Vec<Problem> = mistakes.into_iter().map(|(_, problem)| problem).collect();
    if let Some(value) = &decoded {
        let mut written = Written { tree, problems: Vec::new() };
        check(value, &mut written);
        problems.append(&mut written.problems);
    }
    problems.sort_by_key(|problem| problem.position);
    match decoded {
        Some(value) if problems.is_empty() => Ok(value),
        _ => Err(wrong(file, what, problems)),
    }
}

fn wrong(file: &Path, what: &str, problems: Vec<Problem>) -> Error {
    let count = match problems.len() {
        1 => "a mistake".to_owned(),
        n => format!("{n} mistakes"),
    };
    Error::usage(format!("the {what} {} has {count}:", file.display()))
        .with_problems(problems.into_iter().map(|problem| problem.in_file(file)).collect())
}

/// The file as it was written, to say what is wrong in it.
pub struct Written {
    tree: Node,
    problems: Vec<Problem>,
}

impl Written {
    /// Whether there is something at a path such as `arrivals.phases[2].seconds`.
    pub fn has(&self, path: &str) -> bool {
        let found = self.steps(path).iter().try_fold(&self.tree, |node, step| node.child(step));
        found.is_some_and(|node| !matches!(node.value, Value::Null | Value::Hole | Value::Skipped))
    }

    /// Something is wrong at a path. An index counts the elements that could be read. What was reported missing or
    /// unreadable is not reported again.
    pub fn wrong(&mut self, path: &str, message: impl AsRef<str>, help: &str) {
        let steps = self.steps(path);
        let mut node = &self.tree;
        for step in &steps {
            match node.child(step) {
                Some(child) => node = child,
                None => break,
            }
        }
        if matches!(node.value, Value::Hole) {
            return;
        }
        let name = path_name(&steps);
        let message =
            if name.is_empty() { message.as_ref().to_owned() } else { format!("{name}: {}", message.as_ref()) };
        let problem = placed(Problem::new(message).help(help), &node.place);
        self.problems.push(problem);
    }

    /// The steps of a path, every index moved past the elements that were reported wrong.
    fn steps(&self, path: &str) -> Vec<Step> {
        let mut node = Some(&self.tree);
        let mut steps = Vec::new();
        for part in path.split(['.', '[']).filter(|part| !part.is_empty()) {
            let step = match part.strip_suffix(']').and_then(|index| index.parse::<usize>().ok()) {
                Some(index) => Step::Index(node.map_or(index, |node| nth_read(node, index))),
                None => Step::Key(part.to_owned()),
            };
            node = node.and_then(|node| node.child(&step));
            steps.push(step);
        }
        steps
    }
}

/// The position in the file of the `index`-th element that could be read.
fn nth_read(node: &Node, index: usize) -> usize {
    let Value::Seq(nodes) = &node.value else { return index };
    let read = nodes.iter().enumerate().filter(|(_, node)| !matches!(node.value, Value::Skipped));
    read.map(|(at, _)| at).nth(index).unwrap_or(index)
}
