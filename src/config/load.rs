//! Reads the configuration: YAML, `VAGLIO_...` overrides, validation of the whole at once.

use super::declare::{IdType, declarations, id_types};
use super::tree::{Node, Step, Value, parse};
use super::{Config, decode, env, key, settled, validate};
use crate::error::{Error, Problem, Result};
use crate::schema::{Clock, Declarations, KeyHasher, Timestamp};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The commented default configuration.
pub const DEFAULT_YAML: &str = include_str!("default.yaml");

/// A configuration that was read and found valid.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings; paths are absolute or relative to the working directory.
    pub config: Config,
    /// The file it came from.
    pub file: PathBuf,
    /// The vocabulary that its sources declare.
    pub declarations: Declarations,
    /// Every identifier type, sorted by name; positions are the numbers that rows carry.
    pub id_types: Vec<IdType>,
}

impl Loaded {
    /// The key file: configured, or `<data_dir>/vaglio.key`.
    pub fn key_file(&self) -> PathBuf {
        self.config.key_file.clone().unwrap_or_else(|| self.config.data_dir.join("vaglio.key"))
    }

    /// Reads the secret. `create` writes a new random one where there is none (only `build` and `demo` may).
    ///
    /// # Errors
    /// A missing file (without `create`), one that is not 32 hexadecimal digits, or a refusal of the machine.
    pub fn key_hasher(&self, create: bool) -> Result<KeyHasher> {
        key::hasher(&self.key_file(), create)
    }

    /// The time zone of `today` and of dates.
    pub fn zone(&self) -> jiff::tz::TimeZone {
        // Validated when it was loaded; a zone that vanished from the machine since then reads as UTC.
        jiff::tz::TimeZone::get(&self.config.timezone).unwrap_or(jiff::tz::TimeZone::UTC)
    }

    /// Whether a source's value of a trait wins over one that came by the events door.
    pub fn outranks_door(&self, name: &str) -> bool {
        let higher = self.config.sources.iter().filter(|source| source.priority > self.config.ingest.priority);
        higher.flat_map(|source| &source.traits).any(|column| column.trait_name() == name)
    }

    /// Where "now" comes from: frozen where the configuration says `as_of`.
    pub fn clock(&self) -> Clock {
        self.config.as_of.map_or(Clock::System, Clock::Frozen)
    }

    /// The definition files that the globs name, each once, sorted by path, with their text, once nobody is writing them.
    ///
    /// # Errors
    /// A glob that names no file, or a file that cannot be read; all of them together. Busy: somebody is still writing.
    pub fn definition_files(&self) -> Result<Vec<(PathBuf, String)>> {
        let mut paths = Vec::new();
        let mut problems = Vec::new();
        let until = Instant::now() + settled::PATIENCE;
        for pattern in &self.config.definitions {
            let found = settled::list(pattern, until);
            if found.is_empty() {
                let problem = Problem::new(format!("definitions: no file matches {pattern}"));
                problems.push(problem.help("relative patterns start at the configuration file's directory"));
            }
            paths.extend(found);
        }
        paths.sort();
        paths.dedup();
        let mut files = Vec::new();
        for path in paths {
            match settled::read(&path, until) {
                Ok(text) => files.push((path, text)),
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    return Err(Error::busy(format!("{}: {error}", path.display())));
                }
                Err(error) => problems.push(Problem::new(format!("cannot be read: {error}")).in_file(path)),
            }
        }
        if problems.is_empty() { Ok(files) } else { Err(wrong(&self.file, problems)) }
    }
}

/// Reads a configuration with the process's environment.
///
/// # Errors
/// Every unknown key, wrong type, missing value and contradiction, all at once, with positions where known.
pub fn load(file: &Path) -> Result<Loaded> {
    // A variable that is not UTF-8 cannot be ours.
    let variables = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    from_text(&read(file)?, file, variables)
}

/// Reads a configuration without looking at the environment.
///
/// # Errors
/// As [`load`].
pub fn load_file(file: &Path) -> Result<Loaded> {
    from_text(&read(file)?, file, std::iter::empty())
}

fn read(file: &Path) -> Result<String> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::usage(format!(
            "there is no configuration file {}; name one with --config, or start from `vaglio serve --print-config`",
            file.display()
        ))),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Err(Error::usage(format!("the configuration file {} is not UTF-8 text", file.display())))
        }
        Err(error) => {
            Err(Error::usage(format!("cannot read the configuration file {}: {error}", file.display()))
                .caused_by(error))
        }
    }
}

