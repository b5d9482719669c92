//! Which records still count, of all that have the same least key. What is left out here would win nowhere: it is repeated,
//! past retention, ended, of deleted people, or said anew of exactly the same identifiers.

use super::runs::Group;
use super::{LiveReport, decode};
use crate::build::deletions::Deletions;
use crate::build::index::IndexInputs;
use crate::config::{DOOR, Loaded};
use crate::error::Result;
use crate::log::{Record, Said, Stay, Value};
use crate::schema::{Declarations, Offset, ProfileKey, Span};
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_128;

const DAY: i64 = 86_400;

/// For how long at most anybody was put on a list, in seconds: what was said so long ago decides nothing any more.
pub(super) struct Stays<'a> {
    lists: &'a BTreeMap<String, Option<Span>>,
    longest: HashMap<String, i64>,
    /// Whether sources feed lists that their rows name.
    fed: bool,
}

impl<'a> Stays<'a> {
    pub(super) fn new(loaded: &Loaded, lists: &'a BTreeMap<String, Option<Span>>) -> Self {
        let sources = loaded.declarations.list_sources.values();
        let fed = sources.clone().any(|source| source.list.is_none());
        let longest = sources.filter_map(|source| Some((source.list.clone()?, i64::MAX))).collect();
        Stays { lists, longest, fed }
    }

    /// Takes note of what a record says. Records have to be noted all before the first is asked about.
    pub(super) fn note(&mut self, record: &Record<'_>) {
        let Said::Membership { list, stay } = &record.said else { return };
        let seconds = match stay {
            Stay::Minutes(minutes) => i64::from(*minutes) * 60,
            Stay::ByDefault => self.lists.get(&**list).copied().flatten().map_or(i64::MAX, |ttl| ttl.0),
            Stay::Ends => 0,
        };
        match self.longest.get_mut(&**list) {
            Some(known) => *known = seconds.max(*known),
            None => drop(self.longest.insert(list.clone().into_owned(), seconds)),
        }
    }

    /// Whether nobody who was put on the list by `time` is still on it.
    fn are_over(&self, list: &str, time: i64, now: i64) -> bool {
        let longest = self.longest.get(list).copied().unwrap_or(i64::MAX);
        !self.fed && time.saturating_add(longest) <= now
    }
}

/// Takes a record that still counts: its place in the log, what it is, its bytes.
pub(super) type Visit<'v> = dyn FnMut(Offset, &Record<'_>, &[u8]) -> Result<()> + 'v;

/// Decides, group by group.
pub(super) struct Keeper<'a> {
    declarations: &'a Declarations,
    deletions: &'a Deletions<'a>,
    stays: Stays<'a>,
    now: i64,
    rewritten: Vec<u8>,
}

/// Why a record is left out, or which of its traits stay.
#[derive(Debug, Clone, PartialEq)]
enum Fate {
    Stays,
    /// Of its traits only those that are true here.
    Partly(Vec<bool>),
    Deleted,
    Repeated,
    Superseded,
    Expired,
    Ended,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(inputs: &'a IndexInputs<'_>, deletions: &'a Deletions<'_>, stays: Stays<'a>) -> Self {
        let declarations = &inputs.loaded.declarations;
        Keeper { declarations, deletions, stays, now: inputs.now.0, rewritten: Vec::new() }
    }

    /// Hands over the records of a group that still count.
    pub(super) fn each(&mut self, group: &Group, report: &mut LiveReport, visit: &mut Visit<'_>) -> Result<()> {
        let mut records = Vec::with_capacity(group.len());
        for (offset, bytes) in group.iter() {
            records.push(decode(offset, bytes)?);
        }
        let fates = self.fates(&records);
        for (((offset, bytes), mut record), fate) in group.iter().zip(records).zip(fates) {
            match fate {
                Fate::Stays => visit(offset, &record, bytes)?,
                Fate::Partly(stays) => {
                    if let Said::Traits(traits) = &mut record.said {
                        let mut stays = stays.iter();
                        traits.retain(|_| stays.next() == Some(&true));
                    }
                    self.rewritten.clear();
                    record.encode(&mut self.rewritten)?;
                    visit(offset, &record, &self.rewritten)?;
                }
                Fate::Deleted => report.deleted += 1,
                Fate::Repeated => report.repeated += 1,
                Fate::Superseded => report.superseded += 1,
                Fate::Expired => report.expired += 1,
                Fate::Ended => report.ended += 1,
            }
        }
        Ok(())
    }

