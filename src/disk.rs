//! Every change of a file that must survive a crash goes through here, so that a test can make any of them fail: appends,
//! syncs, renames, removals. Nothing here knows what is written.
//!
//! With the cargo feature `faults` (tests only, never a release) the operations of a process are counted and traced, and one
//! of them can be made to fail or to be the last: `disk/faults.rs`. Without it each function is the one call it names.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

#[cfg(feature = "faults")]
mod faults;
#[cfg(feature = "faults")]
pub use faults::{acknowledge, bug};

/// Opens a file that may be made by it.
pub fn open(options: &OpenOptions, path: &Path) -> io::Result<File> {
    step("open", || format!("{}\t{}", name_of(path), if path.exists() { "" } else { "new" }))?;
    options.open(path)
}

/// Writes all of `bytes` at the file's position.
pub fn append(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    #[cfg(feature = "faults")]
    faults::append(file, bytes)?;
    file.write_all(bytes)
}

/// Makes a file's contents durable.
pub fn sync(file: &File) -> io::Result<()> {
    step("sync", || name_of_open(file))?;
    file.sync_data()?;
    done("synced", || name_of_open(file));
    Ok(())
}

/// Gives a file its name, in place of what had it before.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    step("rename", || format!("{}\t{}", name_of(to), name_of(from)))?;
    fs::rename(from, to)
}

/// Makes renames, creations and removals in a directory durable.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    if bug(Bug::SkipDirectorySync) {
        return Ok(());
    }
    step("sync_directory", || name_of(directory))?;
    File::open(directory)?.sync_all()?;
    done("synced_directory", || name_of(directory));
    Ok(())
}

/// Removes a file.
pub fn remove(path: &Path) -> io::Result<()> {
    step("remove", || name_of(path))?;
    fs::remove_file(path)
}

/// Cuts a file to a length.
pub fn truncate(file: &File, length: u64) -> io::Result<()> {
    step("truncate", || name_of_open(file))?;
    file.set_len(length)
}

/// A mistake that the fault harness plants, to prove that it would find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A log says that its records are durable before they are.
    AckBeforeSync,
    /// A rename is not made durable.
    SkipDirectorySync,
    /// Bytes are used whatever their checksum says.
    IgnoreChecksum,
}

/// Whether a mistake was planted in this process: never, outside the fault harness.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub const fn bug(_: Bug) -> bool {
    false
}

/// Notes for the fault harness that somebody is told now that what was appended to a log (the name of its directory) is
/// durable.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub fn acknowledge(_log: &str) {}

#[cfg(feature = "faults")]
use faults::{done, name_of, name_of_open, step};

#[cfg(not(feature = "faults"))]
use released::{done, name_of, name_of_open, step};

/// What remains of counting and tracing without the feature: nothing.
#[cfg(not(feature = "faults"))]
mod released {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    #[inline(always)]
    pub(super) fn step<T>(_operation: &str, _names: impl FnOnce() -> T) -> io::Result<()> {
        Ok(())
    }

    #[inline(always)]
    pub(super) fn done<T>(_operation: &str, _names: impl FnOnce() -> T) {}

    pub(super) fn name_of(_: &Path) -> &'static str {
        ""
    }

    pub(super) fn name_of_open(_: &File) -> &'static str {
        ""
    }
}
