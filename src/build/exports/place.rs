//! Where exports go: a directory, or a prefix of an object store. A file is there whole or not at all, and known to be there
//! before anybody is told so.

#[cfg(feature = "lake")]
use super::objects::Upload;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use utoipa::ToSchema;

/// So much is gathered before it is written.
const BUFFER: usize = 256 << 10;

/// A place that exports go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A directory; made when something is written there.
    Directory(PathBuf),
    /// `s3://bucket/prefix`
    #[cfg(feature = "lake")]
    Objects {
        /// The bucket.
        bucket: String,
        /// What every name begins with; may be empty.
        prefix: String,
    },
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Written {
    /// Its path or address.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// Lines or entries in it, headers left out.
    pub entries: u64,
}

impl Place {
    /// Reads a directory's path or `s3://bucket/prefix`.
    ///
    /// # Errors
    /// Another scheme, an object store in a program without them, or no bucket.
    pub fn parse(path: &str) -> Result<Place> {
        let Some((scheme, rest)) = path.split_once("://") else {
            return match path.trim() {
                "" => Err(Error::usage("the place to export to is empty; name a directory, or s3://bucket/prefix")),
                path => match std::path::absolute(path) {
                    Ok(path) => Ok(Place::Directory(path)),
                    Err(error) => Err(Error::io(format!("find the directory {path}"), error)),
                },
            };
        };
        if scheme != "s3" {
            let message =
                format!("{path}: nothing is exported to `{scheme}://`; name a directory, or s3://bucket/prefix");
            return Err(Error::usage(message));
        }
        Place::objects(path, rest)
    }

    #[cfg(feature = "lake")]
    fn objects(path: &str, rest: &str) -> Result<Place> {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(Error::usage(format!("{path} names no bucket; expected s3://bucket/prefix")));
        }
        Ok(Place::Objects { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
    }

    #[cfg(not(feature = "lake"))]
    fn objects(path: &str, _: &str) -> Result<Place> {
        Err(Error::usage(format!(
            "{path}: this vaglio was built without object stores (feature `lake`); name a directory"
        )))
    }

    /// Its path or address: what tells two places apart.
    pub fn name(&self) -> String {
        match self {
            Place::Directory(path) => path.display().to_string(),
            #[cfg(feature = "lake")]
            Place::Objects { bucket, prefix } => format!("s3://{bucket}/{prefix}"),
        }
    }

    /// Starts a file.
    pub(super) fn create(&self, name: &str) -> Result<Outlet> {
        let (target, name) = match self {
            Place::Directory(directory) => {
                let (target, path) = Local::create(directory, name)?;
                (Target::Local(target), path)
            }
            #[cfg(feature = "lake")]
            Place::Objects { bucket, prefix } => {
                let upload = Upload::start(bucket, prefix, name)?;
                let address = upload.address();
                (Target::Object(upload), address)
            }
        };
        Ok(Outlet { target, name, hash: Sha256::new(), bytes: 0 })
    }
}

/// A file that is being written: it is there once [`commit`](Outlet::commit) returns, and never a part of it.
pub(super) struct Outlet {
    target: Target,
    name: String,
    hash: Sha256,
    bytes: u64,
}

enum Target {
    Local(Local),
    #[cfg(feature = "lake")]
    Object(Upload),
}

impl Outlet {
    /// Makes the file appear, whole and durable.
    pub(super) fn commit(mut self, entries: u64) -> Result<Written> {
        let done = match &mut self.target {
            Target::Local(local) => local.commit(),
            #[cfg(feature = "lake")]
            Target::Object(upload) => upload.complete(),
        };
        done.map_err(|error| failed(&self.name, error))?;
        let sha256 = super::shape::digits(&self.hash.finalize());
        Ok(Written { name: self.name, bytes: self.bytes, sha256, entries })
    }

    /// The path or address that it will have.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// What to say of a file that cannot be written.
pub(super) fn failed(name: &str, error: io::Error) -> Error {
    let full = error.kind() == io::ErrorKind::StorageFull;
    let mut said = Error::io(format!("write the export {name}"), error);
    if full {
        said.kind = ErrorKind::NoRoom;
    }
    said
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.target {
            Target::Local(local) => local.write(bytes)?,
            #[cfg(feature = "lake")]
            Target::Object(upload) => upload.write(bytes)?,
        }
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    /// Whatever is gathered goes on when it is time.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file in a directory, under another name until it is whole.
struct Local {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    buffer: Vec<u8>,
    committed: bool,
}

impl Local {
    fn create(directory: &Path, name: &str) -> Result<(Local, String)> {
        let made = fs::create_dir_all(directory);
        made.map_err(|error| Error::io(format!("make the directory {}", directory.display()), error))?;
        let (path, temporary) = (directory.join(name), directory.join(format!(".{name}.part")));
        // Identifiers of people: for whoever runs this program alone.
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let shown = path.display().to_string();
        let file = disk::open(&options, &temporary).map_err(|error| failed(&shown, error))?;
        Ok((Local { file, temporary, path, buffer: Vec::with_capacity(BUFFER), committed: false }, shown))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() < BUFFER {
            return Ok(());
        }
        self.drain()
    }

    fn drain(&mut self) -> io::Result<()> {
        disk::append(&mut self.file, &self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn commit(&mut self) -> io::Result<()> {
        self.drain()?;
        disk::sync(&self.file)?;
        disk::rename(&self.temporary, &self.path)?;
        self.committed = true;
        disk::sync_directory(self.path.parent().unwrap_or(Path::new(".")))
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if !self.committed {
            // What cannot be removed is seen by its name: it begins with a dot and ends with `.part`.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::parse(folder.path().join("deep/er").to_str().unwrap()).unwrap();
        let names = || fs::read_dir(folder.path().join("deep/er")).unwrap().count();
        let mut given_up = place.create("a.csv").unwrap();
        given_up.write_all(&[b'x'; BUFFER + 1]).unwrap();
        assert_eq!(names(), 1);
        drop(given_up);
        assert_eq!(names(), 0);
        let mut whole = place.create("a.csv").unwrap();
        whole.write_all(b"one\n").unwrap();
        let written = whole.commit(1).unwrap();
        assert_eq!((written.bytes, written.entries, names()), (4, 1, 1));
        assert_eq!(written.sha256, "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806");
        assert_eq!(fs::read(&written.name).unwrap(), b"one\n");
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&written.name).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn places_are_named_as_people_write_them() {
        assert_eq!(Place::parse("/out/x").unwrap(), Place::Directory("/out/x".into()));
        for wrong in ["", " ", "gs://bucket/x", "http://host/x", "s3://", "s3:///x"] {
            assert_eq!(Place::parse(wrong).unwrap_err().exit_code(), 2, "{wrong}");
        }
        #[cfg(feature = "lake")]
        assert_eq!(Place::parse("s3://bucket/a/b/").unwrap().name(), "s3://bucket/a/b");
    }
}
