//! From files to bytes that can be trusted: `Unverified` -> [`Snapshot`]. There is no other way to a section's bytes.

use super::manifest::{FORMAT, Manifest, Plane, Planes, SectionRef};
use super::mmap::Mapped;
use super::store::Store;
use crate::disk;
use crate::error::{Error, Result};
use crate::schema::{Generation, KeyHasher};
use std::fmt;
use std::fs::File;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// Sections below this gain nothing by a copy.
const HUGE_PAGE_BYTES: u64 = 2 << 20;

/// A generation whose manifest is read and whose sections nobody has looked at.
pub struct Unverified<'a> {
    store: &'a Store,
    manifest: Manifest,
}

impl<'a> Unverified<'a> {
    pub(super) fn new(store: &'a Store, manifest: Manifest) -> Self {
        Unverified { store, manifest }
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Verifies format, key fingerprint (when a key is given), and every section of these planes: length and checksum.
    pub fn verify(self, planes: Planes, key: Option<&KeyHasher>) -> Result<Snapshot> {
        let Unverified { store, manifest } = self;
        let generation = manifest.generation;
        if manifest.format != FORMAT {
            return Err(Error::snapshot(format!(
                "generation {generation} was built by another version of vaglio: format {}, this program reads {FORMAT}; rebuild with `vaglio build`",
                manifest.format
            )));
        }
        if let Some(key) = key
            && key.fingerprint() != manifest.key_fingerprint
        {
            return Err(Error::snapshot(format!(
                "generation {generation} was built with another key: its fingerprint is {}, that of the configured key is {}; restore the key file it was built with, or rebuild with `vaglio build`",
                manifest.key_fingerprint,
                key.fingerprint()
            )));
        }
        let wanted: Vec<SectionRef> =
            manifest.sections.iter().filter(|section| planes.include(section.plane)).cloned().collect();
        let sections = Sections::open(store, &wanted, &format!("generation {generation}"))?;
        Ok(Snapshot { manifest: Arc::new(manifest), sections })
    }
}

/// The bytes of a verified section: 64-byte aligned, shared, alive as long as somebody holds them.
#[derive(Clone)]
pub struct SectionBytes(Arc<Mapped>);

impl Deref for SectionBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SectionBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SectionBytes({})", self.len())
    }
}

/// Verified sections by name. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sections {
    of: Arc<str>,
    list: Arc<[(String, SectionBytes)]>,
}

impl Sections {
    pub(super) fn open(store: &Store, sections: &[SectionRef], of: &str) -> Result<Sections> {
        let list: Result<Vec<_>> = sections
            .iter()
            .map(|section| Ok((section.name.clone(), SectionBytes(verified(store, section, of)?))))
            .collect();
        Ok(Sections { of: of.into(), list: list?.into() })
    }

    /// The bytes of a section.
    pub fn section(&self, name: &str) -> Result<&[u8]> {
        self.find(name).map(|bytes| &**bytes).ok_or_else(|| self.missing(name))
    }

    /// The bytes of a section as a value that keeps them alive.
    pub fn shared(&self, name: &str) -> Result<SectionBytes> {
        self.find(name).cloned().ok_or_else(|| self.missing(name))
    }

    /// Whether there is such a section.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&SectionBytes> {
        self.list.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes)
    }

    fn missing(&self, name: &str) -> Error {
        Error::snapshot(format!("{} has no section `{name}`; rebuild with `vaglio build`", self.of))
    }
}

/// A verified generation. Cheap to clone; its files stay mapped while a clone lives.
#[derive(Debug, Clone)]
pub struct Snapshot {
    manifest: Arc<Manifest>,
    sections: Sections,
}

impl Snapshot {
    /// Its manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its number.
    pub fn generation(&self) -> Generation {
        self.manifest.generation
    }

    /// Its opened sections.
    pub fn sections(&self) -> &Sections {
        &self.sections
    }

    /// The bytes of a section.
    pub fn section(&self, name: &str) -> Result<&[u8]> {
        self.sections.section(name)
    }

