//! Rows of raw values -> validated rows in batches. The one place where a row is accepted, expired or rejected.
//!
//! Contents: identifiers, times, names here; the values of traits and properties in `cells`.

mod cells;

use super::batch::{Batch, ConsentKind, Found, Row, RowKey, RowKind};
use super::identifiers::canonical;
use super::plan::{AudiencePlan, Body, IdKind, NamePlan, Plan};
use super::record::{Fields, Read, Value};
use super::rejects::{Reason, Tally};
use super::times::{self, LATEST_TIME};
use super::values::{self, FastMap};
use crate::schema::names::is_name;
use crate::schema::{KeyHasher, ProfileKey};

/// Rows of a full batch.
const BATCH_ROWS: usize = 16 * 1024;
/// A batch of wide rows is full earlier.
const BATCH_CELLS: usize = 256 * 1024;
const BATCH_TEXT: usize = 8 << 20;
/// Slots of the table of recent texts.
const RECENT: usize = 2_048;

/// Nobody takes batches any more: the reader stops.
#[derive(Debug)]
pub(super) struct Stopped;

/// Where full batches go.
pub(super) type Outlet<'a> = &'a mut dyn FnMut(Batch) -> Result<(), Stopped>;

/// Whether an identifier is asked for: then batches hold those, and no rows.
pub(super) type Asked<'a> = Option<&'a (dyn Fn(ProfileKey) -> bool + Sync)>;

/// Why a row is not taken: the reason and the column to blame.
type Rejection = (Reason, Option<usize>);

/// Assembles the rows of one file.
pub(super) struct RowMaker<'a> {
    plan: &'a Plan,
    keys: &'a KeyHasher,
    asked: Asked<'a>,
    outlet: Outlet<'a>,
    /// The file's position in the run's order.
    file: u32,
    /// The time of rows without a time column.
    modified: i64,
    batch: Batch,
    /// What happened so far.
    pub(super) tally: Tally,
    /// Where recently seen texts lie in the batch: equal texts mostly share one range.
    recent: Vec<(u32, u32)>,
    lists: FastMap<u16>,
    scratch: String,
    uid: String,
}

impl<'a> RowMaker<'a> {
    pub(super) fn new(plan: &'a Plan, keys: &'a KeyHasher, file: u32, modified: i64, outlet: Outlet<'a>) -> Self {
        RowMaker {
            plan,
            keys,
            asked: None,
            outlet,
            file,
            modified: modified.clamp(0, LATEST_TIME),
            batch: Batch { source: plan.source, ..Batch::default() },
            tally: Tally { seen: vec![false; plan.columns.len()], ..Tally::default() },
            recent: vec![(0, 0); RECENT],
            lists: FastMap::default(),
            scratch: String::new(),
            uid: String::new(),
        }
    }

    /// Hands on the identifiers that are asked for instead of rows.
    pub(super) fn asked(mut self, asked: Asked<'a>) -> Self {
        self.asked = asked;
        self
    }

    /// Takes, expires or rejects a row.
    pub(super) fn row(&mut self, fields: &Fields<'_>) -> Result<(), Stopped> {
        let (keys_start, cells_start) = (self.batch.keys.len(), self.batch.cells.len());
        let found_start = self.batch.found.len();
        match self.read(fields) {
            Ok(Some(_)) if self.asked.is_some() => {
                self.batch.keys.clear();
                self.batch.cells.clear();
                self.tally.accepted += 1;
            }
            Ok(Some((kind, time))) => {
                self.batch.rows.push(Row {
                    kind,
                    time,
                    keys_start: keys_start as u32,
                    keys_end: self.batch.keys.len() as u32,
                    cells_start: cells_start as u32,
                    cells_end: self.batch.cells.len() as u32,
                });
                self.tally.accepted += 1;
            }
            Ok(None) => self.tally.expired += 1,
            Err((reason, column)) => {
                self.batch.keys.truncate(keys_start);
                self.batch.cells.truncate(cells_start);
                self.batch.found.truncate(found_start);
                let value = column.map_or("", |column| fields.for_shape(column));
                self.tally.rejected.add(reason, column, self.file, fields.line, value);
            }
        }
        self.tally.rows += 1;
        self.flush_when_full()
    }

