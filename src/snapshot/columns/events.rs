//! Section `events`: by event name, the rows sorted by (ordinal, time), with their properties.

use super::codes::{Codes, CodesAt, Dictionary, DictionaryAt, Numbers, NumbersAt};
use super::data::{EventData, PropData};
use super::file::{Extent, FileView, FileWriter};
use super::traits::check;
use super::{BLOCK, blocks, starts};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::ops::Range;

const SECTION: &str = "events";

#[derive(Debug, Serialize, Deserialize)]
struct Directory {
    ordinals: u32,
    columns: Vec<(String, ColumnAt)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ColumnAt {
    starts: Extent,
    lows: Extent,
    times: Extent,
    properties: Vec<(String, PropAt)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PropAt {
    Flag(CodesAt),
    Category { codes: CodesAt, dictionary: DictionaryAt },
    Number(NumbersAt),
}

/// Writes the section, an event name at a time.
#[derive(Debug)]
pub struct EventsWriter<W> {
    file: FileWriter<W>,
    directory: Directory,
}

impl<W: Write> EventsWriter<W> {
    /// Starts the section.
    ///
    /// # Errors
    /// The disk's.
    pub fn new(out: W, ordinals: u32) -> Result<Self> {
        Ok(EventsWriter {
            file: FileWriter::new(out, SECTION)?,
            directory: Directory { ordinals, columns: Vec::new() },
        })
    }

    /// Adds an event, in any order of names.
    ///
    /// # Errors
    /// The disk's, or an internal one when the data is not as [`EventData`] says.
    pub fn add(&mut self, name: &str, data: &EventData) -> Result<()> {
        let (rows, ordinals) = (data.ordinals.len(), self.directory.ordinals);
        check(data.times.len() == rows, name, "one time a row")?;
        check(data.ordinals.last().is_none_or(|last| *last < ordinals), name, "ordinals of the snapshot")?;
        let row = |at: usize| (data.ordinals[at], data.times[at]);
        check((1..rows).all(|at| row(at - 1) <= row(at)), name, "rows sorted by ordinal and time")?;
        let file = &mut self.file;
        let (starts, lows) = (
            file.array(&starts(ordinals, &data.ordinals))?,
            file.stream(data.ordinals.iter().map(|ordinal| *ordinal as u16))?,
        );
        let times = file.array(&data.times)?;
        let mut properties = Vec::new();
        for (property, values) in &data.properties {
            properties.push((property.clone(), write_property(file, name, rows, values)?));
        }
        self.directory.columns.push((name.to_owned(), ColumnAt { starts, lows, times, properties }));
        Ok(())
    }

    /// Writes the directory; gives back what was written to.
    ///
    /// # Errors
    /// The disk's, or an internal one when a name was added twice.
    pub fn finish(mut self) -> Result<W> {
        self.directory.columns.sort_by(|a, b| a.0.cmp(&b.0));
        let distinct = self.directory.columns.is_sorted_by(|a, b| a.0 < b.0);
        check(distinct, "the directory", "each event once")?;
        self.file.finish(&self.directory)
    }
}

fn write_property<W: Write>(file: &mut FileWriter<W>, name: &str, rows: usize, values: &PropData) -> Result<PropAt> {
    Ok(match values {
        PropData::Flag(values) => {
            check(values.len() == rows, name, "one value a row")?;
            PropAt::Flag(CodesAt::write(file, 2, values.iter().map(|value| u32::from(*value)))?)
        }
        PropData::Category { codes, dictionary } => {
            check(codes.len() == rows, name, "one code a row")?;
            check(codes.iter().all(|code| *code as usize <= dictionary.len()), name, "codes of the dictionary")?;
            check(dictionary.is_sorted_by(|a, b| a < b), name, "a sorted dictionary")?;
            let codes = CodesAt::write(file, dictionary.len() as u32, codes.iter().copied())?;
            PropAt::Category { codes, dictionary: DictionaryAt::write(file, dictionary)? }
        }
        PropData::Number(values) => {
            check(values.len() == rows, name, "one value a row")?;
            PropAt::Number(NumbersAt::write(file, values)?)
        }
    })
}

/// An event property's values in place, one a row.
#[derive(Debug, Clone, Copy)]
pub enum PropColumn<'a> {
    /// 1 = false, 2 = true.
    Flag(Codes<'a>),
    /// Codes of a dictionary.
    Category(Codes<'a>, Dictionary<'a>),
    /// Numbers.
    Number(Numbers<'a>),
}

/// All events of one name, in place.
#[derive(Debug, Clone)]
pub struct EventColumn<'a> {
    /// By row: seconds since the epoch.
    pub times: &'a [u32],
    /// By row: the low 16 bits of the ordinal.
    pub lows: &'a [u16],
    properties: Vec<(String, PropColumn<'a>)>,
    starts: &'a [u64],
}

impl<'a> EventColumn<'a> {
    /// The rows of a block's ordinals.
    pub fn rows(&self, block: usize) -> Range<usize> {
        match (self.starts.get(block), self.starts.get(block + 1)) {
            (Some(start), Some(end)) => *start as usize..*end as usize,
            _ => 0..0,
        }
    }

    /// The rows of one ordinal.
    pub fn rows_of(&self, ordinal: u32) -> Range<usize> {
        let (rows, low) = (self.rows(ordinal as usize / BLOCK), ordinal as u16);
        let lows = &self.lows[rows.clone()];
        let start = lows.partition_point(|other| *other < low);
        let length = lows[start..].partition_point(|other| *other <= low);
        rows.start + start..rows.start + start + length
    }

    /// A property's position.
    pub fn find_property(&self, name: &str) -> Option<usize> {
        self.properties.iter().position(|(property, _)| property == name)
    }

    /// The properties' names and columns, in the declaration's order.
    pub fn properties(&self) -> &[(String, PropColumn<'a>)] {
        &self.properties
    }

    /// The property at a position.
    pub fn property(&self, at: usize) -> Option<&PropColumn<'a>> {
        self.properties.get(at).map(|(_, column)| column)
    }
}

pub(super) fn open(bytes: &[u8]) -> Result<(u32, Vec<(String, EventColumn<'_>)>)> {
    let (file, directory): (_, Directory) = FileView::open(bytes, SECTION)?;
    file.require_sorted(directory.columns.iter().map(|column| column.0.as_str()))?;
    let ordinals = directory.ordinals;
    let columns = directory.columns.into_iter().map(|(name, column)| Ok((name, view(&file, ordinals, column)?)));
    Ok((ordinals, columns.collect::<Result<_>>()?))
}

fn view<'a>(file: &FileView<'a>, ordinals: u32, column: ColumnAt) -> Result<EventColumn<'a>> {
    let times: &[u32] = file.array(column.times)?;
    let mut properties = Vec::new();
    for (name, property) in column.properties {
        let view = match property {
            PropAt::Flag(codes) => PropColumn::Flag(codes.view(file, times.len())?),
            PropAt::Number(numbers) => PropColumn::Number(numbers.view(file, times.len())?),
            PropAt::Category { codes, dictionary } => {
                PropColumn::Category(codes.view(file, times.len())?, dictionary.view(file)?)
            }
        };
        properties.push((name, view));
    }
    Ok(EventColumn {
        starts: file.offsets(column.starts, blocks(ordinals) + 1, times.len())?,
        lows: file.sized(column.lows, times.len())?,
        times,
        properties,
    })
}
