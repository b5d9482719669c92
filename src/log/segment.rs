//! The files of a log's directory: what they are called, which there are, that none is missing, and who may read them.

use super::frame::{FOOTER, Footer, HEADER, Header};
use crate::error::{Error, ErrorKind, Result};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown, fchown};
use std::path::{Path, PathBuf};

/// A segment's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SegmentFile {
    /// The offset of its first record, as its name says.
    pub first: u64,
    /// Whether its name says that it is sealed.
    pub sealed: bool,
    /// The file.
    pub path: PathBuf,
}

/// The name of the segment that begins with a record.
pub(super) fn path(directory: &Path, first: u64, sealed: bool) -> PathBuf {
    directory.join(format!("{first:020}.{}", if sealed { "log" } else { "open" }))
}

/// The segments of a directory in their order; none if there is no directory. Other files are not looked at.
pub(super) fn list(directory: &Path) -> Result<Vec<SegmentFile>> {
    let failed = |error| Error::io(format!("list the log in {}", directory.display()), error);
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let Some((number, kind)) = path.file_name().and_then(|name| name.to_str()?.split_once('.')) else { continue };
        let digits = number.len() == 20 && number.bytes().all(|byte| byte.is_ascii_digit());
        if let (true, true, Ok(first)) = (digits, matches!(kind, "log" | "open"), number.parse()) {
            found.push(SegmentFile { first, sealed: kind == "log", path });
        }
    }
    found.sort_by_key(|segment| (segment.first, !segment.sealed));
    Ok(found)
}

/// What is wrong with a segment, where, and what to do.
pub(super) fn damaged(path: &Path, at: u64, offset: u64, why: &str) -> Error {
    Error::new(
        ErrorKind::Input,
        format!(
            "the log segment {} is damaged at byte {at} (record {offset}): {why}. What is missing there was acknowledged, so \
             nothing behind it is used; put back a copy of the file, or see `A damaged log` in docs/format.md",
            path.display()
        ),
    )
}

/// The bytes that were there when it was opened. What an appender writes meanwhile is not among them: a length counts
/// bytes only once they are written.
pub(super) fn read_whole(path: &Path, into: &mut Vec<u8>) -> io::Result<()> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    into.clear();
    file.take(length).read_to_end(into).map(drop)
}

/// The two ends of a sealed segment.
pub(super) fn ends(segment: &SegmentFile) -> Result<(Header, Footer)> {
    let read = || -> io::Result<_> {
        let mut file = File::open(&segment.path)?;
        let length = file.metadata()?.len();
        let (mut head, mut foot) = (vec![0; HEADER], vec![0; FOOTER]);
        if length < (HEADER + FOOTER) as u64 {
            return Ok((length, head, foot));
        }
        file.read_exact(&mut head)?;
        file.seek(SeekFrom::End(-(FOOTER as i64)))?;
        file.read_exact(&mut foot)?;
        Ok((length, head, foot))
    };
    let (length, head, foot) =
        read().map_err(|error| Error::io(format!("read the log segment {}", segment.path.display()), error))?;
    let header = header(segment, &head)?;
    let cut_off = || damaged(&segment.path, length, segment.first, "its footer is cut off or fails its checksum");
    Footer::read(&foot, length).map(|footer| (header, footer)).ok_or_else(cut_off)
}

/// The header of a segment, which must say what its name says.
pub(super) fn header(segment: &SegmentFile, bytes: &[u8]) -> Result<Header> {
    let header = Header::read(bytes).map_err(|why| damaged(&segment.path, 0, segment.first, &why))?;
    if header.first != segment.first {
        let why = format!("its header says that it begins with record {}", header.first);
        return Err(damaged(&segment.path, 16, segment.first, &why));
    }
    Ok(header)
}

/// That a segment begins where the one before ended.
pub(super) fn follows(segment: &SegmentFile, end: u64) -> Result<()> {
    if segment.first == end {
        return Ok(());
    }
    let message = format!(
        "records {end} to {} are missing from the log before {}: a file was removed; put it back, or see `A damaged log` \
         in docs/format.md",
        segment.first.saturating_sub(1),
        segment.path.display()
    );
    Err(Error::new(ErrorKind::Input, message))
}

/// A new file that whoever owns the directory reads and writes, and nobody else.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).mode(0o600);
    options
}

/// Whoever owns the directory has its files, whoever made them: a command that root runs writes for the server.
pub(super) fn give_to_owner(file: &File, directory: &Path) {
    if let Ok(directory) = std::fs::metadata(directory) {
        // Who is not root owns the file already, or may not give it away: then reading it tells what is wrong.
        let _ = fchown(file, Some(directory.uid()), Some(directory.gid()));
    }
}

/// Makes a log's directory, and those above it that are not there: each for whoever owns the one above it.
pub(super) fn create_directory(directory: &Path) -> Result<()> {
    create(directory, 0o700)
}

fn create(directory: &Path, mode: u32) -> Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let above = directory.parent().filter(|above| !above.as_os_str().is_empty());
    if let Some(above) = above {
        create(above, 0o755)?;
    }
    let failed = |error| Error::io(format!("create {}", directory.display()), error);
    match DirBuilder::new().mode(mode).create(directory) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(failed(error)),
    }
    let Some(above) = above else { return Ok(()) };
    if let Ok(owner) = std::fs::metadata(above) {
        let _ = chown(directory, Some(owner.uid()), Some(owner.gid()));
    }
    crate::disk::sync_directory(above).map_err(failed)
}
