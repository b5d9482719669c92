//! A change as records of the control log: its JSON, cut where a record is full. Every part begins with the change's number and
//! a digest of the whole, so that parts of two changes are never taken for one another's.

use super::{Change, MOST_ITEMS};
use crate::error::{Error, Result};
use crate::log::Control;
use crate::log::control::bytes::{LONGEST_PART, MOST_PARTS};
use crate::schema::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

/// Room for the head of a part: `NUMBER-DIGEST `.
const HEAD: usize = 64;

impl Change {
    /// Its records.
    ///
    /// # Errors
    /// A change that is too large for them.
    pub fn records(&self, time: Timestamp) -> Result<Vec<Control>> {
        let text = serde_json::to_string(self)
            .map_err(|error| Error::internal(format!("a change of the catalogue: {error}")))?;
        let head = head(self.number, &text);
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(rest.floor_char_boundary(LONGEST_PART - HEAD));
            pieces.push(format!("{head}{piece}"));
            rest = more;
        }
        let parts = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
        if parts > MOST_PARTS || self.items.len() > MOST_ITEMS {
            return Err(Error::usage(format!(
                "a change of {} definitions, {} bytes, is too large; send it in several",
                self.items.len(),
                text.len()
            )));
        }
        let record = |(part, text)| Control::Definitions { time: time.0, part, parts, text };
        Ok((0u32..).zip(pieces).map(record).collect())
    }

    /// Reads the JSON of a change.
    ///
    /// # Errors
    /// A text that is none.
    pub fn read(text: &str) -> Result<Change> {
        serde_json::from_str(text).map_err(|error| {
            Error::input(format!(
                "a change of the catalogue in the control log cannot be read ({error}): a newer version wrote it, or it is damaged"
            ))
        })
    }
}

fn head(number: u64, text: &str) -> String {
    format!("{number}-{:016x} ", xxh3_64(text.as_bytes()))
}

/// Puts the parts of changes together.
#[derive(Debug, Default)]
pub struct Parts {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    time: i64,
    head: String,
    next: u32,
    parts: u32,
    text: String,
}

impl Parts {
    /// Takes the next record; returns the change that is whole with it. One whose last part never came counts for nothing, and
    /// neither does a part without those before it.
    ///
    /// # Errors
    /// A change that is whole and cannot be read.
    pub fn take(&mut self, control: &Control) -> Result<Option<(Timestamp, Change)>> {
        let Control::Definitions { time, part, parts, text } = control else { return Ok(None) };
        let Some((head, piece)) = text.find(' ').map(|at| text.split_at(at + 1)) else {
            self.open = None;
            return Ok(None);
        };
        if *part == 0 {
            self.open = Some(Open { time: *time, head: head.to_owned(), next: 0, parts: *parts, text: String::new() });
        }
        let fits = |open: &Open| (open.time, open.next, open.parts) == (*time, *part, *parts) && open.head == head;
        let Some(mut open) = self.open.take().filter(fits) else { return Ok(None) };
        open.text.push_str(piece);
        open.next += 1;
        if open.next < open.parts {
            self.open = Some(open);
            return Ok(None);
        }
        let change = Change::read(&open.text)?;
        Ok((self::head(change.number, &open.text) == open.head).then_some((Timestamp(open.time), change)))
    }
}