    /// The bytes of a section as a value that keeps them alive.
    pub fn shared(&self, name: &str) -> Result<SectionBytes> {
        self.sections.shared(name)
    }

    /// Whether there is such a section among the opened ones.
    pub fn has(&self, name: &str) -> bool {
        self.sections.has(name)
    }
}

/// Maps a section and verifies it, unless the same bytes are mapped and verified already.
fn verified(store: &Store, section: &SectionRef, of: &str) -> Result<Arc<Mapped>> {
    let known = store.verified.lock().get(&section.xxh3).and_then(std::sync::Weak::upgrade);
    if let Some(mapped) = known.filter(|mapped| mapped.len() as u64 == section.length) {
        return Ok(mapped);
    }
    let path = store.section_path(section);
    let copy = store.huge_pages && section.plane == Plane::Bid && section.length >= HUGE_PAGE_BYTES;
    let mapped = Arc::new(map_verified(&path, section, of, copy)?);
    let mut verified = store.verified.lock();
    verified.retain(|_, mapped| mapped.strong_count() > 0);
    verified.insert(section.xxh3.clone(), Arc::downgrade(&mapped));
    Ok(mapped)
}

fn map_verified(path: &Path, section: &SectionRef, of: &str, copy: bool) -> Result<Mapped> {
    let name = &section.name;
    let cannot =
        |doing: &str, error| Error::io(format!("{doing} section `{name}` of {of} ({})", path.display()), error);
    let refused = |what: String| {
        Error::snapshot(format!(
            "section `{name}` of {of} is damaged: {what} ({}); go back to another generation with `vaglio rollback`, or rebuild with `vaglio build`",
            path.display()
        ))
    };
    if section.xxh3.len() != 32 || !section.xxh3.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Error::snapshot(format!("section `{name}` of {of} has no valid checksum in the manifest")));
    }
    let mut file = File::open(path).map_err(|error| cannot("open", error))?;
    let length = file.metadata().map_err(|error| cannot("read", error))?.len();
    if length != section.length {
        return Err(refused(format!("it has {length} bytes instead of {}", section.length)));
    }
    let mapped = if copy {
        Mapped::copied(&mut file).map_err(|error| cannot("copy into memory", error))?
    } else {
        let mapped = Mapped::new(&file).map_err(|error| cannot("map", error))?;
        mapped.will_need();
        mapped
    };
    let checksum = format!("{:032x}", xxh3_128(&mapped));
    if checksum != section.xxh3 && !disk::bug(disk::Bug::IgnoreChecksum) {
        return Err(refused("its checksum does not match its contents".to_owned()));
    }
    Ok(mapped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_copy_in_huge_pages_is_the_same_bytes_and_is_verified_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let mapping = Store::open(directory.path()).unwrap();
        let _lock = mapping.lock("test").unwrap();
        let bytes: Vec<u8> =
            (0..HUGE_PAGE_BYTES as u32 + 12_345).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let write = |name, plane, bytes: &[u8]| {
            let mut section = mapping.section(name, plane).unwrap();
            section.write_all(bytes).unwrap();
            section.finish().unwrap()
        };
        let large = write("forward", Plane::Bid, &bytes);
        let small = write("flips", Plane::Bid, &bytes[..100]);
        let sections = [large.clone(), small];
        let copying = || Store::open(directory.path()).unwrap().with_huge_pages(true);
        for store in [mapping.clone(), copying()] {
            let opened = store.open_sections(&sections).unwrap();
            assert_eq!(opened.section("forward").unwrap(), bytes);
            assert_eq!(opened.section("flips").unwrap(), &bytes[..100]);
            // Whoever opens it again shares it.
            let again = store.open_sections(&sections).unwrap();
            assert!(std::ptr::eq(opened.section("forward").unwrap(), again.section("forward").unwrap()));
        }
        let mut damaged = bytes;
        damaged[2_000_000] ^= 1;
        std::fs::write(mapping.section_path(&large), damaged).unwrap();
        let refused = copying().open_sections(&sections).unwrap_err().to_string();
        assert!(refused.contains("section `forward` of the generation being built is damaged"), "{refused}");
    }
}
