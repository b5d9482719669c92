//! Every change of a file that must survive a crash goes through here, so that a test can make any of them fail: appends,
//! syncs, renames, removals. Nothing here knows what is written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Writes all of `bytes` at the file's position.
pub fn append(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}

/// Makes a file's contents durable.
pub fn sync(file: &File) -> io::Result<()> {
    file.sync_data()
}

/// Gives a file its name, in place of what had it before.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Makes renames, creations and removals in a directory durable.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Removes a file.
pub fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// Cuts a file to a length.
pub fn truncate(file: &File, length: u64) -> io::Result<()> {
    file.set_len(length)
}
