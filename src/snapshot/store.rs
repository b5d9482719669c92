//! The data directory: where sections, manifests, `CURRENT`, `PIN`, `LOCK` and `PUBLISH` are, and the order they are written in.

use super::lock::{Lock, Publishing};
use super::manifest::{MAX_MANIFEST_BYTES, Manifest, Plane, Planes, SectionRef};
use super::mmap::Mapped;
use super::reader::{Sections, Snapshot, Unverified};
use super::section::SectionWriter;
use crate::disk;
use crate::error::{Error, Result};
use crate::schema::{Generation, KeyHasher};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use xxhash_rust::xxh3::Xxh3;

/// A data directory. Cheap to clone; clones share the mappings of verified sections.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    /// Whether bid sections are copied into huge pages.
    pub(super) huge_pages: bool,
    /// Sections that are mapped and were verified, by hash: generations that share them share the mapping.
    pub(super) verified: Arc<Mutex<HashMap<String, Weak<Mapped>>>>,
}

impl Store {
    /// The store in `data_dir`, which need not exist yet: it is made by whoever first writes.
    pub fn open(data_dir: impl AsRef<Path>) -> Result<Store> {
        let root = data_dir.as_ref().to_path_buf();
        if root.exists() && !root.is_dir() {
            return Err(Error::usage(format!("the data directory {} is not a directory", root.display())));
        }
        Ok(Store { root, huge_pages: false, verified: Arc::default() })
    }

    /// The same, but bid sections are copied into huge pages when they are opened, where that is asked for, instead of mapped.
    #[must_use]
    pub fn with_huge_pages(self, huge_pages: bool) -> Store {
        Store { huge_pages, ..self }
    }

    /// The data directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Takes `LOCK`, or says who holds it. Makes the directories.
    pub fn lock(&self, purpose: &str) -> Result<Lock> {
        self.make_directories()?;
        Lock::take(&self.root.join("LOCK"), purpose)
    }

    /// Takes `PUBLISH`; waits for whoever holds it. Makes the directories. Must not be held by whoever removes files or goes
    /// back to an earlier generation: those take it themselves.
    pub fn publishing(&self, purpose: &str) -> Result<Publishing> {
        self.make_directories()?;
        Publishing::take(&self.root.join("PUBLISH"), purpose)
    }

    fn make_directories(&self) -> Result<()> {
        for directory in [self.sections_dir(), self.generations_dir(), self.tmp_dir()] {
            let made = fs::create_dir_all(&directory);
            made.map_err(|error| Error::io(format!("make the directory {}", directory.display()), error))?;
        }
        Ok(())
    }

    /// Starts a section. The caller holds one of the locks until the section is named by a manifest: nobody sweeps meanwhile.
    pub fn section(&self, name: &str, plane: Plane) -> Result<SectionWriter> {
        SectionWriter::create(name, plane, self.tmp_dir(), self.sections_dir())
    }

    /// Writes the manifest of a new generation, then `CURRENT`, unless the store is pinned: then the generation waits.
    /// The manifest's number must be newer than every other (see [`next_generation`](Store::next_generation)).
    pub fn publish(&self, _publishing: &Publishing, manifest: Manifest) -> Result<Generation> {
        let generation = manifest.generation;
        let next = self.next_generation()?;
        if generation < next {
            return Err(Error::internal(format!("generation {generation} cannot be published: the next is {next}")));
        }
        for section in &manifest.sections {
            self.check_length(section)?;
        }
        self.replace(&self.manifest_path(generation), &manifest.to_file()?)?;
        if self.pinned()?.is_none() {
            self.set_current(generation)?;
        }
        Ok(generation)
    }

    /// The live generation; `None` before the first build.
    pub fn current(&self) -> Result<Option<Generation>> {
        self.read_number("CURRENT")
    }

    /// The generation that a rollback pinned, if any.
    pub fn pinned(&self) -> Result<Option<Generation>> {
        self.read_number("PIN")
    }

