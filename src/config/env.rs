//! `VAGLIO_...` overrides: two underscores go one level down, `VAGLIO_SERVER__HTTP=0.0.0.0:8080` is `server.http`.
//!
//! A value is text as it stands; one that opens with `[`, `{` or a quote is read as YAML (and so as JSON). List elements
//! go by number: `VAGLIO_SOURCES__0__PATH`.

use super::tree::{Entry, Node, Place, Step, Value, parse};
use crate::error::Problem;

/// Not settings: the log filter, and what tests and benches read.
const RESERVED: [&str; 6] = ["LOG", "LOG_", "CONFIG", "BENCH_", "REQUIRE_", "TEST_"];

/// Lays the overrides over the file's tree. Unknown keys are found when the tree is read.
pub(super) fn apply(root: &mut Node, variables: impl Iterator<Item = (String, String)>, problems: &mut Vec<Problem>) {
    let mut overrides: Vec<(String, String)> = variables
        .filter_map(|(name, value)| Some((name.strip_prefix("VAGLIO_")?.to_owned(), value)))
        .filter(|(name, _)| !RESERVED.iter().any(|word| name == word || word.ends_with('_') && name.starts_with(word)))
        .collect();
    overrides.sort();
    for (name, value) in overrides {
        let variable = format!("VAGLIO_{name}");
        let node = match read(&variable, &value) {
            Ok(node) => node,
            Err(message) => {
                problems.push(Problem::new(format!("environment variable {variable}: {message}")));
                continue;
            }
        };
        let path: Vec<&str> = name.split("__").collect();
        if let Err(message) = set(root, &path, node) {
            problems.push(Problem::new(format!("environment variable {variable}: {message}")));
        }
    }
}

fn read(variable: &str, value: &str) -> Result<Node, String> {
    let value = value.trim();
    let place = Place::Env(variable.to_owned());
    if value.starts_with(['[', '{', '"', '\'']) {
        let mut node = parse(value).map_err(|problem| problem.message)?;
        settle(&mut node, &place);
        return Ok(node);
    }
    let value = match value {
        "" | "~" | "null" => Value::Null,
        text => Value::Scalar(text.to_owned()),
    };
    Ok(Node { place, value })
}

/// Lines of a variable's value would read like lines of the file.
fn settle(node: &mut Node, place: &Place) {
    node.place = place.clone();
    match &mut node.value {
        Value::Seq(nodes) => nodes.iter_mut().for_each(|node| settle(node, place)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| {
            entry.place = place.clone();
            settle(&mut entry.node, place);
        }),
        _ => {}
    }
}

fn set(root: &mut Node, path: &[&str], node: Node) -> Result<(), String> {
    let Some((first, rest)) = path.split_first() else {
        *root = node;
        return Ok(());
    };
    let key = first.to_lowercase();
    if matches!(root.value, Value::Null) {
        root.value = Value::Map(Vec::new());
    }
    match &mut root.value {
        Value::Map(entries) => {
            let at = entries.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
                let place = node.place.clone();
                entries.push(Entry { key, place: place.clone(), node: Node { place, value: Value::Null } });
                entries.len() - 1
            });
            set(&mut entries[at].node, rest, node)
        }
        Value::Seq(nodes) => {
            let length = nodes.len();
            match first.parse::<usize>().ok().and_then(|index| root.child_mut(&Step::Index(index))) {
                Some(child) => set(child, rest, node),
                None => Err(format!("there is no element `{first}`; the list has {length}, numbered from 0")),
            }
        }
        _ => Err(format!("there is nothing below a plain value, so `{first}` cannot be set")),
    }
}
