//! The sections of a snapshot: whatever their bytes are, what opens can be read.

use super::seen;
use vaglio::log::Record;
use vaglio::schema::ProfileKey;
use vaglio::snapshot::bitmaps::Bitmaps;
use vaglio::snapshot::blocked::Blocked;
use vaglio::snapshot::columns::{Columns, EventColumn, ListColumn, PropColumn, TraitColumn};
use vaglio::snapshot::consents::Consents;
use vaglio::snapshot::keys::Keys;
use vaglio::snapshot::{Caps, Filter, Flips, Forward, Identities, LiveFacts};

fn key(n: u64) -> ProfileKey {
    ProfileKey(u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

pub(super) fn identities(bytes: &[u8]) {
    if let Ok(identities) = Identities::open(bytes) {
        (0..200).for_each(|n| seen(identities.find(key(n))));
        (0..64).for_each(|n| identities.prefetch(key(n)));
        identities.false_match_probability();
    }
}

pub(super) fn filter(bytes: &[u8]) {
    if let Ok(filter) = Filter::open(bytes) {
        (0..200).for_each(|n| seen(filter.may_contain(key(n))));
    }
}

/// Ordinals that are there, at the edges of groups, and that are not.
fn ordinals() -> impl Iterator<Item = u32> {
    (0..300).chain([65_535, 65_536, 1 << 20, u32::MAX - 1, u32::MAX])
}

pub(super) fn forward(bytes: &[u8]) {
    let Ok(forward) = Forward::open(bytes) else { return };
    let mut audiences = Vec::new();
    for ordinal in ordinals() {
        audiences.clear();
        forward.prefetch_group(ordinal);
        forward.prefetch_profile(ordinal);
        forward.read(ordinal, &mut audiences);
        assert!(audiences.iter().all(|audience| *audience < forward.audiences()), "audiences that are there");
    }
}

pub(super) fn flips(bytes: &[u8]) {
    if let Ok(flips) = Flips::open(bytes) {
        ordinals().for_each(|ordinal| seen(flips.of(ordinal).count()));
    }
}

pub(super) fn caps(bytes: &[u8]) {
    if let Ok(caps) = Caps::open(bytes) {
        ordinals().for_each(|ordinal| seen(caps.of(ordinal).count()));
    }
}

pub(super) fn bitmaps(bytes: &[u8]) {
    aligned(bytes, |bytes| {
        if let Ok(bitmaps) = Bitmaps::open(bytes) {
            (0..bitmaps.len().min(64) as u32 + 1).for_each(|audience| seen(bitmaps.get(audience)));
        }
    });
}

/// Three sections from one input: the first two bytes say where they are cut.
pub(super) fn columns(bytes: &[u8]) {
    let Some((cuts, bytes)) = bytes.split_at_checked(4) else { return };
    let cut = |at: usize| usize::from(u16::from_le_bytes([cuts[at], cuts[at + 1]]));
    let first = cut(0).min(bytes.len());
    let second = cut(2).clamp(first, bytes.len());
    aligned(&bytes[..first], |traits| {
        aligned(&bytes[first..second], |events| {
            aligned(&bytes[second..], |lists| {
                if let Ok(columns) = Columns::open(traits, events, lists) {
                    read_columns(&columns);
                }
            });
        });
    });
}

fn read_columns(columns: &Columns<'_>) {
    let there: Vec<u32> = ordinals().filter(|ordinal| *ordinal < columns.ordinals()).collect();
    let blocks = columns.blocks().min(4);
    for (_, column) in columns.traits() {
        there.iter().for_each(|ordinal| read_trait(column, *ordinal));
    }
    for (_, column) in columns.events() {
        (0..blocks).for_each(|block| read_events(column, block));
        there.iter().for_each(|ordinal| seen(column.rows_of(*ordinal)));
    }
    for (_, list) in columns.lists() {
        let list: &ListColumn<'_> = list;
        (0..blocks).for_each(|block| seen(list.members(block).0.len()));
        there.iter().for_each(|ordinal| seen(list.until(*ordinal)));
    }
}

fn read_trait(column: &TraitColumn<'_>, ordinal: u32) {
    let at = ordinal as usize;
    match column {
        TraitColumn::Flag { known, yes } => seen((known.get(at / 64), yes.get(at / 64))),
        TraitColumn::Category(codes, dictionary) => seen(dictionary.get(codes.get(at) as usize)),
        TraitColumn::Number(numbers) => seen(numbers.get(at)),
        TraitColumn::Date(days) => seen(days.get(at)),
        TraitColumn::Tags(tags) => seen(tags.of(ordinal)),
    }
}

fn read_events(column: &EventColumn<'_>, block: usize) {
    let rows = column.rows(block);
    for row in rows.clone().take(100).chain(rows.last()) {
        seen((column.times.get(row), column.lows.get(row)));
        for at in 0.. {
            match column.property(at) {
                Some(PropColumn::Flag(codes)) => seen(codes.get(row)),
                Some(PropColumn::Category(codes, dictionary)) => seen(dictionary.get(codes.get(row) as usize)),
                Some(PropColumn::Number(numbers)) => seen(numbers.get(row)),
                None => break,
            }
        }
    }
}

pub(super) fn keys(bytes: &[u8]) {
    aligned(bytes, |bytes| {
        if let Ok(keys) = Keys::open(bytes) {
            let there = ordinals().filter(|ordinal| *ordinal < keys.profiles());
            there.for_each(|ordinal| seen((keys.of(ordinal).count(), keys.least(ordinal))));
        }
    });
}

/// The frames add up, and what is in them is a record or refused.
pub(super) fn live_facts(bytes: &[u8]) {
    if let Ok(facts) = LiveFacts::open(bytes) {
        assert_eq!(facts.iter().count() as u64, facts.len());
        facts.iter().for_each(|(_, record)| seen(Record::decode(record).is_ok()));
    }
}

pub(super) fn objections(bytes: &[u8]) {
    aligned(bytes, |bytes| {
        if let Ok(blocked) = Blocked::open(bytes) {
            (0..100).for_each(|n| seen(blocked.scope(key(n))));
            seen(blocked.iter().count());
        }
        if let Ok(consents) = Consents::open(bytes, bytes.len() as u32) {
            ordinals().for_each(|ordinal| seen(consents.of(ordinal)));
        }
    });
}

/// Sections lie at multiples of 64, as a mapping's do.
fn aligned(bytes: &[u8], read: impl FnOnce(&[u8])) {
    let mut buffer = vec![0; bytes.len() + 64];
    let start = buffer.as_ptr().align_offset(64).min(64);
    buffer[start..start + bytes.len()].copy_from_slice(bytes);
    read(&buffer[start..start + bytes.len()]);
}