    /// Rejects a row that could not even be taken apart.
    pub(super) fn reject(&mut self, reason: Reason, line: u64) {
        self.tally.rows += 1;
        self.tally.rejected.add(reason, None, self.file, line, "");
    }

    /// Hands on what is left; the counts of the file.
    pub(super) fn finish(mut self) -> Result<Tally, Stopped> {
        if !self.batch.rows.is_empty() || !self.batch.found.is_empty() {
            (self.outlet)(self.batch)?;
        }
        self.tally.seen.shrink_to_fit();
        Ok(self.tally)
    }

    fn flush_when_full(&mut self) -> Result<(), Stopped> {
        let full = self.batch.rows.len() >= BATCH_ROWS
            || self.batch.cells.len() >= BATCH_CELLS
            || self.batch.text.len() >= BATCH_TEXT
            // Also where nobody is found, so that whoever asks can stop.
            || (self.asked.is_some() && self.tally.rows.is_multiple_of(BATCH_ROWS as u64))
            || self.batch.lists.len() >= usize::from(u16::MAX);
        if !full {
            return Ok(());
        }
        let next = Batch {
            source: self.plan.source,
            rows: Vec::with_capacity(self.batch.rows.len()),
            keys: Vec::with_capacity(self.batch.keys.len()),
            cells: Vec::with_capacity(self.batch.cells.len()),
            text: String::with_capacity(self.batch.text.len()),
            lists: Vec::new(),
            found: Vec::new(),
        };
        self.recent.fill((0, 0));
        self.lists.clear();
        (self.outlet)(std::mem::replace(&mut self.batch, next))
    }

    /// `None` = past retention.
    fn read(&mut self, fields: &Fields<'_>) -> Result<Option<(RowKind, i64)>, Rejection> {
        let plan = self.plan;
        let consent = match &plan.body {
            Body::Consent { column, kinds } => Some(self.consent(*column, kinds, fields)?),
            _ => None,
        };
        let time = self.time(fields, consent)?;
        if time < plan.oldest {
            return Ok(None);
        }
        self.identifiers(fields)?;
        let kind = match &plan.body {
            Body::Profile(traits) => {
                for column in traits {
                    if time < column.oldest {
                        let present = self.scratch_read(fields, column.convert.column, |read| read != Read::Empty);
                        self.tally.expired_values += u64::from(present);
                    } else {
                        self.cell(column.number, &column.convert, fields);
                    }
                }
                RowKind::Profile
            }
            Body::Event { name, id, properties } => {
                let event = self.event(name, fields)?;
                for property in properties {
                    if let Some(number) = property.by_event[usize::from(event)] {
                        self.cell(number, &property.convert, fields);
                    }
                }
                let keys = self.keys;
                let id = id.and_then(|column| self.scratch_read(fields, column, |read| hash_id(keys, read)));
                RowKind::Event { event, id }
            }
            Body::Membership { audience, ttl, remove } => self.membership(audience, *ttl, *remove, fields)?,
            Body::Link(level) => RowKind::Link { level: *level },
            Body::Consent { .. } => RowKind::Consent { what: consent.unwrap_or(ConsentKind::ObjectAll) },
        };
        Ok(Some((kind, time)))
    }

