//! Section `memberships`: by uploaded list, who is on it and until when.

use super::data::ListData;
use super::file::{Extent, FileView, FileWriter};
use super::traits::check;
use super::{BLOCK, blocks, starts};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::io::Write;

const SECTION: &str = "memberships";

#[derive(Debug, Serialize, Deserialize)]
struct Directory {
    ordinals: u32,
    columns: Vec<(String, ColumnAt)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ColumnAt {
    starts: Extent,
    lows: Extent,
    until: Extent,
}

/// Writes the section, a list at a time.
#[derive(Debug)]
pub struct ListsWriter<W> {
    file: FileWriter<W>,
    directory: Directory,
}

impl<W: Write> ListsWriter<W> {
    /// Starts the section.
    ///
    /// # Errors
    /// The disk's.
    pub fn new(out: W, ordinals: u32) -> Result<Self> {
        let directory = Directory { ordinals, columns: Vec::new() };
        Ok(ListsWriter { file: FileWriter::new(out, SECTION)?, directory })
    }

    /// Adds a list by its audience's id, in any order.
    ///
    /// # Errors
    /// The disk's, or an internal one when the data is not as [`ListData`] says.
    pub fn add(&mut self, name: &str, data: &ListData) -> Result<()> {
        let ordinals = self.directory.ordinals;
        check(data.until.len() == data.ordinals.len(), name, "one end a member")?;
        check(data.ordinals.is_sorted_by(|a, b| a < b), name, "members sorted and distinct")?;
        check(data.ordinals.last().is_none_or(|last| *last < ordinals), name, "ordinals of the snapshot")?;
        let column = ColumnAt {
            starts: self.file.array(&starts(ordinals, &data.ordinals))?,
            lows: self.file.stream(data.ordinals.iter().map(|ordinal| *ordinal as u16))?,
            until: self.file.array(&data.until)?,
        };
        self.directory.columns.push((name.to_owned(), column));
        Ok(())
    }

    /// Writes the directory; gives back what was written to.
    ///
    /// # Errors
    /// The disk's, or an internal one when a name was added twice.
    pub fn finish(mut self) -> Result<W> {
        self.directory.columns.sort_by(|a, b| a.0.cmp(&b.0));
        let distinct = self.directory.columns.is_sorted_by(|a, b| a.0 < b.0);
        check(distinct, "the directory", "each list once")?;
        self.file.finish(&self.directory)
    }
}

/// The members of a list, in place.
#[derive(Debug, Clone, Copy)]
pub struct ListColumn<'a> {
    starts: &'a [u64],
    lows: &'a [u16],
    until: &'a [u32],
}

impl<'a> ListColumn<'a> {
    /// A block's members: the low 16 bits of their ordinals, and until when (excluded; `u32::MAX` = without end).
    pub fn members(&self, block: usize) -> (&'a [u16], &'a [u32]) {
        let range = match (self.starts.get(block), self.starts.get(block + 1)) {
            (Some(start), Some(end)) => *start as usize..*end as usize,
            _ => 0..0,
        };
        (&self.lows[range.clone()], &self.until[range])
    }

    /// Until when an ordinal is on the list, if it is.
    pub fn until(&self, ordinal: u32) -> Option<u32> {
        let (lows, until) = self.members(ordinal as usize / BLOCK);
        lows.binary_search(&(ordinal as u16)).ok().map(|at| until[at])
    }
}

pub(super) fn open(bytes: &[u8]) -> Result<(u32, Vec<(String, ListColumn<'_>)>)> {
    let (file, directory): (_, Directory) = FileView::open(bytes, SECTION)?;
    file.require_sorted(directory.columns.iter().map(|column| column.0.as_str()))?;
    let ordinals = directory.ordinals;
    let view = |at: &ColumnAt| {
        let until: &[u32] = file.array(at.until)?;
        let starts = file.offsets(at.starts, blocks(ordinals) + 1, until.len())?;
        Ok(ListColumn { starts, lows: file.sized(at.lows, until.len())?, until })
    };
    let columns = directory.columns.iter().map(|(name, at)| Ok((name.clone(), view(at)?)));
    Ok((ordinals, columns.collect::<Result<_>>()?))
}
