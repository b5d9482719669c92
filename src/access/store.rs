//! Where keys are kept: `<data_dir>/credentials.json`, written whole and at once. Nobody else knows that it is a file.

use super::credentials::Credentials;
use crate::disk;
use crate::error::{Error, Result};
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long one command waits for another to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The keys of a data directory.
#[derive(Debug, Clone)]
pub struct CredentialStore {
    directory: PathBuf,
    file: PathBuf,
}

impl CredentialStore {
    /// Those of a data directory, which need not exist yet.
    pub fn of(data_dir: &Path) -> Self {
        CredentialStore { directory: data_dir.to_path_buf(), file: data_dir.join("credentials.json") }
    }

    /// What is stored, as text, to see whether it has changed; `None` without any.
    ///
    /// # Errors
    /// A machine that refuses to read it.
    pub fn text(&self) -> Result<Option<String>> {
        match std::fs::read_to_string(&self.file) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(format!("read the keys in {}", self.file.display()), error)),
        }
    }

    /// The keys in a text.
    ///
    /// # Errors
    /// Every mistake in it, at once.
    pub fn parse(&self, text: Option<&str>) -> Result<Credentials> {
        let Some(text) = text else { return Ok(Credentials::default()) };
        Credentials::from_text(text).map_err(|problems| {
            let problems = problems.into_iter().map(|problem| problem.in_file(&self.file)).collect();
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

    /// Changes what is stored, or nothing when `change` fails. Changes wait for each other, so none is lost.
    ///
    /// # Errors
    /// What `change` refuses, and a machine that refuses to write.
    pub fn change<T>(&self, change: impl FnOnce(&mut Credentials) -> Result<T>) -> Result<T> {
        let doing = || format!("write the keys to {}", self.file.display());
        std::fs::create_dir_all(&self.directory).map_err(|error| Error::io(doing(), error))?;
        let _lock = self.lock()?;
        let mut credentials = self.read()?;
        let changed = change(&mut credentials)?;
        self.write(&credentials.to_text()?).map_err(|error| Error::io(doing(), error))?;
        Ok(changed)
    }

    /// The right to change; ends with its holder.
    fn lock(&self) -> Result<File> {
        let path = self.directory.join("credentials.lock");
        let doing = || format!("lock {}", path.display());
        let open = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = open.map_err(|error| Error::io(doing(), error))?;
        self.give_to_owner(&file);
        let until = Instant::now() + PATIENCE;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(file),
                Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    let message =
                        format!("another `vaglio keys` has held {} for too long; end it first", path.display());
                    return Err(Error::busy(message));
                }
                Err(errno) => return Err(Error::io(doing(), errno.into())),
            }
        }
    }

    /// Beside it, then in its place: whoever reads sees the one or the other.
    fn write(&self, text: &str) -> std::io::Result<()> {
        let draft = self.directory.join(".credentials.json.tmp");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut out = disk::open(&options, &draft)?;
        out.set_permissions(PermissionsExt::from_mode(0o600))?;
        self.give_to_owner(&out);
        disk::append(&mut out, text.as_bytes())?;
        disk::sync(&out)?;
        disk::rename(&draft, &self.file)?;
        disk::sync_directory(&self.directory)
    }

    /// Whoever owns the directory reads it: a key made by root is meant for the server all the same.
    fn give_to_owner(&self, file: &File) {
        if let Ok(directory) = std::fs::metadata(&self.directory) {
            // Who is not root owns the file already, or may not give it away: then reading it tells what is wrong.
            let _ = fchown(file, Some(directory.uid()), Some(directory.gid()));
        }
    }
}
