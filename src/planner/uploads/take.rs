//! Lines -> hashed entries, and what was wrong with the others. An identifier is gone once its line is read.

use super::super::events::Vocabulary;
use super::super::reply::{Fault, Refused};
use super::body::{Pieces, text};
use super::lines::{Header, Item, Segment, Wrong, of_json};
use super::{Asked, Format, Mode, OfType, Reject, Uploaded};
use crate::audiences::{Audience, AudienceKind};
use crate::collect::{self, IdClass};
use crate::log::Stay;
use crate::schema::ProfileKey;
use crate::wire::Code;
use std::collections::BTreeMap;
use std::io::{BufRead, Read};

/// The most bytes of a file, after decompression.
const MAX_BYTES: u64 = 1 << 30;
/// The most identifiers of a file: each takes 24 bytes while it is read, and some 100 more while it is looked up and put in force,
/// which is done for one file at a time.
const MAX_ENTRIES: usize = 10_000_000;
const MAX_LINE_BYTES: usize = 256 << 10;
/// Lines that are told one by one.
const MAX_REJECTS: usize = 100;
const MINUTES_A_DAY: u32 = 1_440;
/// The longest that somebody stays on a list of kind `target`.
const MAX_DAYS: u32 = 180;
/// How long, where nobody says.
const DEFAULT_DAYS: u32 = 30;
/// What stands for a type that is not known.
const NO_TYPE: &str = "?";

/// The list, and how a file changes it.
#[derive(Debug, Clone)]
pub(super) struct List {
    /// `owner/id`
    pub full: String,
    pub mode: Mode,
    pub dry_run: bool,
    format: Option<Format>,
    id_type: Option<String>,
    /// As others may call it: its id, its full name, its segment's.
    names: Vec<String>,
    /// Whether nobody stays for more than [`MAX_DAYS`].
    bounded: bool,
    /// Where a line does not say.
    default: Stay,
    /// Seconds for which people stay by default, as the list is defined; `None` = without end.
    pub ttl: Option<i64>,
}

impl List {
    pub fn of(audience: &Audience, asked: &Asked) -> Result<List, Refused> {
        let bounded = audience.kind == AudienceKind::Target;
        let default = match asked.ttl_days {
            Some(days) if days == 0 || days > if bounded { MAX_DAYS } else { 36_500 } => {
                let message =
                    format!("`ttl_days` is {days}; lists of kind `target` keep people for 1 to {MAX_DAYS} days");
                return Err(Refused::invalid(message, "say fewer days, or send the file again in time"));
            }
            Some(days) => Stay::Minutes(days * MINUTES_A_DAY),
            None if bounded && audience.ttl.is_none() => Stay::Minutes(DEFAULT_DAYS * MINUTES_A_DAY),
            None => Stay::ByDefault,
        };
        let mut names = vec![audience.id.id().to_owned(), audience.id.to_string()];
        names.extend(audience.segment.as_ref().map(|segment| segment.id.clone()));
        Ok(List {
            full: audience.id.to_string(),
            mode: asked.mode,
            dry_run: asked.dry_run,
            format: asked.format,
            id_type: asked.id_type.clone(),
            names,
            bounded,
            default,
            ttl: audience.ttl.map(|ttl| ttl.0),
        })
    }

    /// For how long an item asks.
    fn stay(&self, ttl: Option<i64>, remove: bool) -> Result<Stay, Wrong> {
        let wrong = |reason: String| Err(Wrong::new("ttl_minutes", reason));
        let longest = MAX_DAYS * MINUTES_A_DAY;
        if self.mode == Mode::Remove || (remove && ttl.is_none_or(|ttl| ttl == -1)) {
            return Ok(Stay::Ends);
        }
        match ttl {
            _ if remove => wrong("either a time to stay, or `remove`".to_owned()),
            None => Ok(self.default),
            Some(-1) => Ok(Stay::Ends),
            Some(0) if self.bounded => Ok(Stay::Minutes(longest)),
            Some(0) => Ok(Stay::ByDefault),
            Some(minutes) => match u32::try_from(minutes) {
                Ok(minutes) if !self.bounded || minutes <= longest => Ok(Stay::Minutes(minutes)),
                _ => wrong(format!("not between 1 and {longest} minutes; 0 is the longest, -1 removes")),
            },
        }
    }