    /// Reads a column with the scratch text, then gives it back.
    fn scratch_read<T>(&mut self, fields: &Fields<'_>, column: usize, then: impl FnOnce(Read<'_>) -> T) -> T {
        then(fields.read(column, &mut self.scratch))
    }

    fn consent(
        &mut self,
        column: usize,
        kinds: &FastMap<ConsentKind>,
        fields: &Fields<'_>,
    ) -> Result<ConsentKind, Rejection> {
        match fields.read(column, &mut self.scratch) {
            Read::Empty => Err((Reason::NoConsent, Some(column))),
            Read::Text(text) => kinds.get(text).copied().ok_or((Reason::UnknownConsent, Some(column))),
            Read::NotText => Err((Reason::UnknownConsent, Some(column))),
        }
    }

    /// The row's time. Whoever objects is heard even when the time cannot be read: then the file's is taken.
    fn time(&mut self, fields: &Fields<'_>, consent: Option<ConsentKind>) -> Result<i64, Rejection> {
        let Some((column, format)) = &self.plan.time else { return Ok(self.modified) };
        let read = match fields.values[*column] {
            Value::Instant(second) => Ok(second),
            Value::WallClock(second) => times::in_zone(second, &self.plan.zone).ok_or(Reason::BadTime),
            Value::Whole(whole) => format.parse_number(whole as f64).ok_or(Reason::BadTime),
            Value::Number(number) => format.parse_number(number).ok_or(Reason::BadTime),
            _ => match fields.read(*column, &mut self.scratch) {
                Read::Empty => Err(Reason::NoTime),
                Read::Text(text) => format.parse(text, &self.plan.zone).ok_or(Reason::BadTime),
                Read::NotText => Err(Reason::BadTime),
            },
        };
        let checked = read.and_then(|time| match time {
            time if !(0..=LATEST_TIME).contains(&time) => Err(Reason::TimeOutOfRange),
            time if time > self.plan.latest => Err(Reason::FutureTime),
            time => Ok(time),
        });
        match (checked, consent) {
            (Ok(time), _) => Ok(time),
            (Err(reason), None | Some(ConsentKind::Consent)) => Err((reason, Some(*column))),
            (Err(reason), Some(_)) => {
                self.tally.values.add(reason, Some(*column), self.file, fields.line, fields.for_shape(*column));
                Ok(self.modified)
            }
        }
    }

    /// Appends the row's identifiers, hashed and without repetition.
    fn identifiers(&mut self, fields: &Fields<'_>) -> Result<(), Rejection> {
        let start = self.batch.keys.len();
        let mut refused = None;
        for at in 0..self.plan.ids.len() {
            match self.identifier(at, fields) {
                Ok(Some(key)) if !self.batch.keys[start..].contains(&key) => self.batch.keys.push(key),
                Ok(_) => {}
                Err(reason) => {
                    let column = self.plan.ids[at].column;
                    refused = refused.or(Some(column));
                    self.tally.values.add(reason, Some(column), self.file, fields.line, fields.for_shape(column));
                }
            }
        }
        let enough = if matches!(self.plan.body, Body::Link(_)) { 2 } else { 1 };
        match (self.batch.keys.len() - start, refused) {
            (found, _) if found >= enough => Ok(()),
            (0, None) => Err((Reason::NoIdentifier, None)),
            (0, column) => Err((Reason::NoValidIdentifier, column)),
            (_, column) => Err((Reason::TooFewIdentifiers, column)),
        }
    }

    fn identifier(&mut self, at: usize, fields: &Fields<'_>) -> Result<Option<RowKey>, Reason> {
        let plan = self.plan;
        let id = &plan.ids[at];
        // The type first: its text shares the scratch.
        let id_type = match id.kind {
            IdKind::Fixed(id_type) => id_type,
            IdKind::Column(column) => {
                if fields.read(id.column, &mut self.scratch) == Read::Empty {
                    return Ok(None);
                }
                let Read::Text(name) = fields.read(column, &mut self.scratch) else {
                    return Err(Reason::UnknownIdType);
                };
                self.uid.clear();
                self.uid.push_str(name);
                self.uid.make_ascii_lowercase();
                *plan.id_type_numbers.get(self.uid.as_str()).ok_or(Reason::UnknownIdType)?
            }
        };
        let text = match fields.read(id.column, &mut self.scratch) {
            Read::Empty => return Ok(None),
            Read::Text(text) => text,
            Read::NotText => return Err(Reason::NotText),
        };
        let (name, class) = &plan.id_types[usize::from(id_type)];
        let uid = canonical(*class, id.hashed, text, &mut self.uid)?;
        let key = self.keys.key(name, uid);
        if self.asked.is_some_and(|asked| asked(key)) {
            self.batch.found.push(Found { key, id_type, hashed: id.hashed, text: text.into() });
        }
        Ok(Some(RowKey { key, id_type }))
    }

    fn event(&mut self, name: &NamePlan, fields: &Fields<'_>) -> Result<u16, Rejection> {
        match name {
            NamePlan::Fixed(event) => Ok(*event),
            NamePlan::Column(column, numbers) => match fields.read(*column, &mut self.scratch) {
                Read::Empty => Err((Reason::NoEvent, Some(*column))),
                Read::Text(text) => numbers.get(text).copied().ok_or((Reason::UnknownEvent, Some(*column))),
                Read::NotText => Err((Reason::UnknownEvent, Some(*column))),
            },
        }
    }

    fn membership(
        &mut self,
        audience: &AudiencePlan,
        ttl: Option<usize>,
        remove: Option<usize>,
        fields: &Fields<'_>,
    ) -> Result<RowKind, Rejection> {
        let ttl_minutes = ttl.map_or(Ok(None), |column| {
            self.scratch_read(fields, column, minutes).map_err(|reason| (reason, Some(column)))
        })?;
        let remove = remove.map_or(Ok(false), |column| {
            self.scratch_read(fields, column, removal).map_err(|reason| (reason, Some(column)))
        })?;
        let list = match audience {
            AudiencePlan::Fixed(name) => number_of_list(&mut self.lists, &mut self.batch.lists, name),
            AudiencePlan::Column(column) => match fields.read(*column, &mut self.scratch) {
                Read::Empty => return Err((Reason::NoAudience, Some(*column))),
                Read::Text(name) if is_audience(name) => number_of_list(&mut self.lists, &mut self.batch.lists, name),
                _ => return Err((Reason::BadAudience, Some(*column))),
            },
        };
        Ok(RowKind::Membership { list, remove, ttl_minutes })
    }
}