    fn fates(&self, records: &[Record<'_>]) -> Vec<Fate> {
        let mut fates: Vec<Fate> = records.iter().map(|record| self.alone(record)).collect();
        if records.len() > 1 {
            repeated(records, &mut fates);
            superseded(records, &mut fates);
        }
        fates
    }

    /// What becomes of a record whatever the others say.
    fn alone(&self, record: &Record<'_>) -> Fate {
        if record.keys.iter().any(|id| self.deletions.holds(id.key)) {
            return Fate::Deleted;
        }
        match &record.said {
            Said::Event { name, .. } => {
                let decl = self.declarations.find_event(name).map(|(_, decl)| decl);
                if self.is_past(record.time, decl.and_then(|decl| decl.retention_days)) {
                    Fate::Expired
                } else {
                    Fate::Stays
                }
            }
            Said::Traits(traits) => {
                let stays: Vec<bool> =
                    traits.iter().map(|(name, value)| !self.has_expired(record.time, name, value.is_some())).collect();
                match (stays.contains(&true), stays.contains(&false)) {
                    (_, false) => Fate::Stays,
                    (true, true) => Fate::Partly(stays),
                    (false, true) => Fate::Expired,
                }
            }
            Said::Membership { list, .. } if self.stays.are_over(list, record.time, self.now) => Fate::Ended,
            Said::Membership { .. } | Said::Link | Said::Consent(_) => Fate::Stays,
        }
    }

    fn is_past(&self, time: i64, retention_days: Option<u32>) -> bool {
        retention_days.is_some_and(|days| time < self.now - i64::from(days) * DAY)
    }

    /// Whether a trait's value is past retention. That it is not known any more is kept for as long as a source may say
    /// otherwise.
    fn has_expired(&self, time: i64, name: &str, known: bool) -> bool {
        let Some((_, decl)) = self.declarations.find_trait(name) else { return false };
        self.is_past(time, decl.retention_days) && (known || decl.sources.iter().all(|source| source == DOOR))
    }
}

/// Of several records with one id the first counts.
fn repeated(records: &[Record<'_>], fates: &mut [Fate]) {
    let mut seen = HashSet::with_capacity(records.len());
    for (record, fate) in records.iter().zip(fates) {
        if !seen.insert(record.id) && *fate != Fate::Deleted {
            *fate = Fate::Repeated;
        }
    }
}

/// Something that a later record of the same identifiers may say anew. In this order: what, of whom, the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim<'a> {
    what: u8,
    keys: u128,
    name: &'a str,
    record: usize,
    part: usize,
}

fn superseded(records: &[Record<'_>], fates: &mut [Fate]) {
    let mut claims = Vec::new();
    for (at, record) in records.iter().enumerate() {
        let mut claim = |what, name, part| {
            claims.push(Claim { what, keys: key_set(record), name, record: at, part });
        };
        match (&fates[at], &record.said) {
            (Fate::Stays | Fate::Partly(_), Said::Link) => claim(0, "", 0),
            (Fate::Stays | Fate::Partly(_), Said::Consent(_)) => claim(1, "", 0),
            (Fate::Stays | Fate::Partly(_), Said::Membership { list, .. }) => claim(2, list, 0),
            (Fate::Stays | Fate::Partly(_), Said::Traits(traits)) => {
                traits.iter().enumerate().for_each(|(part, (name, _))| claim(3, name, part));
            }
            _ => {}
        }
    }
    claims.sort_unstable();
    for same in claims.chunk_by(|a, b| (a.what, a.keys, a.name) == (b.what, b.keys, b.name)) {
        if same.len() > 1 {
            leave_the_last(records, same, &mut |claim| leave_out(records, fates, claim));
        }
    }
}

/// A hash of the identifiers, whatever their order.
fn key_set(record: &Record<'_>) -> u128 {
    if let [only] = record.keys.as_slice() {
        return only.key.0;
    }
    let mut keys: Vec<ProfileKey> = record.keys.iter().map(|id| id.key).collect();
    keys.sort_unstable();
    xxh3_128(&keys.iter().flat_map(|key| key.to_bytes()).collect::<Vec<u8>>())
}

/// Leaves out every claim but those that count. Whoever would win over all others (see `profiles`) wins here.
fn leave_the_last<'a>(records: &[Record<'a>], same: &[Claim<'_>], leave_out: &mut dyn FnMut(&Claim<'_>)) {
    let value = |claim: &Claim<'_>| match &records[claim.record].said {
        Said::Traits(traits) => traits[claim.part].1.as_ref(),
        _ => None,
    };
    if same[0].what == 3 && same.iter().any(|claim| matches!(value(claim), Some(Value::Tags(_)))) {
        return tags(records, same, &value, leave_out);
    }
    let wins = |a: &&Claim<'_>, b: &&Claim<'_>| {
        let (one, other) = (&records[a.record], &records[b.record]);
        let by_said = match (&one.said, &other.said) {
            (Said::Consent(a), Said::Consent(b)) => b.cmp(a),
            (Said::Membership { stay: a, .. }, Said::Membership { stay: b, .. }) => strength(*a).cmp(&strength(*b)),
            (Said::Traits(_), Said::Traits(_)) => greater(value(a), value(b)),
            _ => Ordering::Equal,
        };
        // Of equals the first.
        one.time.cmp(&other.time).then(by_said).then_with(|| (b.record, b.part).cmp(&(a.record, a.part)))
    };
    let Some(last) = same.iter().max_by(wins) else { return };
    for claim in same {
        // Values of different kinds are from before a change of the configuration: it decides which of them counts.
        let other_kind = greater(value(claim), value(last)) == Ordering::Equal && value(claim) != value(last);
        if claim != last && !other_kind {
            leave_out(claim);
        }
    }
}

