//! Section `traits`: one column a trait, one value an ordinal, and the seeds of `in sample`.

use super::codes::{Codes, CodesAt, Days, DaysAt, Dictionary, DictionaryAt, Numbers, NumbersAt};
use super::data::TraitData;
use super::file::{Extent, FileView, FileWriter};
use super::{BLOCK, WORDS, blocks};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::io::Write;

const SECTION: &str = "traits";

#[derive(Debug, Serialize, Deserialize)]
struct Directory {
    ordinals: u32,
    seeds: Extent,
    columns: Vec<(String, ColumnAt)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ColumnAt {
    Flag { known: Extent, yes: Extent },
    Category { codes: CodesAt, dictionary: DictionaryAt },
    Tags(TagsAt),
    Number(NumbersAt),
    Date(DaysAt),
}

#[derive(Debug, Serialize, Deserialize)]
struct TagsAt {
    known: Extent,
    blocks: Extent,
    values: Extent,
    ends: Extent,
    lows: Extent,
    dictionary: DictionaryAt,
}

/// Writes the section, a trait at a time.
#[derive(Debug)]
pub struct TraitsWriter<W> {
    file: FileWriter<W>,
    directory: Directory,
}

impl<W: Write> TraitsWriter<W> {
    /// Starts with the seeds: one an ordinal.
    ///
    /// # Errors
    /// The disk's, or an internal one when the lengths disagree.
    pub fn new(out: W, ordinals: u32, seeds: &[u32]) -> Result<Self> {
        check(seeds.len() == ordinals as usize, "seeds", "one seed an ordinal")?;
        let mut file = FileWriter::new(out, SECTION)?;
        let seeds = file.array(seeds)?;
        Ok(TraitsWriter { file, directory: Directory { ordinals, seeds, columns: Vec::new() } })
    }

    /// Adds a trait, in any order of names.
    ///
    /// # Errors
    /// The disk's, or an internal one when the data is not as [`TraitData`] says.
    pub fn add(&mut self, name: &str, data: &TraitData) -> Result<()> {
        let (ordinals, file) = (self.directory.ordinals as usize, &mut self.file);
        let column = match data {
            TraitData::Flag(values) => {
                check(values.len() == ordinals, name, "one value an ordinal")?;
                let known = file.stream(bitmap(ordinals, |at| values[at] != 0))?;
                ColumnAt::Flag { known, yes: file.stream(bitmap(ordinals, |at| values[at] == 2))? }
            }
            TraitData::Category { codes, dictionary } => {
                check(codes.len() == ordinals, name, "one code an ordinal")?;
                check(codes.iter().all(|code| *code as usize <= dictionary.len()), name, "codes of the dictionary")?;
                check(dictionary.is_sorted_by(|a, b| a < b), name, "a sorted dictionary")?;
                let codes = CodesAt::write(file, dictionary.len() as u32, codes.iter().copied())?;
                ColumnAt::Category { codes, dictionary: DictionaryAt::write(file, dictionary)? }
            }
            TraitData::Tags { starts, codes, dictionary } => {
                check(starts.len() == ordinals + 1, name, "one start an ordinal and the end")?;
                check(starts.is_sorted() && starts[ordinals] as usize == codes.len(), name, "rising starts")?;
                check(codes.iter().all(|code| (*code as usize) < dictionary.len()), name, "codes of the dictionary")?;
                check(dictionary.is_sorted_by(|a, b| a < b), name, "a sorted dictionary")?;
                ColumnAt::Tags(write_tags(file, ordinals, starts, codes, dictionary)?)
            }
            TraitData::Number(values) => {
                check(values.len() == ordinals, name, "one value an ordinal")?;
                ColumnAt::Number(NumbersAt::write(file, values)?)
            }
            TraitData::Date(days) => {
                check(days.len() == ordinals, name, "one value an ordinal")?;
                ColumnAt::Date(DaysAt::write(file, days)?)
            }
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
        check(distinct, "the directory", "each trait once")?;
        self.file.finish(&self.directory)
    }
}

pub(super) fn check(sound: bool, column: &str, expected: &str) -> Result<()> {
    if sound { Ok(()) } else { Err(Error::internal(format!("column {column}: expected {expected}"))) }
}

/// Words of whole blocks: bit `o` is `set(o)`.
fn bitmap(ordinals: usize, set: impl Fn(usize) -> bool) -> impl Iterator<Item = u64> {
    (0..blocks(ordinals as u32) * WORDS).map(move |word| {
        let bits = word * 64..ordinals.min(word * 64 + 64);
        bits.enumerate().fold(0, |bits, (bit, ordinal)| bits | u64::from(set(ordinal)) << bit)
    })
}

/// Inverts a block at a time: the ordinals of each tag that occurs in it.
fn write_tags<W: Write>(
    file: &mut FileWriter<W>,
    ordinals: usize,
    starts: &[u32],
    codes: &[u32],
    dictionary: &[String],
) -> Result<TagsAt> {
    let (mut block_ends, mut values, mut ends) = (vec![0u64], Vec::<u32>::new(), Vec::<u64>::new());
    let mut pairs: Vec<(u32, u16)> = Vec::new();
    let mut written = 0u64;
    let mut lows = Vec::with_capacity(codes.len());
    for block in 0..blocks(ordinals as u32) {
        pairs.clear();
        for ordinal in block * BLOCK..ordinals.min((block + 1) * BLOCK) {
            let tags = &codes[starts[ordinal] as usize..starts[ordinal + 1] as usize];
            pairs.extend(tags.iter().map(|tag| (*tag, ordinal as u16)));
        }
        pairs.sort_unstable();
        for run in pairs.chunk_by(|a, b| a.0 == b.0) {
            written += run.len() as u64;
            values.push(run[0].0);
            ends.push(written);
            lows.extend(run.iter().map(|pair| pair.1));
        }
        block_ends.push(values.len() as u64);
    }
    Ok(TagsAt {
        known: file.stream(bitmap(ordinals, |at| starts[at] < starts[at + 1]))?,
        blocks: file.array(&block_ends)?,
        ends: file.stream(std::iter::once(0).chain(ends))?,
        values: file.array(&values)?,
        lows: file.array(&lows)?,
        dictionary: DictionaryAt::write(file, dictionary)?,
    })
}

/// A trait's values in place.
#[derive(Debug, Clone, Copy)]
pub enum TraitColumn<'a> {
    /// Two bitmaps of whole blocks.
    Flag {
        /// Who has a value.
        known: &'a [u64],
        /// For whom it is true.
        yes: &'a [u64],
    },
    /// Codes of a dictionary.
    Category(Codes<'a>, Dictionary<'a>),
    /// Who has which tag.
    Tags(Tags<'a>),
    /// Numbers.
    Number(Numbers<'a>),
    /// Days.
    Date(Days<'a>),
}

impl TraitColumn<'_> {
    /// Whether an ordinal has a value.
    pub fn knows(&self, ordinal: u32) -> bool {
        let at = ordinal as usize;
        let bit = |words: &[u64]| words.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1);
        match self {
            TraitColumn::Flag { known, .. } => bit(known),
            TraitColumn::Tags(tags) => bit(tags.known),
            TraitColumn::Category(codes, _) => codes.get(at) != 0,
            TraitColumn::Date(days) => days.codes.get(at) != 0,
            TraitColumn::Number(numbers) => numbers.get(at).is_some(),
        }
    }
}

/// Tags in place, inverted: by block, the ordinals of each tag that occurs in it.
#[derive(Debug, Clone, Copy)]
pub struct Tags<'a> {
    /// Who has any: whole blocks.
    pub known: &'a [u64],
    /// Codes are positions here.
    pub dictionary: Dictionary<'a>,
    blocks: &'a [u64],
    values: &'a [u32],
    ends: &'a [u64],
    lows: &'a [u16],
}

impl<'a> Tags<'a> {
    /// The low 16 bits of the ordinals of a block that have the tag at a position of the dictionary, ascending.
    pub fn having(&self, block: usize, tag: u32) -> &'a [u16] {
        let (start, end) = match (self.blocks.get(block), self.blocks.get(block + 1)) {
            (Some(start), Some(end)) => (*start as usize, *end as usize),
            _ => return &[],
        };
        match self.values[start..end].binary_search(&tag) {
            Ok(at) => &self.lows[self.ends[start + at] as usize..self.ends[start + at + 1] as usize],
            Err(_) => &[],
        }
    }

