//! What the demo needs before it can begin: the invented world, a key, a generation. Made once, used again while it is the
//! same world.

use crate::access::{Credential, CredentialStore, Who};
use crate::build::{What, build, defined};
use crate::cli::{figures, synth};
use crate::config::{self, Loaded};
use crate::error::{Error, Result};
use crate::schema::{Clock, Timestamp};
use crate::snapshot::{Manifest, Store};
use crate::telemetry::progress::Progress;
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

/// What says that a directory is a demo's, and of which world.
const MARK: &str = "demo.json";

/// The world a directory holds and what its generation was built from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Mark {
    people: u64,
    seed: u64,
    version: String,
    /// Digests of the configuration and the definitions of the last build; empty before the first.
    #[serde(default)]
    config: String,
    #[serde(default)]
    definitions: String,
}

/// The world, ready.
#[derive(Debug)]
pub(super) struct Stage {
    directory: PathBuf,
    mark: Mark,
    /// Its configuration, with the environment's overrides.
    pub(super) loaded: Loaded,
    report: Option<synth::Report>,
}

/// A generation to serve.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) manifest: Manifest,
    /// Whether an earlier run built it.
    pub(super) reused: bool,
}

impl Stage {
    /// Makes the world, unless it is there.
    pub(super) fn set(directory: &Path, people: u64, seed: u64, progress: &Progress) -> Result<Stage> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let wanted = Mark { people, seed, version, config: String::new(), definitions: String::new() };
        let there = read_mark(directory);
        let same = there.as_ref().is_some_and(|mark| {
            (mark.people, mark.seed, &mark.version) == (people, seed, &wanted.version)
                && directory.join(CONFIG).exists()
        });
        let (mark, report) = match there {
            Some(mark) if same => (mark, None),
            there => {
                clear(directory, there.is_some())?;
                let as_of = Timestamp::parse(synth::DEFAULT_AS_OF);
                let as_of = as_of.ok_or_else(|| Error::internal("the default as-of is no time"))?;
                let world = synth::World::new(people, seed, as_of, false);
                let report = synth::write(&world, directory, progress)?;
                write_key(&directory.join("data"), seed)?;
                write_mark(directory, &wanted)?;
                (wanted, Some(report))
            }
        };
        let mut loaded = config::load(&directory.join(CONFIG))?;
        // The demo's directory is an argument; a variable meant for another configuration must not move it.
        loaded.config.data_dir = directory.join("data");
        loaded.config.key_file = None;
        // What it tells must not depend on what else the machine does.
        loaded.config.server.max_queue_ms = 0;
        hand_out_key(&loaded.config.data_dir)?;
        Ok(Stage { directory: directory.to_path_buf(), mark, loaded, report })
    }

    /// What was made.
    pub(super) fn describe_world(&self, people: u64, seed: u64) -> String {
        let (people, directory) = (figures::count(people), self.directory.display());
        match &self.report {
            None => format!("  {people} people of seed {seed}, made by an earlier run: {directory}/\n"),
            Some(report) => {
                let rows: Vec<Vec<String>> = report
                    .files
                    .iter()
                    .map(|file| {
                        let rows = format!("{} rows", figures::count(file.rows));
                        vec![file.name.clone(), rows, figures::bytes(file.bytes)]
                    })
                    .collect();
                let took = figures::seconds(report.took.as_secs_f64());
                let table = figures::table(&rows);
                format!("{table}  {people} people of seed {seed}, invented in {took}: {directory}/\n")
            }
        }
    }

    /// Where the definitions are.
    pub(super) fn definitions(&self) -> String {
        format!("in words, in {}", self.directory.join("definitions").display())
    }

    /// Where the sample of bid traffic is.
    pub(super) fn lookups(&self) -> PathBuf {
        self.directory.join("lookups.ndjson")
    }

    /// Builds as much as has changed since the last run.
    pub(super) fn build(&mut self, progress: &Progress) -> Result<Built> {
        let files = self.loaded.definition_files()?;
        // Also what was published in an earlier run.
        let catalogue = defined::read(&self.loaded)?.catalogue;
        let config = digest(fs::read(&self.loaded.file).unwrap_or_default());
        let definitions = digest(files.iter().flat_map(|(_, text)| text.bytes()).collect());
        let store = Store::open(&self.loaded.config.data_dir)?;
        let live = store.current()?;
        let what = match live {
            Some(generation) if self.mark.config == config && self.mark.definitions == definitions => {
                return Ok(Built { manifest: store.manifest(generation)?, reused: true });
            }
            Some(_) if self.mark.config == config => What::Activate,
            _ => What::Full,
        };
        let made = build(&self.loaded, &catalogue, what, progress)?;
        // After a rollback it is another that serves.
        let manifest = store.current()?.map_or(Ok(made), |live| store.manifest(live))?;
        self.mark = Mark { config, definitions, ..self.mark.clone() };
        write_mark(&self.directory, &self.mark)?;
        Ok(Built { manifest, reused: false })
    }
}

const CONFIG: &str = "vaglio.yaml";

fn digest(bytes: Vec<u8>) -> String {
    format!("{:016x}", xxh3_64(&bytes))
}

fn read_mark(directory: &Path) -> Option<Mark> {
    serde_json::from_slice(&fs::read(directory.join(MARK)).ok()?).ok()
}

fn write_mark(directory: &Path, mark: &Mark) -> Result<()> {
    let path = directory.join(MARK);
    let text = serde_json::to_vec_pretty(mark).map_err(|error| Error::internal(format!("the demo's mark: {error}")))?;
    fs::write(&path, text).map_err(|error| Error::io(format!("write {}", path.display()), error))
}

/// Removes the generations of another world, but never what is not a demo's.
fn clear(directory: &Path, ours: bool) -> Result<()> {
    let data = directory.join("data");
    if !data.exists() {
        return Ok(());
    }
    if !ours {
        return Err(Error::usage(format!(
            "{} exists and is not a demo's; name another directory with --data-dir",
            data.display()
        )));
    }
    let mark = directory.join(MARK);
    fs::remove_dir_all(&data)
        .and_then(|()| fs::remove_file(&mark))
        .map_err(|error| Error::io(format!("remove the earlier demo in {}", directory.display()), error))
}

/// Everybody knows the operator's key of a demo: it opens loopback only, which is open without one.
fn hand_out_key(data: &Path) -> Result<()> {
    let store = CredentialStore::of(data);
    if !store.read()?.all().is_empty() {
        return Ok(());
    }
    let (made, now) = (Credential::demo(Clock::System.now()), Clock::System.now());
    store.change(&Who::command_line(), |all| all.add(made.clone(), now).map(|()| ((), made.entry("keys create"))))
}

/// The key of a demo is a function of its seed, so that samples, and so the story, are the same everywhere. These people
/// have nothing to hide: a real installation's key is random.
fn write_key(data: &Path, seed: u64) -> Result<()> {
    let path = data.join("vaglio.key");
    let secret = u128::from_be_bytes(*b"vaglio demo key.") ^ u128::from(seed);
    fs::create_dir_all(data)
        .and_then(|()| OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path))
        .and_then(|mut file| writeln!(file, "{secret:032x}"))
        .map_err(|error| Error::io(format!("write {}", path.display()), error))
}