/// Tags unite, so only those that are said once more, or taken away, count no longer.
fn tags<'v>(
    records: &[Record<'_>],
    same: &[Claim<'_>],
    value: &dyn Fn(&Claim<'_>) -> Option<&'v Value<'v>>,
    leave_out: &mut dyn FnMut(&Claim<'_>),
) {
    let time = |claim: &Claim<'_>| records[claim.record].time;
    let mut newest_first: Vec<&Claim<'_>> = same.iter().collect();
    newest_first.sort_by_key(|claim| (Reverse(time(claim)), value(claim).is_some(), claim.record));
    let mut seen = HashSet::new();
    let mut taken_away = false;
    for claim in newest_first {
        let stays = !taken_away
            && match value(claim) {
                None => true,
                Some(Value::Tags(tags)) => seen.insert(tags),
                Some(_) => true,
            };
        taken_away |= value(claim).is_none();
        if !stays {
            leave_out(claim);
        }
    }
}

/// As `profiles::lists` orders what is said at the same time.
fn strength(stay: Stay) -> (u8, u32) {
    match stay {
        Stay::Minutes(minutes) => (0, minutes),
        Stay::ByDefault => (1, 0),
        Stay::Ends => (2, 0),
    }
}

/// As `profiles::traits` orders what is said at the same time: that it is not known any more before all.
fn greater(a: Option<&Value<'_>>, b: Option<&Value<'_>>) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(Value::Flag(a)), Some(Value::Flag(b))) => a.cmp(b),
        (Some(Value::Number(a)), Some(Value::Number(b))) => (a + 0.0).total_cmp(&(b + 0.0)),
        (Some(Value::Date(a)), Some(Value::Date(b))) => a.cmp(b),
        (Some(Value::Text(a)), Some(Value::Text(b))) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

fn leave_out(records: &[Record<'_>], fates: &mut [Fate], claim: &Claim<'_>) {
    let fate = &mut fates[claim.record];
    let Said::Traits(traits) = &records[claim.record].said else {
        *fate = Fate::Superseded;
        return;
    };
    if *fate == Fate::Stays {
        *fate = Fate::Partly(vec![true; traits.len()]);
    }
    if let Fate::Partly(stays) = fate {
        stays[claim.part] = false;
        if !stays.contains(&true) {
            *fate = Fate::Superseded;
        }
    }
}