/// Reads a configuration from its text and a set of environment variables; `file` names it and anchors its paths.
///
/// # Errors
/// As [`load`].
pub fn from_text(text: &str, file: &Path, variables: impl Iterator<Item = (String, String)>) -> Result<Loaded> {
    let mut tree = parse(text).map_err(|problem| wrong(file, vec![problem]))?;
    let mut problems = Vec::new();
    env::apply(&mut tree, variables, &mut problems);
    spell_out_as_of(&mut tree);
    let written = tree.clone();
    let mut mistakes = Vec::new();
    let decoded: Option<Config> = decode::decode(&mut tree, &mut mistakes);
    if let Some(config) = &decoded {
        problems.extend(validate::validate(config, &written, &broken_sources(&tree, &mistakes)));
    }
    problems.extend(mistakes.into_iter().map(|(_, problem)| problem));
    problems.sort_by_key(|problem| problem.position);
    match decoded {
        Some(config) if problems.is_empty() => Ok(finish(config, file)),
        _ => Err(wrong(file, problems)),
    }
}

fn finish(mut config: Config, file: &Path) -> Loaded {
    resolve_paths(&mut config, file.parent().unwrap_or(Path::new("")));
    Loaded {
        declarations: declarations(&config.sources, &config.ingest),
        id_types: id_types(&config.sources, &config.ingest, &config.identity.precedence),
        config,
        file: file.to_path_buf(),
    }
}

fn wrong(file: &Path, problems: Vec<Problem>) -> Error {
    let count = match problems.len() {
        1 => "a mistake".to_owned(),
        n => format!("{n} mistakes"),
    };
    let name = |problem: Problem| if problem.position.is_some() { problem.in_file(file) } else { problem };
    Error::usage(format!("the configuration {} has {count}:", file.display()))
        .with_problems(problems.into_iter().map(name).collect())
}

/// A bare date is the local midnight that opens it.
fn spell_out_as_of(tree: &mut Node) {
    let zone =
        tree.text("timezone").and_then(|name| jiff::tz::TimeZone::get(name).ok()).unwrap_or(jiff::tz::TimeZone::UTC);
    let Some(node) = tree.child_mut(&"as_of".into()) else { return };
    if let Value::Scalar(text) = &mut node.value
        && let Ok(date) = text.parse::<jiff::civil::Date>()
        && text.len() == "1998-07-01".len()
        && let Ok(midnight) = date.to_zoned(zone)
    {
        *text = Timestamp(midnight.timestamp().as_second()).to_string();
    }
}

/// For every source that was read: its position in the file, and whether something in it was wrong.
fn broken_sources(tree: &Node, mistakes: &[(Vec<Step>, Problem)]) -> Vec<(usize, bool)> {
    let Some(Node { value: Value::Seq(nodes), .. }) = tree.child(&"sources".into()) else { return Vec::new() };
    let broken = |at: usize| mistakes.iter().any(|(path, _)| path.starts_with(&["sources".into(), at.into()]));
    let read = nodes.iter().enumerate().filter(|(_, node)| !matches!(node.value, Value::Skipped));
    read.map(|(at, _)| (at, broken(at))).collect()
}

fn resolve_paths(config: &mut Config, base: &Path) {
    config.data_dir = base.join(&config.data_dir);
    config.key_file = config.key_file.take().map(|file| base.join(file));
    for tls in config.server.tls.iter_mut().chain(&mut config.server.planner_tls) {
        for file in [&mut tls.certificate, &mut tls.key].into_iter().chain(&mut tls.client_ca) {
            *file = base.join(&*file);
        }
    }
    for destination in config.destinations.iter_mut().filter(|it| !it.path.contains("://")) {
        destination.path = base.join(&destination.path).display().to_string();
    }
    let patterns = config.sources.iter_mut().map(|source| &mut source.path).chain(&mut config.definitions);
    for pattern in patterns.filter(|pattern| !pattern.contains("://") && !Path::new(pattern.as_str()).is_absolute()) {
        if !base.as_os_str().is_empty() {
            // Characters that mean something in a glob mean themselves in the directory's own name.
            *pattern = format!("{}/{pattern}", glob::Pattern::escape(&base.to_string_lossy()));
        }
    }
}
