//! The audit trail as the control log tells it: every entry once, in its order, and the first place where the chain does not
//! hold. A compaction may say an entry twice, and drops the oldest behind an anchor: neither breaks the chain.

use super::{AuditEntry, Control, Link};
use crate::error::Result;
use crate::log::{ControlLog, control_directory};
use crate::schema::{BlockKey, Offset};
use std::collections::HashSet;
use std::path::Path;

/// An entry of a version that kept no chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unchained {
    /// When: seconds since the epoch.
    pub time: i64,
    /// The credential's name.
    pub who: String,
    /// What was done.
    pub what: String,
    /// Whom it concerned.
    pub subject: BlockKey,
}

/// Where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The number of the entry that does not fit.
    pub number: u64,
    /// Where it stands in the control log.
    pub offset: Offset,
    /// What is wrong.
    pub why: String,
}

/// The entries, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trail {
    /// Those of a version that kept no chain.
    unchained: Vec<Unchained>,
    heard: HashSet<Unchained>,
    /// What the first entry hangs on: the last that was dropped. `None` = nothing was said yet, or nothing was ever dropped.
    anchor: Option<(u64, Link)>,
    entries: Vec<AuditEntry>,
    /// What stood there before an older anchor was said: the same must be said again.
    again: Vec<AuditEntry>,
    broken: Option<Broken>,
    last_offset: Offset,
}

impl Trail {
    /// That of a data directory.
    ///
    /// # Errors
    /// A log that cannot be read.
    pub fn read(data_dir: &Path) -> Result<Self> {
        let mut trail = Trail::default();
        ControlLog::open(&control_directory(data_dir))?.catch_up(&mut |offset, control| {
            trail.note(offset, &control);
            Ok(())
        })?;
        Ok(trail)
    }

    /// Those of a version that kept no chain.
    pub fn unchained(&self) -> &[Unchained] {
        &self.unchained
    }

    /// The entries, the oldest first; after a break, as they stand in the log.
    pub fn entries(&self) -> &[AuditEntry] {
        &self.entries
    }

    /// The number and the link of the last entry: whoever notes them elsewhere sees later that nothing was cut off.
    pub fn head(&self) -> (u64, Link) {
        let last = self.entries.last().map(|entry| (entry.number, entry.link));
        last.or(self.anchor).unwrap_or((0, Link::FIRST))
    }

    /// The number of the last entry that a compaction dropped; 0 = none was.
    pub fn dropped(&self) -> u64 {
        self.anchor.map_or(0, |(number, _)| number)
    }

    /// The first place where it does not hold.
    pub fn broken(&self) -> Option<Broken> {
        self.broken.clone().or_else(|| {
            let first = self.entries.first().filter(|first| self.anchor.is_none() && first.number != 1)?;
            let why = format!("the entries before it are missing: the first is {}, expected 1", first.number);
            Some(Broken { number: first.number, offset: self.last_offset, why })
        })
    }

    /// Takes in a record of the log.
    pub fn note(&mut self, offset: Offset, control: &Control) {
        match control {
            Control::Audit { time, who, what, subject } => {
                let (who, what) = (who.clone(), what.clone());
                let entry = Unchained { time: *time, who, what, subject: *subject };
                if self.heard.insert(entry.clone()) {
                    self.unchained.push(entry);
                }
            }
            Control::Audited(entry) => self.entry(offset, entry),
            Control::Anchor { number, link } => self.anchored(offset, *number, *link),
            _ => {}
        }
        self.last_offset = offset;
    }

    fn entry(&mut self, offset: Offset, entry: &AuditEntry) {
        let why = self.misfit(entry);
        if let Some(why) = why {
            self.breaks(entry.number, offset, why);
        }
        let known =
            self.entries.iter().rev().take_while(|known| known.number >= entry.number).any(|known| known == entry);
        if !known {
            self.entries.push(entry.clone());
        }
    }

    /// Why an entry is not the next, nor one that was said before.
    fn misfit(&self, entry: &AuditEntry) -> Option<String> {
        let (last, link) = self.head();
        let first = self.entries.first().map_or(last + 1, |first| first.number);
        let number = entry.number;
        if self.entries.is_empty() && self.anchor.is_none() {
            // The start of the log: what is missing before it, an anchor may tell yet.
            let hangs = number != 1 || entry.link_after(Link::FIRST).is_ok_and(|link| link == entry.link);
            return (!hangs).then(|| "it is not what it was when it was written".to_owned());
        }
        if number <= last {
            let known = number.checked_sub(first).and_then(|at| self.entries.get(usize::try_from(at).ok()?));
            return match known {
                Some(known) if known == entry => None,
                Some(_) => Some("it stands there twice, and differs".to_owned()),
                None => Some(format!("it stands behind entry {last}")),
            };
        }
        if number > last + 1 {
            return Some(format!("the entry before it is missing: entry {last} stands there"));
        }
        if !entry.link_after(link).is_ok_and(|link| link == entry.link) {
            return Some("it, or the entry before it, is not what it was when it was written".to_owned());
        }
        let same = |was: &&AuditEntry| was.number == number;
        self.again
            .iter()
            .find(same)
            .is_some_and(|was| was != entry)
            .then(|| "it stands there twice, and differs".to_owned())
    }

    fn anchored(&mut self, offset: Offset, number: u64, link: Link) {
        let (last, _) = self.head();
        let first = self.entries.first().map(|first| first.number);
        let known = match self.anchor {
            Some(anchor) if anchor.0 == number => Some(anchor.1),
            _ => self.entries.iter().find(|entry| entry.number == number).map(|entry| entry.link),
        };
        match (known, first) {
            (Some(known), _) if known == link => {
                let unheard = self.anchor.is_none() && first.is_some_and(|first| first != 1);
                if unheard {
                    // What stands before it is the rest of what a compaction was removing.
                    self.anchor = Some((number, link));
                    self.entries.retain(|entry| entry.number > number);
                }
            }
            (Some(_), _) => self.breaks(number, offset, "the anchor says otherwise".to_owned()),
            (None, None) if self.anchor.is_none() => self.anchor = Some((number, link)),
            // A compaction was cut short while it removed what it had said again: all of it comes once more.
            (None, Some(first)) if self.anchor.is_none() && first != 1 && number < first => {
                self.anchor = Some((number, link));
                self.again = std::mem::take(&mut self.entries);
            }
            (None, _) => {
                self.breaks(number, offset, format!("an anchor that fits nothing: entry {last} stands before it"))
            }
        }
    }

    fn breaks(&mut self, number: u64, offset: Offset, why: String) {
        self.broken.get_or_insert(Broken { number, offset, why });
    }

    /// As records again, without what is older than `since`: an anchor takes its place. What does not hold stays as it is.
    pub(in crate::log) fn into_records(self, since: i64) -> Option<Vec<Control>> {
        if self.broken().is_some() {
            return None;
        }
        let old = self.entries.iter().take_while(|entry| entry.time <= since).count();
        let anchor = old.checked_sub(1).map(|at| (self.entries[at].number, self.entries[at].link)).or(self.anchor);
        let anchor = anchor.map(|(number, link)| Control::Anchor { number, link });
        let kept = self.entries.into_iter().skip(old).map(|entry| Control::Audited(Box::new(entry)));
        Some(anchor.into_iter().chain(kept).collect())
    }
}
