//! The files of a world: rows gathered by chunk, compressed where they are made, appended in order.
//!
//! A compressed file is a run of gzip members or zstd frames, one a chunk: both formats allow it, and every reader of
//! either joins them.

use super::crm;
use crate::error::{Error, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// The files, in the order of [`FILES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// Customers and their traits.
    Crm,
    /// What they did.
    Events,
    /// Their other devices and cookies.
    Devices,
    /// Who lives with whom.
    Households,
    /// What they allowed and forbade.
    Consents,
    /// The lists they are on.
    Lists,
    /// A sample of bid traffic; never compressed, to be fed to other tools.
    Lookups,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Packing {
    Gzip,
    Zstd,
    Never,
}

/// A file's name without the ending of its compression, its packing, and its header.
#[derive(Debug)]
pub struct Shape {
    name: &'static str,
    packing: Packing,
    header: &'static [&'static str],
    delimiter: u8,
}

const fn shape(name: &'static str, packing: Packing, header: &'static [&'static str], delimiter: u8) -> Shape {
    Shape { name, packing, header, delimiter }
}

/// What is written, by [`File`].
pub static FILES: [Shape; 7] = [
    shape("crm.csv", Packing::Gzip, crm::COLUMNS, b';'),
    shape("events.ndjson", Packing::Zstd, &[], 0),
    shape("devices.csv", Packing::Gzip, &["crm_id", "id_type", "id", "seen"], b','),
    shape("households.csv", Packing::Gzip, &["crm_id", "member"], b','),
    shape("consents.csv", Packing::Gzip, &["crm_id", "ifa", "given_at", "choice"], b','),
    shape("lists.csv", Packing::Gzip, &["id_type", "id", "audience", "added_at", "ttl_minutes", "remove"], b','),
    shape("lookups.ndjson", Packing::Never, &[], 0),
];

impl Shape {
    /// The file's name, with the ending of its compression.
    pub fn file_name(&self, plain: bool) -> String {
        let ending = match self.packing {
            Packing::Gzip if !plain => ".gz",
            Packing::Zstd if !plain => ".zst",
            _ => "",
        };
        format!("{}{ending}", self.name)
    }
}

/// What became of a file.
#[derive(Debug, Clone)]
pub struct Written {
    /// Its name in the directory.
    pub name: String,
    /// Rows, without the header.
    pub rows: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

/// The rows about one chunk of people: text until it is sealed, then the bytes that go to disk.
#[derive(Debug)]
pub struct Chunk {
    /// How many people.
    pub people: u64,
    parts: [Vec<u8>; FILES.len()],
    rows: [u64; FILES.len()],
}

impl Chunk {
    /// No rows yet.
    pub fn new(people: u64) -> Self {
        Chunk { people, parts: Default::default(), rows: [0; FILES.len()] }
    }

    /// Adds a CSV row.
    pub fn csv_row<T: AsRef<[u8]>>(&mut self, file: File, fields: impl IntoIterator<Item = T>) {
        write_csv(&mut self.parts[file as usize], FILES[file as usize].delimiter, fields);
        self.rows[file as usize] += 1;
    }

    /// Adds a JSON object as a line.
    pub fn json_row(&mut self, file: File, value: &impl Serialize) {
        let part = &mut self.parts[file as usize];
        // Writing to memory does not fail, and these values have no keys that are not text.
        if serde_json::to_writer(&mut *part, value).is_ok() {
            part.push(b'\n');
            self.rows[file as usize] += 1;
        }
    }

    /// Adds a line as it is.
    pub fn text_row(&mut self, file: File, line: &str) {
        let part = &mut self.parts[file as usize];
        part.extend_from_slice(line.as_bytes());
        part.push(b'\n');
        self.rows[file as usize] += 1;
    }

    /// Compresses.
    ///
    /// # Errors
    /// When the compressor fails.
    pub fn seal(mut self, plain: bool) -> Result<Self> {
        for (part, shape) in self.parts.iter_mut().zip(&FILES) {
            if !plain && !part.is_empty() {
                *part = pack(std::mem::take(part), shape.packing).map_err(|e| Error::io("compress", e))?;
            }
        }
        Ok(self)
    }
}

fn write_csv<T: AsRef<[u8]>>(out: &mut Vec<u8>, delimiter: u8, fields: impl IntoIterator<Item = T>) {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).buffer_capacity(512).from_writer(out);
    // Writing to memory does not fail.
    let _ = writer.write_record(fields);
    let _ = writer.flush();
}

fn pack(bytes: Vec<u8>, packing: Packing) -> std::io::Result<Vec<u8>> {
    match packing {
        Packing::Never => Ok(bytes),
        Packing::Zstd => zstd::bulk::compress(&bytes, 1),
        Packing::Gzip => {
            let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::fast());
            encoder.write_all(&bytes)?;
            encoder.finish()
        }
    }
}

/// The open files of a world.
#[derive(Debug)]
pub struct Files {
    open: Vec<(PathBuf, BufWriter<fs::File>, Written)>,
}

impl Files {
    /// Creates the files with their headers.
    ///
    /// # Errors
    /// I/O.
    pub fn create(directory: &Path, plain: bool) -> Result<Self> {
        let mut files = Files { open: Vec::new() };
        let mut headers = Chunk::new(0);
        for shape in &FILES {
            let name = shape.file_name(plain);
            let path = directory.join(&name);
            let file = fs::File::create(&path).map_err(|e| Error::io(format!("create {}", path.display()), e))?;
            let part = &mut headers.parts[files.open.len()];
            if !shape.header.is_empty() {
                write_csv(part, shape.delimiter, shape.header);
            }
            files.open.push((path, BufWriter::new(file), Written { name, rows: 0, bytes: 0 }));
        }
        files.append(&headers.seal(plain)?)?;
        Ok(files)
    }

    /// Appends a chunk.
    ///
    /// # Errors
    /// I/O.
    pub fn append(&mut self, chunk: &Chunk) -> Result<()> {
        for ((path, file, written), (part, rows)) in self.open.iter_mut().zip(chunk.parts.iter().zip(chunk.rows)) {
            file.write_all(part).map_err(|e| Error::io(format!("write {}", path.display()), e))?;
            written.rows += rows;
            written.bytes += part.len() as u64;
        }
        Ok(())
    }

    /// Flushes, and says what was written.
    ///
    /// # Errors
    /// I/O.
    pub fn finish(self) -> Result<Vec<Written>> {
        let close = |(path, mut file, written): (PathBuf, BufWriter<fs::File>, Written)| {
            file.flush().map_err(|e| Error::io(format!("write {}", path.display()), e))?;
            Ok(written)
        };
        self.open.into_iter().map(close).collect()
    }
}
