//! The files that a run writes: asked for before it, so that a path that cannot be written is told at once, and left as they
//! are until there is something to put into them.

use super::overrides::from_here;
use crate::error::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A file that is written when the run is over. What is in it stays if there is none.
#[derive(Debug)]
pub struct Output<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> Output<'a> {
    /// Opens it, or makes an empty one.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn open(path: &'a Path) -> Result<Output<'a>> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        Ok(Output { path, file: file.map_err(|error| cannot_write(path, error))? })
    }

    /// Puts a text in the place of what it holds.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn replace(mut self, text: &str) -> Result<()> {
        // A pipe or a terminal has no length.
        let emptied = match self.file.metadata() {
            Ok(metadata) if metadata.is_file() => self.file.set_len(0),
            _ => Ok(()),
        };
        emptied.and_then(|()| self.file.write_all(text.as_bytes())).map_err(|error| cannot_write(self.path, error))
    }
}

/// A line a phase, written at the moment at which it begins, for whoever does something to the server at that moment.
#[derive(Debug)]
pub struct Marks {
    path: PathBuf,
    file: File,
    failed: Option<std::io::Error>,
}

impl Marks {
    /// Opens the file and empties it: the marks of another run would mislead whoever reads it meanwhile.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn open(path: &Path) -> Result<Marks> {
        let file = File::create(path).map_err(|error| cannot_write(path, error))?;
        Ok(Marks { path: path.to_path_buf(), file, failed: None })
    }

    /// A phase of that name begins now. A file is not buffered: who reads it sees the line at once.
    pub fn phase(&mut self, name: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let line = format!("{}.{:03} {name}\n", now.as_secs(), now.subsec_millis());
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            self.failed.get_or_insert(error);
        }
    }

    /// Whether all were written.
    ///
    /// # Errors
    /// The first that was not.
    pub fn end(self) -> Result<()> {
        self.failed.map_or(Ok(()), |error| Err(cannot_write(&self.path, error)))
    }
}

fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    Error::io(format!("write {}", path.display()), error)
}

/// Files that are read and written are to be different ones; each with the name of its argument. A device, such as `/dev/null`,
/// may be named more than once.
///
/// # Errors
/// Two are the same.
pub fn are_distinct(files: &[(&str, Option<&Path>)]) -> Result<()> {
    let named = files.iter().filter_map(|(name, path)| path.map(|path| (*name, from_here(path))));
    let named: Vec<(&str, PathBuf)> = named.filter(|(_, path)| !path.exists() || path.is_file()).collect();
    for (at, (name, path)) in named.iter().enumerate() {
        if let Some((other, _)) = named[..at].iter().find(|(_, other)| other == path) {
            return Err(Error::usage(format!(
                "{other} and {name} are the same file, {}: each would overwrite the other; name two files",
                path.display()
            )));
        }
    }
    Ok(())
}