    /// The same of an item that names lists.
    fn stay_of(&self, item: &Item) -> Result<Stay, Wrong> {
        if item.segments.is_empty() {
            return self.stay(item.ttl, item.remove);
        }
        let is_this = |segment: &&Segment| self.names.contains(&segment.name);
        match item.segments.iter().find(is_this) {
            Some(segment) => self.stay(segment.ttl.or(item.ttl), item.remove),
            None => Err(Wrong::new(
                "segment",
                "the line is of another list: this one goes by its id, `owner/id` or segment",
            )),
        }
    }
}

/// An identifier, hashed, and how long it stays.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    key: [u8; 16],
    /// 0 = ends, the greatest = by default, otherwise minutes.
    stay: u32,
    /// Of [`Taken::types`].
    pub id_type: u16,
}

impl Entry {
    fn new(key: ProfileKey, stay: Stay, id_type: u16) -> Self {
        let stay = match stay {
            Stay::Ends => 0,
            Stay::ByDefault => u32::MAX,
            Stay::Minutes(minutes) => minutes,
        };
        Entry { key: key.to_bytes(), stay, id_type }
    }

    pub fn key(&self) -> ProfileKey {
        ProfileKey::from_bytes(self.key)
    }

    pub fn stay(&self) -> Stay {
        match self.stay {
            0 => Stay::Ends,
            u32::MAX => Stay::ByDefault,
            minutes => Stay::Minutes(minutes),
        }
    }
}

/// A file that was read to its end.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Each identifier once.
    pub entries: Vec<Entry>,
    /// Identifiers said before the last time they are.
    repeated: u64,
    /// Names of identifier types.
    pub types: Vec<String>,
    pub lines: u64,
    pub rejected: u64,
    pub rejects: Vec<Reject>,
    by_type: BTreeMap<String, OfType>,
}

pub(super) fn fault(reject: &Reject) -> Fault {
    let line = usize::try_from(reject.line).ok();
    Fault { detail: reject.reason.clone(), field: reject.column.clone(), line, ..Fault::default() }
}