/// As the events door hashes it: an event that comes by both ways is one.
fn hash_id(keys: &KeyHasher, read: Read<'_>) -> Option<u128> {
    match read {
        Read::Text(text) => Some(keys.event_id(text.as_bytes())),
        Read::Empty | Read::NotText => None,
    }
}

/// `None` = the list's own time to live.
fn minutes(read: Read<'_>) -> Result<Option<u32>, Reason> {
    match read {
        Read::Empty => Ok(None),
        Read::Text(text) => {
            text.parse().map(|minutes| Some(minutes).filter(|m| *m > 0)).map_err(|_| Reason::BadMinutes)
        }
        Read::NotText => Err(Reason::BadMinutes),
    }
}

fn removal(read: Read<'_>) -> Result<bool, Reason> {
    match read {
        Read::Empty => Ok(false),
        Read::Text(text) => values::flag(text).ok_or(Reason::NotAFlag),
        Read::NotText => Err(Reason::NotAFlag),
    }
}

fn is_audience(name: &str) -> bool {
    name.split_once('/').is_some_and(|(owner, id)| is_name(owner) && is_name(id))
}

fn number_of_list(numbers: &mut FastMap<u16>, lists: &mut Vec<String>, name: &str) -> u16 {
    if let Some(number) = numbers.get(name) {
        return *number;
    }
    let number = lists.len() as u16;
    lists.push(name.to_owned());
    numbers.insert(name.into(), number);
    number
}
