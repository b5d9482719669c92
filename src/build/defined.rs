//! Everything that is defined: the definition files and what is published in the catalogue, put together.
//!
//! A definition belongs to the file that has it. Where the catalogue has one of the same name the file wins, and a warning
//! says so.

use crate::audiences::definitions::canonical::{Piece, split};
use crate::audiences::definitions::source::{Form, Source};
use crate::audiences::definitions::{Checked, Finding, check_all};
use crate::audiences::versions::parts::Parts;
use crate::audiences::versions::{Change, Kind, Versions};
use crate::audiences::{Catalogue, Severity};
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::log::control_log::Turn;
use crate::log::{ControlLog, control_directory};
use crate::schema::{AudienceId, Clock, Declarations, Timestamp};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A definition's sort and name.
pub type Name = (Kind, AudienceId);

/// What is in force, checked.
#[derive(Debug)]
pub struct Defined {
    /// Of files and catalogue.
    pub catalogue: Catalogue,
    /// Warnings.
    pub findings: Vec<Finding>,
    /// A digest of the catalogue: as a generation's manifest has it.
    pub version: String,
    /// What the files define, and where.
    pub files: BTreeMap<Name, Place>,
    /// The number of the last change of the catalogue that is in it.
    pub change: u64,
}

/// Where a file defines something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// The definition as the catalogue would keep it.
    pub text: String,
}

/// Reads and checks what is in force.
///
/// # Errors
/// Every error of every definition, each at its place; a log that cannot be read.
pub fn read(loaded: &Loaded) -> Result<Defined> {
    let files = loaded.definition_files()?;
    let mut ledger = Ledger::open(&loaded.config.data_dir)?;
    ledger.catch_up()?;
    of(loaded, &files, ledger.versions())
}

/// As [`read`], of what has been read already.
///
/// # Errors
/// Every error of every definition, each at its place.
pub fn of(loaded: &Loaded, files: &[(PathBuf, String)], versions: &Versions) -> Result<Defined> {
    let texts = Texts::of(files, versions);
    let (catalogue, findings) = texts.check(&loaded.declarations, &loaded.zone()).into_catalogue()?;
    let version = version(&catalogue)?;
    Ok(Defined { catalogue, findings, version, files: texts.owned, change: versions.last() })
}

/// A digest of a catalogue.
///
/// # Errors
/// None that can be foreseen.
pub fn version(catalogue: &Catalogue) -> Result<String> {
    let text = serde_json::to_vec(catalogue).map_err(|error| Error::internal(format!("the catalogue: {error}")))?;
    Ok(format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&text)))
}

/// The texts of files and catalogue, by whoever they belong to.
#[derive(Debug)]
pub struct Texts<'a> {
    files: &'a [(PathBuf, String)],
    /// What the files define.
    pub owned: BTreeMap<Name, Place>,
    /// What else is in force: by name, what findings call it and its text.
    pub items: BTreeMap<Name, (PathBuf, Arc<str>)>,
    /// What the catalogue has and a file wins over.
    covered: Vec<Finding>,
}

impl<'a> Texts<'a> {
    /// Those of files, and of everything published.
    pub fn of(files: &'a [(PathBuf, String)], versions: &Versions) -> Self {
        Texts::with(files, owned(files), versions)
    }

    /// As [`Texts::of`], when it is known already what the files define.
    pub fn with(files: &'a [(PathBuf, String)], owned: BTreeMap<Name, Place>, versions: &Versions) -> Self {
        let mut texts = Texts { files, owned, items: BTreeMap::new(), covered: Vec::new() };
        texts.published(versions);
        texts
    }

    fn published(&mut self, versions: &Versions) {
        let texts = self;
        for (kind, id, text) in versions.published() {
            match texts.file_of(kind, id).cloned() {
                Some(place) => texts.covered.push(covered(kind, id, &place)),
                None => texts.put((kind, id.clone()), Arc::clone(text)),
            }
        }
    }

    /// Where a file defines it: by its name, or for every owner.
    pub fn file_of(&self, kind: Kind, id: &AudienceId) -> Option<&Place> {
        let every = || (kind == Kind::Group).then(|| self.owned.get(&(kind, AudienceId::new("*", id.id())))).flatten();
        self.owned.get(&(kind, id.clone())).or_else(every)
    }

    /// Defines something, or anew.
    pub fn put(&mut self, name: Name, text: Arc<str>) {
        let called = called(name.0, &name.1);
        self.items.insert(name, (called, text));
    }

    /// Everything, checked together: files first, then what the catalogue has, by name.
    pub fn check(&self, declarations: &Declarations, zone: &TimeZone) -> Checked {
        self.check_with(&[], declarations, zone)
    }

