//! The one error type: what was wrong, where, and what to do about it.
//!
//! An [`Error`] carries a kind (which decides the exit code and the wire status), a sentence, and any number of
//! [`Problem`]s, so that all errors of a file are reported together. What must not live here: anything that knows
//! a protocol (see `wire`) or a file format.

use std::fmt;
use std::path::{Path, PathBuf};

/// The result of everything that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something failed, as far as a caller has to act differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Arguments, configuration or definitions are wrong: exit code 2.
    Usage,
    /// The data that was read is missing or unusable.
    Input,
    /// The machine refused: disk, network, permissions.
    Io,
    /// The disk is full: nothing was written, and it can be tried again once there is room.
    NoRoom,
    /// A snapshot is damaged, of another format version or of another key.
    Snapshot,
    /// Somebody else holds the lock, the port or the pin.
    Busy,
    /// A bug of ours.
    Internal,
}

/// One thing that is wrong in a file somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, if it came from one.
    pub file: Option<PathBuf>,
    /// 1-based line and column, where known.
    pub position: Option<(usize, usize)>,
    /// What was wrong and what was expected.
    pub message: String,
    /// What to do: a suggestion, or empty.
    pub help: String,
}

impl Problem {
    /// A problem without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Problem { file: None, position: None, message: message.into(), help: String::new() }
    }

    /// Names the file.
    #[must_use]
    pub fn in_file(mut self, file: impl AsRef<Path>) -> Self {
        self.file = Some(file.as_ref().to_path_buf());
        self
    }

    /// Names the 1-based line and column.
    #[must_use]
    pub fn at(mut self, line: usize, column: usize) -> Self {
        self.position = Some((line, column));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            if let Some((line, column)) = self.position {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": ")?;
        } else if let Some((line, column)) = self.position {
            write!(f, "{line}:{column}: ")?;
        }
        write!(f, "{}", self.message)?;
        if !self.help.is_empty() {
            write!(f, "\n    help: {}", self.help)?;
        }
        Ok(())
    }
}

/// A failure, in words a user can act upon.
#[derive(Debug)]
pub struct Error {
    /// What sort of failure it is.
    pub kind: ErrorKind,
    message: String,
    problems: Vec<Problem>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of a kind, with the sentence the user reads: what happened and what to do.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), problems: Vec::new(), source: None }
    }

    /// Wrong arguments, configuration or definitions.
    pub fn usage(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Usage, message)
    }

    /// Missing or unusable data.
    pub fn input(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Input, message)
    }

    /// A refused snapshot.
    pub fn snapshot(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Snapshot, message)
    }

    /// Something is held by somebody else.
    pub fn busy(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Busy, message)
    }

    /// A bug of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Internal, message)
    }

    /// The machine refused `doing` (such as "write data/CURRENT").
    pub fn io(doing: impl fmt::Display, source: std::io::Error) -> Self {
        let mut error = Error::new(ErrorKind::Io, format!("cannot {doing}: {source}{}", io_advice(&source)));
        error.source = Some(Box::new(source));
        error
    }

    /// Adds the list of everything that is wrong.
    #[must_use]
    pub fn with_problems(mut self, problems: Vec<Problem>) -> Self {
        self.problems = problems;
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The sentence without the list of problems.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Everything that is wrong, one by one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The process's exit code: 2 for usage and configuration, 1 for a job that failed.
    pub fn exit_code(&self) -> u8 {
        if self.kind == ErrorKind::Usage { 2 } else { 1 }
    }
}

fn io_advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::StorageFull => " (free some space and run it again; nothing published was touched)",
        std::io::ErrorKind::PermissionDenied => " (check the owner and the mode of the file and its directory)",
        std::io::ErrorKind::NotFound => " (check the path; relative paths start at the configuration file)",
        _ => "",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
