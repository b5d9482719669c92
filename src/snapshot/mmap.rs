//! Mapping files and prefetching cache lines: the only `unsafe` of the program. Nothing here knows what the bytes mean.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;

/// A file mapped for reading, or a copy of one. It starts at a page, so offsets that are multiples of 64 are cache lines.
#[derive(Debug)]
pub struct Mapped {
    map: memmap2::Mmap,
}

impl Mapped {
    /// Maps a whole file.
    pub fn new(file: &File) -> io::Result<Mapped> {
        // SAFETY: the bytes must not change while they are mapped. Every file we map was renamed into place after it
        // was complete and is never opened for writing again: it can only be unlinked or replaced by another rename,
        // and both leave the mapped inode alone.
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Mapped { map })
    }

    /// Copies a whole file into memory of our own, which the kernel backs by huge pages where it can: those of a mapped file it
    /// does not, on most file systems. An index that is read at random then costs no walk through page tables on top of its misses.
    pub fn copied(file: &mut File) -> io::Result<Mapped> {
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        let mut memory = memmap2::MmapMut::map_anon(length)?;
        #[cfg(target_os = "linux")]
        {
            // Before the first byte is written: pages are chosen then. Advice only.
            let _ = memory.advise(memmap2::Advice::HugePage);
        }
        file.read_exact(&mut memory)?;
        Ok(Mapped { map: memory.make_read_only()? })
    }

    /// Asks the kernel to read the pages ahead, and to back them by huge pages where it can. Advice only.
    pub fn will_need(&self) {
        #[cfg(target_os = "linux")]
        {
            let _ = self.map.advise(memmap2::Advice::HugePage);
        }
        let _ = self.map.advise(memmap2::Advice::WillNeed);
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}

/// Starts loading the cache line of `bytes[at]`. Does nothing when `at` is outside, or on a processor we know no hint for.
#[inline(always)]
pub fn prefetch(bytes: &[u8], at: usize) {
    if let Some(byte) = bytes.get(at) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: the address is that of a live byte, and a prefetch has no effect that a program can see.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(byte).cast()) }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = byte;
    }
}