    /// As [`Texts::check`], with more.
    pub fn check_with(&self, more: &[Source], declarations: &Declarations, zone: &TimeZone) -> Checked {
        let mut checked = check_all(&self.sources(more), declarations, zone);
        checked.findings.extend(self.covered.iter().cloned());
        checked
    }

    /// What is checked.
    fn sources<'s>(&'s self, more: &[Source<'s>]) -> Vec<Source<'s>> {
        let items = self.items.iter().map(|((kind, id), (name, text))| {
            let form = Form::Item(*kind, id);
            Source { name, text, form }
        });
        self.files.iter().map(Source::file).chain(items).chain(more.iter().copied()).collect()
    }

    /// The text that findings of this name are about.
    pub fn text(&self, name: &Path) -> Option<&str> {
        let file = self.files.iter().find(|(file, _)| file == name).map(|(_, text)| text.as_str());
        let item = || self.items.values().find(|(called, _)| called == name).map(|(_, text)| &**text);
        file.or_else(item)
    }
}

/// What findings call a definition of the catalogue.
pub fn called(kind: Kind, id: &AudienceId) -> PathBuf {
    PathBuf::from(format!("catalogue: {kind} {id}"))
}

/// What the files define, and where; of what is defined twice the first.
pub fn owned(files: &[(PathBuf, String)]) -> BTreeMap<Name, Place> {
    let mut owned = BTreeMap::new();
    for (file, text) in files {
        let (mut line, mut at) = (1, 0);
        let mut pieces = split(text);
        pieces.sort_by_key(|piece| piece.start);
        for Piece { kind, id, text: canonical, start } in pieces {
            let start = text.floor_char_boundary(start.max(at));
            line += text[at..start].bytes().filter(|byte| *byte == b'\n').count();
            at = start;
            owned.entry((kind, id)).or_insert_with(|| Place { file: file.clone(), line, text: canonical });
        }
    }
    // Pressure for every owner belongs to nobody: whoever says its own has its own.
    owned.remove(&(Kind::Pressure, AudienceId::new("*", "pressure")));
    owned
}

fn covered(kind: Kind, id: &AudienceId, place: &Place) -> Finding {
    let Place { file, line, .. } = place;
    Finding {
        severity: Severity::Warning,
        code: "defined-in-file",
        file: called(kind, id),
        line: 1,
        column: 1,
        message: format!("the {kind} `{id}` is defined in {}:{line} too: the file wins", file.display()),
        help: vec![format!("remove it from the file to go on with the catalogue's, or archive it: {}", id)],
        span: 0..0,
        length: 0,
    }
}

/// The catalogue's history in a data directory, read as far as it goes and written on.
#[derive(Debug)]
pub struct Ledger {
    log: ControlLog,
    parts: Parts,
    /// Shared with whoever looks at it: what is read afterwards goes into a copy.
    versions: Arc<Versions>,
}

impl Ledger {
    /// That of a data directory, which need not exist; nothing is read yet.
    ///
    /// # Errors
    /// A directory that cannot be listed.
    pub fn open(data_dir: &Path) -> Result<Self> {
        let log = ControlLog::open(&control_directory(data_dir))?;
        Ok(Ledger { log, parts: Parts::default(), versions: Arc::default() })
    }

    /// What has been read.
    pub fn versions(&self) -> &Arc<Versions> {
        &self.versions
    }

    /// Reads what others have written since.
    ///
    /// # Errors
    /// A damaged log.
    pub fn catch_up(&mut self) -> Result<()> {
        let Ledger { log, parts, versions } = self;
        log.catch_up(&mut |_, control| take(parts, versions, &control))
    }

    /// Writes a change behind the last that `decided` rests on, durably and whole. `None` when others have written meanwhile:
    /// then it has to be decided anew. Others wait only while it is written, never while it is decided.
    ///
    /// # Errors
    /// A change that is too large, a machine that refuses.
    pub fn write(&mut self, decided: u64, change: &Change) -> Result<Option<Timestamp>> {
        let Ledger { log, parts, versions } = self;
        let time = Clock::System.now();
        let records = change.records(time)?;
        let mut turn: Turn = log.turn()?;
        turn.catch_up(&mut |_, control| take(parts, versions, &control))?;
        if versions.last() != decided {
            return Ok(None);
        }
        for record in &records {
            turn.append(record)?;
        }
        turn.catch_up(&mut |_, control| take(parts, versions, &control))?;
        if versions.last() < change.number {
            return Err(Error::internal("a change of the catalogue was written and is not there"));
        }
        Ok(Some(time))
    }
}

fn take(parts: &mut Parts, versions: &mut Arc<Versions>, control: &crate::log::Control) -> Result<()> {
    if let Some((time, change)) = parts.take(control)? {
        Arc::make_mut(versions).apply(time, change);
    }
    Ok(())
}
