//! The files of a source: found by glob, opened as a stream of plain bytes.

#[cfg(feature = "lake")]
use super::objects::Object;
use crate::config::Source;
use crate::error::{Error, Result};
use crate::telemetry::progress::Phase;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Ndjson,
    #[cfg(feature = "lake")]
    Parquet,
}

/// How the bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// A file to read.
#[derive(Debug, Clone)]
pub(super) struct InputFile {
    /// Path or URL, as people read it.
    pub(super) name: String,
    /// Position of its source.
    pub(super) source: usize,
    pub(super) format: Format,
    pub(super) packing: Packing,
    /// As stored.
    pub(super) bytes: u64,
    /// Seconds since the epoch.
    pub(super) modified: i64,
    pub(super) place: Place,
}

/// Where a file is.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Local(PathBuf),
    #[cfg(feature = "lake")]
    Object(Object),
}

/// The files of every source, in the order of the sources and of their names.
pub(super) fn find_all(sources: &[Source]) -> Result<Vec<InputFile>> {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for (position, source) in sources.iter().enumerate() {
        match find(position, source) {
            Ok(found) => files.extend(found),
            Err(error) if problems.is_empty() && sources.len() == 1 => return Err(error),
            Err(error) => problems.push(crate::error::Problem::new(error.to_string())),
        }
    }
    if problems.is_empty() {
        Ok(files)
    } else {
        Err(Error::input("the files of some sources cannot be found").with_problems(problems))
    }
}

fn find(position: usize, source: &Source) -> Result<Vec<InputFile>> {
    let files = match source.path.strip_prefix("s3://") {
        Some(rest) => find_objects(position, source, rest)?,
        None => find_local(position, source)?,
    };
    if files.is_empty() {
        return Err(Error::input(format!(
            "source `{}`: no file matches {} (check the path and that the export has run; a source that is gone for good \
             is taken out of the configuration)",
            source.name, source.path
        )));
    }
    Ok(files)
}

fn find_local(position: usize, source: &Source) -> Result<Vec<InputFile>> {
    let paths = glob::glob(&source.path).map_err(|error| {
        Error::usage(format!("source `{}`: {} is not a valid pattern: {error}", source.name, source.path))
    })?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| {
            let place = error.path().display().to_string();
            Error::io(format!("look for the files of source `{}` in {place}", source.name), error.into())
        })?;
        let about = |error| Error::io(format!("read {} of source `{}`", path.display(), source.name), error);
        let facts = std::fs::metadata(&path).map_err(about)?;
        if facts.is_dir() {
            continue;
        }
        let since = facts.modified().map_err(about)?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = path.display().to_string();
        let (format, packing) = kind_of(source, &name)?;
        files.push(InputFile {
            name,
            source: position,
            format,
            packing,
            bytes: facts.len(),
            modified: since.as_secs() as i64,
            place: Place::Local(path),
        });
    }
    Ok(files)
}

#[cfg(feature = "lake")]
fn find_objects(position: usize, source: &Source, rest: &str) -> Result<Vec<InputFile>> {
    let found = super::objects::list(source, rest)?;
    let file = |(object, bytes, modified): (Object, u64, i64)| {
        let name = object.url();
        let (format, packing) = kind_of(source, &name)?;
        Ok(InputFile { name, source: position, format, packing, bytes, modified, place: Place::Object(object) })
    };
    found.into_iter().map(file).collect()
}

#[cfg(not(feature = "lake"))]
fn find_objects(_: usize, source: &Source, _: &str) -> Result<Vec<InputFile>> {
    Err(Error::usage(format!("source `{}`: s3:// needs a vaglio built with the feature `lake`", source.name)))
}

/// The format and the packing that a name's extensions tell.
fn kind_of(source: &Source, name: &str) -> Result<(Format, Packing)> {
    let extension =
        |name: &str| Path::new(name).extension().map(|e| e.to_ascii_lowercase().to_string_lossy().into_owned());
    let (rest, packing) = match extension(name).as_deref() {
        Some("gz") => (&name[..name.len() - 3], Packing::Gzip),
        Some("zst") => (&name[..name.len() - 4], Packing::Zstd),
        _ => (name, Packing::Plain),
    };
    let format = match extension(rest).as_deref() {
        Some("csv") => Some(Format::Csv),
        Some("ndjson" | "jsonl") => Some(Format::Ndjson),
        #[cfg(feature = "lake")]
        Some("parquet") if packing == Packing::Plain => Some(Format::Parquet),
        _ => None,
    };
    let format = format.ok_or_else(|| {
        Error::input(format!(
            "source `{}`: the format of {name} is not known; expected .csv, .ndjson or .jsonl (each also with .gz or \
             .zst), or .parquet{}; narrow the path to the files that are meant",
            source.name,
            if cfg!(feature = "lake") { "" } else { " (in a vaglio built with the feature `lake`)" },
        ))
    })?;
    Ok((format, packing))
}

impl InputFile {
    /// Opens the plain bytes; `phase` counts the stored ones.
    pub(super) fn open<'a>(&self, phase: Option<&'a Phase>) -> io::Result<Box<dyn Read + Send + 'a>> {
        let stored: Box<dyn Read + Send + 'a> = match &self.place {
            Place::Local(path) => Box::new(Counted { inner: File::open(path)?, phase }),
            #[cfg(feature = "lake")]
            Place::Object(object) => Box::new(Counted { inner: object.stream(), phase }),
        };
        Ok(match self.packing {
            Packing::Plain => stored,
            Packing::Gzip => {
                Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(128 * 1024, stored)))
            }
            Packing::Zstd => Box::new(zstd::stream::read::Decoder::new(stored)?),
        })
    }

    /// An error while reading, in words; `source` is the source's name.
    pub(super) fn unreadable(&self, source: &str, error: io::Error) -> Error {
        let packed = match self.packing {
            Packing::Plain => None,
            Packing::Gzip => Some("gzip"),
            Packing::Zstd => Some("zstd"),
        };
        let damaged = matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::InvalidInput
                | io::ErrorKind::InvalidData
                | io::ErrorKind::Other
        );
        match packed {
            Some(packing) if damaged => Error::input(format!(
                "source `{source}`: {} is truncated or is not {packing}: {error} (copy it again; nothing was published)",
                self.name
            ))
            .caused_by(error),
            _ => Error::io(format!("read {} of source `{source}`", self.name), error),
        }
    }
}

/// Counts what passes.
struct Counted<'a, R> {
    inner: R,
    phase: Option<&'a Phase>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(phase) = self.phase {
            phase.add(read as u64);
        }
        Ok(read)
    }
}
