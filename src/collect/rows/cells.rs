//! The values of traits and event properties: harmonised, checked, written into the batch.

use super::{RECENT, RowMaker};
use crate::collect::batch::{Batch, Cell};
use crate::collect::plan::{Convert, Kind, Plan};
use crate::collect::record::{Fields, Read, Value};
use crate::collect::rejects::Reason;
use crate::collect::{times, values};
use xxhash_rust::xxh3::xxh3_64;

/// A longer category or tag is a mistake.
const MAX_TEXT_BYTES: usize = 512;

/// Tags of a row that the next is compared with.
const TAGS_COMPARED: usize = 64;

impl RowMaker<'_> {
    /// Appends a trait's or property's value; a bad one is counted, and the row kept.
    pub(super) fn cell(&mut self, number: u16, convert: &Convert, fields: &Fields<'_>) {
        let appended = match &convert.kind {
            Kind::Tags(separator) => self.tags(number, convert, separator, fields),
            _ => self.single(convert, fields).map(|cell| self.batch.cells.extend(cell.map(|cell| (number, cell)))),
        };
        if let Err(reason) = appended {
            let column = convert.column;
            self.tally.values.add(reason, Some(column), self.file, fields.line, fields.for_shape(column));
        }
    }

    fn single(&mut self, convert: &Convert, fields: &Fields<'_>) -> Result<Option<Cell>, Reason> {
        let value = fields.values[convert.column];
        if !convert.mapped
            && let Some(cell) = typed(&convert.kind, value, self.plan)
        {
            return Ok(Some(cell));
        }
        let text = match fields.read_value(value, &mut self.scratch) {
            Read::Empty => return Ok(None),
            Read::Text(text) => convert.mapping.rename(text),
            Read::NotText => return Err(Reason::NotText),
        };
        if text.is_empty() {
            return Ok(None);
        }
        let cell = match &convert.kind {
            Kind::Flag => Cell::Flag(values::flag(text).ok_or(Reason::NotAFlag)?),
            Kind::Number(separator) => Cell::Number(values::number(text, *separator).ok_or(Reason::NotANumber)?),
            Kind::Date(format) => Cell::Date(times::date(format.as_deref(), text).ok_or(Reason::NotADate)?),
            Kind::Category | Kind::Tags(_) => text_cell(&mut self.batch.text, &mut self.recent, convert, text)?,
        };
        Ok(Some(cell))
    }

    fn tags(&mut self, number: u16, convert: &Convert, separator: &str, fields: &Fields<'_>) -> Result<(), Reason> {
        let start = self.batch.cells.len();
        let one = [fields.values[convert.column]];
        let items = match one[0] {
            Value::List { start, end } => fields.items(start, end),
            _ => &one,
        };
        let mut worst = Ok(());
        for item in items {
            let text = match fields.read_value(*item, &mut self.scratch) {
                Read::Empty => continue,
                Read::Text(text) => text,
                Read::NotText => {
                    worst = Err(Reason::NotText);
                    continue;
                }
            };
            for tag in text.split(separator).map(str::trim).filter(|tag| !tag.is_empty()) {
                let tag = convert.mapping.rename(tag);
                if tag.is_empty() || has_tag(&self.batch, start, tag) {
                    continue;
                }
                match text_cell(&mut self.batch.text, &mut self.recent, convert, tag) {
                    Ok(cell) => self.batch.cells.push((number, cell)),
                    Err(reason) => worst = Err(reason),
                }
            }
        }
        worst
    }
}

/// Values that come typed and are not renamed.
fn typed(kind: &Kind, value: Value, plan: &Plan) -> Option<Cell> {
    Some(match (kind, value) {
        (Kind::Flag, Value::Flag(flag)) => Cell::Flag(flag),
        (Kind::Number(_), Value::Whole(whole)) => Cell::Number(whole as f64),
        (Kind::Number(_), Value::Number(number)) if number.is_finite() => Cell::Number(number),
        (Kind::Date(_), Value::Day(day)) => Cell::Date(day),
        (Kind::Date(_), Value::WallClock(second)) => Cell::Date(second.div_euclid(86_400) as i32),
        (Kind::Date(_), Value::Instant(second)) => {
            let instant = jiff::Timestamp::from_second(second).ok()?;
            let offset = plan.zone.to_offset(instant);
            Cell::Date((second + i64::from(offset.seconds())).div_euclid(86_400) as i32)
        }
        _ => return None,
    })
}

/// A text in the batch's arena, written once if it was met recently.
fn text_cell(arena: &mut String, recent: &mut [(u32, u32)], convert: &Convert, text: &str) -> Result<Cell, Reason> {
    if !convert.mapping.permits(text) {
        return Err(Reason::NotPermitted);
    }
    if text.len() > MAX_TEXT_BYTES {
        return Err(Reason::TextTooLong);
    }
    let slot = &mut recent[xxh3_64(text.as_bytes()) as usize % RECENT];
    let (start, len) = *slot;
    if len as usize != text.len() || arena.as_bytes()[start as usize..][..len as usize] != *text.as_bytes() {
        *slot = (arena.len() as u32, text.len() as u32);
        arena.push_str(text);
    }
    Ok(Cell::Text { start: slot.0, len: slot.1 })
}

/// Whether the tag stands among the last of the row already. No further: a row of a megabyte may hold more tags than
/// could be compared with each other, and whoever unites them drops what is repeated.
fn has_tag(batch: &Batch, start: usize, tag: &str) -> bool {
    let start = start.max(batch.cells.len().saturating_sub(TAGS_COMPARED));
    batch.cells[start..].iter().any(|(_, cell)| batch.text(*cell) == tag)
}