    /// The generations that have a manifest, oldest first.
    pub fn manifests(&self) -> Result<Vec<Generation>> {
        let directory = self.generations_dir();
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io(format!("list {}", directory.display()), error)),
        };
        let mut generations = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| Error::io(format!("list {}", directory.display()), error))?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".json")?.parse().ok());
            generations.extend(number.map(Generation));
        }
        generations.sort_unstable();
        Ok(generations)
    }

    /// The number for the generation that is about to be published; whoever asks holds `PUBLISH`.
    pub fn next_generation(&self) -> Result<Generation> {
        let newest = self.manifests()?.last().copied().max(self.current()?);
        Ok(Generation(newest.map_or(1, |newest| newest.0 + 1)))
    }

    /// The manifest of a generation, its checksum verified.
    pub fn manifest(&self, generation: Generation) -> Result<Manifest> {
        let path = self.manifest_path(generation);
        let manifest = Manifest::from_file(&read_bounded(&path)?, &path.display().to_string())?;
        if manifest.generation != generation {
            let found = manifest.generation;
            return Err(Error::snapshot(format!("{} is the manifest of generation {found}", path.display())));
        }
        Ok(manifest)
    }

    /// A generation before its sections are verified.
    pub fn unverified(&self, generation: Generation) -> Result<Unverified<'_>> {
        Ok(Unverified::new(self, self.manifest(generation)?))
    }

    /// Opens a generation: length, checksum, format and (when given) key fingerprint are verified.
    pub fn open_snapshot(&self, generation: Generation, planes: Planes, key: Option<&KeyHasher>) -> Result<Snapshot> {
        self.unverified(generation)?.verify(planes, key)
    }

    /// Opens what a manifest names, published or not.
    pub fn open_manifest(&self, manifest: &Manifest, planes: Planes, key: Option<&KeyHasher>) -> Result<Snapshot> {
        Unverified::new(self, manifest.clone()).verify(planes, key)
    }

    /// Opens sections that belong to no generation yet.
    pub fn open_sections(&self, sections: &[SectionRef]) -> Result<Sections> {
        Sections::open(self, sections, "the generation being built")
    }

    pub(super) fn set_current(&self, generation: Generation) -> Result<()> {
        self.replace(&self.root.join("CURRENT"), format!("{generation}\n").as_bytes())
    }

    pub(super) fn set_pin(&self, generation: Generation) -> Result<()> {
        self.replace(&self.root.join("PIN"), format!("{generation}\n").as_bytes())
    }

    pub(super) fn sections_dir(&self) -> PathBuf {
        self.root.join("sections")
    }

    pub(super) fn generations_dir(&self) -> PathBuf {
        self.root.join("generations")
    }

    pub(super) fn tmp_dir(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub(super) fn manifest_path(&self, generation: Generation) -> PathBuf {
        self.generations_dir().join(format!("{:06}.json", generation.0))
    }

    pub(super) fn section_path(&self, section: &SectionRef) -> PathBuf {
        self.sections_dir().join(&section.xxh3)
    }

    /// Writes a small file whole or not at all: temp, fsync, rename, fsync of the directory.
    fn replace(&self, path: &Path, contents: &[u8]) -> Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = self.tmp_dir().join(format!("{name}-{}", std::process::id()));
        let written = write_durably(&temporary, contents).and_then(|()| disk::rename(&temporary, path));
        if let Err(error) = written {
            let _ = fs::remove_file(&temporary);
            return Err(Error::io(format!("write {}", path.display()), error));
        }
        sync_directory(path.parent().unwrap_or(&self.root))
    }

    fn check_length(&self, section: &SectionRef) -> Result<()> {
        let length = fs::metadata(self.section_path(section)).map(|metadata| metadata.len());
        match length {
            Ok(length) if length == section.length => Ok(()),
            _ => Err(Error::internal(format!(
                "section `{}` is not complete on disk: nothing is published",
                section.name
            ))),
        }
    }

    fn read_number(&self, name: &str) -> Result<Option<Generation>> {
        let path = self.root.join(name);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(format!("read {}", path.display()), error)),
        };
        text.trim().parse().map(|number| Some(Generation(number))).map_err(|_| {
            Error::snapshot(format!(
                "{} is damaged: it should hold the number of a generation; choose one with `vaglio rollback GENERATION`",
                path.display()
            ))
        })
    }
}

fn write_durably(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = disk::open(OpenOptions::new().write(true).create(true).truncate(true), path)?;
    disk::append(&mut file, contents)?;
    disk::sync(&file)
}

/// Makes renames in a directory durable.
pub(super) fn sync_directory(directory: &Path) -> Result<()> {
    disk::sync_directory(directory)
        .map_err(|error| Error::io(format!("make the directory {} durable", directory.display()), error))
}

/// Length and xxh3-128 of a file.
pub(super) fn hash_file(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    let (mut hash, mut length) = (Xxh3::new(), 0);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((length, format!("{:032x}", hash.digest128())));
        }
        hash.update(&buffer[..read]);
        length += read as u64;
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_MANIFEST_BYTES + 1).read_to_end(&mut text));
    read.map_err(|error| Error::io(format!("read the manifest {}", path.display()), error))?;
    if text.len() as u64 > MAX_MANIFEST_BYTES {
        return Err(Error::snapshot(format!(
            "{} is not a manifest: it is longer than {MAX_MANIFEST_BYTES} bytes",
            path.display()
        )));
    }
    Ok(text)
}