    /// Whether an ordinal has a tag.
    pub fn has(&self, ordinal: u32, tag: &str) -> bool {
        let having = |tag| self.having(ordinal as usize / BLOCK, tag);
        self.dictionary.find(tag).is_some_and(|tag| having(tag).binary_search(&(ordinal as u16)).is_ok())
    }

    /// The tags of an ordinal, ascending. Slow: for explanations.
    pub fn of(&self, ordinal: u32) -> Vec<u32> {
        let (block, low) = (ordinal as usize / BLOCK, ordinal as u16);
        let tags = 0..self.dictionary.len() as u32;
        tags.filter(|tag| self.having(block, *tag).binary_search(&low).is_ok()).collect()
    }
}

/// The section, opened.
#[derive(Debug, Clone)]
pub(super) struct Traits<'a> {
    pub ordinals: u32,
    pub seeds: &'a [u32],
    pub columns: Vec<(String, TraitColumn<'a>)>,
}

impl<'a> Traits<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        let (file, directory): (_, Directory) = FileView::open(bytes, SECTION)?;
        file.require_sorted(directory.columns.iter().map(|column| column.0.as_str()))?;
        let ordinals = directory.ordinals;
        let columns = directory.columns.into_iter().map(|(name, column)| Ok((name, view(&file, ordinals, &column)?)));
        Ok(Traits {
            ordinals,
            seeds: file.sized(directory.seeds, ordinals as usize)?,
            columns: columns.collect::<Result<_>>()?,
        })
    }
}

fn view<'a>(file: &FileView<'a>, ordinals: u32, column: &ColumnAt) -> Result<TraitColumn<'a>> {
    let (length, words) = (ordinals as usize, blocks(ordinals) * WORDS);
    Ok(match column {
        ColumnAt::Flag { known, yes } => {
            TraitColumn::Flag { known: file.sized(*known, words)?, yes: file.sized(*yes, words)? }
        }
        ColumnAt::Category { codes, dictionary } => {
            TraitColumn::Category(codes.view(file, length)?, dictionary.view(file)?)
        }
        ColumnAt::Number(numbers) => TraitColumn::Number(numbers.view(file, length)?),
        ColumnAt::Date(days) => TraitColumn::Date(days.view(file, length)?),
        ColumnAt::Tags(at) => {
            let (values, lows): (&[u32], &[u16]) = (file.array(at.values)?, file.array(at.lows)?);
            TraitColumn::Tags(Tags {
                known: file.sized(at.known, words)?,
                dictionary: at.dictionary.view(file)?,
                blocks: file.offsets(at.blocks, blocks(ordinals) + 1, values.len())?,
                ends: file.offsets(at.ends, values.len() + 1, lows.len())?,
                values,
                lows,
            })
        }
    })
}
