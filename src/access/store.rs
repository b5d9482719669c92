//! Where keys are kept: in the control log (`<data_dir>/log/control`), each change as all keys as they stand then. A
//! `credentials.json` of an earlier version is read until the first change, which takes it into the log. Nobody else knows.

use super::credentials::Credentials;
use super::{Entry, Who};
use crate::disk;
use crate::error::{Error, Result};
use crate::log::{Control, ControlLog};
use parking_lot::Mutex;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The keys of a data directory.
#[derive(Debug, Clone)]
pub struct CredentialStore {
    directory: PathBuf,
    log: PathBuf,
    /// Where an earlier version kept them.
    file: PathBuf,
    seen: Arc<Mutex<Seen>>,
}

/// What the log said when it was last looked at.
#[derive(Debug, Default)]
struct Seen {
    log: Option<ControlLog>,
    text: Option<String>,
}

impl Seen {
    /// The keys in the log; costs a listing of its directory unless it has changed.
    fn look(&mut self, directory: &Path) -> Result<Option<String>> {
        let log = match self.log.take() {
            Some(log) => log,
            None => ControlLog::open(directory)?,
        };
        let Seen { log: kept, text } = self;
        kept.insert(log).catch_up(&mut |_, control| note(text, control))?;
        Ok(text.clone())
    }
}

/// The last word counts.
fn note(text: &mut Option<String>, control: Control) -> Result<()> {
    if let Control::Credentials(all) = control {
        *text = Some(all);
    }
    Ok(())
}

impl CredentialStore {
    /// Those of a data directory, which need not exist yet.
    pub fn of(data_dir: &Path) -> Self {
        CredentialStore {
            directory: data_dir.to_path_buf(),
            log: crate::log::control_directory(data_dir),
            file: data_dir.join("credentials.json"),
            seen: Arc::default(),
        }
    }

    /// What is stored, as text, to see whether it has changed; `None` without any. Cheap while nothing changes.
    ///
    /// # Errors
    /// A machine that refuses to read it, a damaged log, a file of an earlier version beside a log that has keys.
    pub fn text(&self) -> Result<Option<String>> {
        let logged = self.seen.lock().look(&self.log)?;
        let file = self.file_text()?;
        self.one_of(&logged, &file)?;
        Ok(logged.or(file))
    }

    fn file_text(&self) -> Result<Option<String>> {
        match std::fs::read_to_string(&self.file) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(format!("read the keys in {}", self.file.display()), error)),
        }
    }

    /// Of two that differ nobody knows which is meant.
    fn one_of(&self, logged: &Option<String>, file: &Option<String>) -> Result<()> {
        match (logged, file) {
            (Some(logged), Some(file)) if logged != file => Err(Error::input(format!(
                "{} is there, and keys are kept in the log beside it ({}): the file is not read any more; remove it, the keys \
                 of the log go on",
                self.file.display(),
                self.log.display()
            ))),
            _ => Ok(()),
        }
    }

    /// The keys in a text.
    ///
    /// # Errors
    /// Every mistake in it, at once.
    pub fn parse(&self, text: Option<&str>) -> Result<Credentials> {
        let Some(text) = text else { return Ok(Credentials::default()) };
        Credentials::from_text(text).map_err(|problems| {
            let place = if self.file.exists() { &self.file } else { &self.log };
            let problems = problems.into_iter().map(|problem| problem.in_file(place)).collect();
            Error::input("the keys cannot be read").with_problems(problems)
        })
    }

    /// What is stored.
    ///
    /// # Errors
    /// As [`CredentialStore::text`] and [`CredentialStore::parse`].
    pub fn read(&self) -> Result<Credentials> {
        self.parse(self.text()?.as_deref())
    }

    /// Changes what is stored, or nothing when `change` fails. Changes wait for each other, so none is lost; each is in the
    /// audit trail.
    ///
    /// # Errors
    /// What `change` refuses, and a machine that refuses to write.
    pub fn change<T>(&self, who: &Who, change: impl FnOnce(&mut Credentials) -> Result<(T, Entry)>) -> Result<T> {
        // What cannot be read is not changed, and nothing is made for it.
        self.read()?;
        let mut log = ControlLog::open(&self.log)?;
        let mut turn = log.turn()?;
        let mut logged = None;
        turn.catch_up(&mut |_, control| note(&mut logged, control))?;
        let file = self.file_text()?;
        self.one_of(&logged, &file)?;
        let mut credentials = self.parse(logged.as_deref().or(file.as_deref()))?;
        if let Some(text) = file {
            // As it stands, so that a crash in between leaves two that say the same.
            if logged.is_none() {
                turn.append(&Control::Credentials(text))?;
            }
            self.put_aside()?;
        }
        let (changed, entry) = change(&mut credentials)?;
        // Nothing changes that leaves no trace. Nobody else appends meanwhile.
        turn.audit(entry.by(who), &mut |_, _| Ok(()))?;
        turn.append(&Control::Credentials(credentials.to_text()?))?;
        Ok(changed)
    }

    /// The file of an earlier version, once the log has what is in it.
    fn put_aside(&self) -> Result<()> {
        let aside = self.directory.join("credentials.json.imported");
        let moved = disk::rename(&self.file, &aside).and_then(|()| disk::sync_directory(&self.directory));
        moved.map_err(|error| Error::io(format!("rename {} to {}", self.file.display(), aside.display()), error))
    }
}