/// Reads a file.
///
/// # Errors
/// One that is too large, that breaks off, or whose header means nothing.
pub(super) fn take(pieces: Pieces, words: &Vocabulary, list: &List) -> Result<Taken, Refused> {
    let broken =
        |_| Refused::invalid("the body breaks off, or is damaged gzip; nothing of it was taken", "send it again");
    let mut reader = text(pieces).map_err(broken)?.take(MAX_BYTES + 1);
    let (mut taken, mut line, mut header) = (Taken::default(), Vec::new(), None);
    let mut format = list.format;
    for number in 1.. {
        line.clear();
        let most = MAX_LINE_BYTES as u64 + 1;
        if reader.by_ref().take(most).read_until(b'\n', &mut line).map_err(broken)? == 0 {
            break;
        }
        if reader.limit() == 0 || taken.entries.len() > MAX_ENTRIES {
            let message = format!("more than {MAX_BYTES} bytes or {MAX_ENTRIES} identifiers; nothing of it was taken");
            return Err(Refused::new(Code::TooLarge, message, "send it in several files"));
        }
        if line.len() > MAX_LINE_BYTES {
            let message = format!("line {number} has more than {MAX_LINE_BYTES} bytes; nothing was taken");
            return Err(Refused::new(Code::TooLarge, message, "write a line a person"));
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let format = *format.get_or_insert(if text.starts_with(b"{") { Format::Ndjson } else { Format::Csv });
        let items = match (format, &header) {
            (Format::Ndjson, _) => of_json(text),
            (Format::Csv, Some(header)) => Header::item(header, text).map(|item| vec![item]),
            (Format::Csv, None) => {
                let read = Header::read(text, |name| words.id_type(name).is_ok());
                let help = "columns: `uid` and `source` (or `?type=`), or one called as a type of identifiers; and \
                            `ttl_minutes`, `remove`, `segment` where wanted";
                header = Some(read.map_err(|why| Refused::invalid(format!("line {number}: {why}"), help))?);
                continue;
            }
        };
        taken.lines += 1;
        let done = items.and_then(|items| {
            let entries: Result<Vec<Vec<Entry>>, Wrong> =
                items.iter().map(|item| taken.entries_of(item, words, list)).collect();
            entries.map(|entries| taken.entries.extend(entries.into_iter().flatten()))
        });
        if let Err(wrong) = done {
            taken.reject(number, wrong);
        }
    }
    taken.keep_last_words();
    Ok(taken)
}

impl Taken {
    fn entries_of(&mut self, item: &Item, words: &Vocabulary, list: &List) -> Result<Vec<Entry>, Wrong> {
        if item.ids.is_empty() {
            return Err(Wrong::new("uid", "no identifier"));
        }
        let mut entries = Vec::with_capacity(item.ids.len());
        for (kind, uid) in &item.ids {
            let kind = kind.as_deref().or(list.id_type.as_deref());
            let kind =
                kind.ok_or_else(|| Wrong::new("source", "no type of the identifier; write it, or ask with `?type=`"))?;
            // Where columns are swapped this is an identifier: it is not quoted.
            let (id_type, class) = words.id_type(kind).map_err(|_| Wrong::new("source", words.no_such_type()))?;
            let of_type = |mut wrong: Wrong| {
                wrong.id_type = Some(id_type.to_owned());
                wrong
            };
            if class == IdClass::Ifa && collect::is_unset_ifa(uid) {
                return Err(of_type(Wrong::new("uid", "an `ifa` of zeroes, which is nobody's")));
            }
            let mut scratch = String::new();
            let uid = collect::canonical_as(class, uid, &mut scratch);
            let uid =
                uid.map_err(|why| of_type(Wrong::new("uid", format!("no identifier of type `{id_type}`: {why}"))))?;
            let key = words.keys.key(id_type, uid);
            let stay = list.stay_of(item).map_err(of_type)?;
            if words.is_deleted(key) && stay != Stay::Ends {
                return Err(of_type(Wrong::new("uid", "somebody who was deleted: nothing is taken in about them")));
            }
            entries.push(Entry::new(key, stay, self.number_of(id_type)));
        }
        Ok(entries)
    }

    /// Of an identifier that is said several times the last counts; sorts by identifier.
    fn keep_last_words(&mut self) {
        let said = self.entries.len();
        self.entries.reverse();
        // Stable: of equals the one said last stays first.
        self.entries.sort_by_key(|entry| entry.key);
        self.entries.dedup_by_key(|entry| entry.key);
        self.repeated = (said - self.entries.len()) as u64;
    }

    fn number_of(&mut self, id_type: &str) -> u16 {
        let known = self.types.iter().position(|known| known == id_type);
        known.unwrap_or_else(|| {
            self.types.push(id_type.to_owned());
            self.types.len() - 1
        }) as u16
    }

    fn reject(&mut self, line: u64, wrong: Wrong) {
        self.rejected += 1;
        self.by_type.entry(wrong.id_type.unwrap_or_else(|| NO_TYPE.to_owned())).or_default().rejected += 1;
        if self.rejects.len() < MAX_REJECTS {
            self.rejects.push(Reject { line, column: wrong.column, reason: wrong.reason });
        }
    }

    /// What is told, when these are the profiles that the entries belong to.
    pub fn told(&self, list: &List, profiles: &[Option<u32>]) -> Uploaded {
        let mut by_type = self.by_type.clone();
        let (mut joined, mut matched) = (0, 0);
        for (entry, profile) in self.entries.iter().zip(profiles) {
            let of_type = by_type.entry(self.types[usize::from(entry.id_type)].clone()).or_default();
            *if profile.is_some() { &mut of_type.matched } else { &mut of_type.unmatched } += 1;
            matched += u64::from(profile.is_some());
            joined += u64::from(entry.stay() != Stay::Ends);
        }
        let all = self.entries.len() as u64;
        Uploaded {
            list: list.full.clone(),
            mode: list.mode,
            dry_run: list.dry_run,
            lines: self.lines,
            joined,
            removed: all - joined,
            repeated: self.repeated,
            matched,
            unmatched: all - matched,
            rejected: self.rejected,
            by_type,
            rejects: self.rejects.clone(),
        }
    }
}
