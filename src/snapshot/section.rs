//! Writing one section: a stream into a temporary file that becomes `sections/<hash>` when it is whole.

use super::manifest::{Plane, SectionRef};
use super::store::{hash_file, sync_directory};
use crate::disk;
use crate::error::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::Xxh3;

const BUFFER_BYTES: usize = 1 << 20;

/// Writes a section. Until [`finish`](SectionWriter::finish) nothing is visible; dropped before, it leaves nothing.
pub struct SectionWriter {
    name: String,
    plane: Plane,
    temporary: PathBuf,
    sections: PathBuf,
    file: File,
    buffer: Vec<u8>,
    hash: Xxh3,
    length: u64,
}

impl SectionWriter {
    pub(super) fn create(name: &str, plane: Plane, tmp: PathBuf, sections: PathBuf) -> Result<SectionWriter> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary = tmp.join(format!("{name}-{}-{number}", std::process::id()));
        let file = disk::open(OpenOptions::new().write(true).create_new(true), &temporary);
        let file = file.map_err(|error| Error::io(format!("create {}", temporary.display()), error))?;
        Ok(SectionWriter {
            name: name.to_owned(),
            plane,
            temporary,
            sections,
            file,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            hash: Xxh3::new(),
            length: 0,
        })
    }

    /// Bytes written so far: the offset of the next.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Writes bytes, with an error that names the section.
    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(|error| self.failed(error))
    }

    /// Writes zeros up to the next multiple of `alignment`.
    pub fn align(&mut self, alignment: usize) -> Result<()> {
        let padding = self.length.next_multiple_of(alignment as u64) - self.length;
        self.put(&vec![0; padding as usize])
    }

    /// What an I/O error of this writer means to the user.
    pub fn failed(&self, error: io::Error) -> Error {
        Error::io(format!("write section `{}` into {}", self.name, self.sections.display()), error)
    }

    /// Makes the section durable under its hash. Where the same bytes are there already, they are kept and these dropped.
    pub fn finish(mut self) -> Result<SectionRef> {
        self.spill().and_then(|()| disk::sync(&self.file)).map_err(|error| self.failed(error))?;
        let xxh3 = format!("{:032x}", self.hash.digest128());
        let section = SectionRef { name: self.name.clone(), plane: self.plane, length: self.length, xxh3 };
        let path = self.sections.join(&section.xxh3);
        let is_there = hash_file(&path).is_ok_and(|(length, hash)| length == section.length && hash == section.xxh3);
        if !is_there {
            disk::rename(&self.temporary, &path).map_err(|error| self.failed(error))?;
        }
        // Also where it was there: who put it there may have been killed before this.
        sync_directory(&self.sections)?;
        Ok(section)
    }

    fn spill(&mut self) -> io::Result<()> {
        self.hash.update(&self.buffer);
        disk::append(&mut self.file, &self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl Write for SectionWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > BUFFER_BYTES {
            self.spill()?;
        }
        if bytes.len() >= BUFFER_BYTES {
            self.hash.update(bytes);
            disk::append(&mut self.file, bytes)?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    /// Passes the buffer on to the file; durable only after [`finish`](SectionWriter::finish).
    fn flush(&mut self) -> io::Result<()> {
        self.spill()
    }
}

impl Drop for SectionWriter {
    fn drop(&mut self) {
        // Renamed away after a good finish: then there is nothing to remove.
        let _ = fs::remove_file(&self.temporary);
    }
}
