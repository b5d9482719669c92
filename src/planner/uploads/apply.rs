//! Entries -> records of the log, durable and in force; and who is on a list now.

use super::super::Planner;
use super::super::reply::Refused;
use super::super::view::View;
use super::take::{Entry, List, Taken};
use crate::error::Result;
use crate::live::{Incoming, Intake, Stopped};
use crate::log::{Identifier, Record, Said, Stay, Which, events_directory, oldest, read};
use crate::schema::{Clock, KeyHasher, ProfileKey};
use crate::snapshot::keys::Keys;
use crate::wire::Code;
use smallvec::smallvec;
use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

/// Records that are handed in together: durable with one fsync, and no more than may wait.
const BATCH: usize = 4_096;
/// How long to wait where more comes than can be written.
const PAUSE: Duration = Duration::from_millis(20);

/// By entry, the profile that it belongs to.
pub(super) fn match_all(view: &View, entries: &[Entry]) -> Result<Vec<Option<u32>>> {
    let keys: Vec<ProfileKey> = entries.iter().map(Entry::key).collect();
    match_keys(view, &keys)
}

/// Identifiers of bids are found at once; for the others, all at once, it walks through everybody.
fn match_keys(view: &View, wanted: &[ProfileKey]) -> Result<Vec<Option<u32>>> {
    let keys = Keys::open(view.serving().snapshot().section("keys")?)?;
    let has = |ordinal: &u32, wanted: ProfileKey| keys.of(*ordinal).any(|(key, _)| key == wanted);
    let mut found: Vec<Option<u32>> =
        wanted.iter().map(|key| view.serving().find(*key).filter(|ordinal| has(ordinal, *key))).collect();
    let others = found.iter().zip(wanted).filter(|(found, _)| found.is_none()).map(|(_, key)| (*key, None));
    let mut others: HashMap<ProfileKey, Option<u32>> = others.collect();
    if others.is_empty() {
        return Ok(found);
    }
    for ordinal in 0..keys.profiles() {
        for (key, _) in keys.of(ordinal) {
            if let Some(profile) = others.get_mut(&key) {
                *profile = Some(ordinal);
            }
        }
    }
    found.iter_mut().zip(wanted).filter(|(found, _)| found.is_none()).for_each(|(found, key)| *found = others[key]);
    Ok(found)
}

/// Somebody, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Person {
    Profile(u32),
    Stranger(ProfileKey),
}

/// Who is on the list now and whom the file does not keep there: an identifier of each.
pub(super) fn not_in(
    planner: &Planner,
    view: &View,
    list: &List,
    taken: &Taken,
    profiles: &[Option<u32>],
) -> Result<Vec<(ProfileKey, String)>> {
    let keys = Keys::open(view.serving().snapshot().section("keys")?)?;
    let types = &view.serving().manifest().id_types;
    let mut now = on_the_list(planner, view, list)?;
    for (entry, profile) in taken.entries.iter().zip(profiles) {
        // Whoever the file ends is told of by the file itself.
        now.remove(&profile.map_or(Person::Stranger(entry.key()), Person::Profile));
    }
    let named = now.into_iter().filter_map(|(person, id_type)| match person {
        Person::Stranger(key) => Some((key, id_type?)),
        Person::Profile(ordinal) => {
            let (key, id_type) = keys.of(ordinal).next()?;
            Some((key, types.get(usize::from(id_type))?.clone()))
        }
    });
    Ok(named.collect())
}

/// Who is on a list: by the generation, and by what came since. With strangers the type of their identifier.
fn on_the_list(planner: &Planner, view: &View, list: &List) -> Result<HashMap<Person, Option<String>>> {
    let (columns, now) = (view.columns(), Clock::System.now().0);
    let mut on_it = HashMap::new();
    if let Some(at) = columns.find_list(&list.full) {
        for block in 0..columns.blocks() {
            let (lows, until) = columns.lists()[at].1.members(block);
            let current = lows.iter().zip(until).filter(|(_, until)| i64::from(**until) > now);
            on_it.extend(current.map(|(low, _)| (Person::Profile((block << 16) as u32 | u32::from(*low)), None)));
        }
    }
    let since = since(planner, view, &list.full)?;
    let keys: Vec<ProfileKey> = since.iter().map(|said| said.key).collect();
    for (said, profile) in since.into_iter().zip(match_keys(view, &keys)?) {
        let person = profile.map_or(Person::Stranger(said.key), Person::Profile);
        let seconds = match said.stay {
            Stay::Ends => Some(0),
            Stay::Minutes(minutes) => Some(i64::from(minutes) * 60),
            Stay::ByDefault => list.ttl,
        };
        if seconds.is_some_and(|seconds| said.time.saturating_add(seconds) <= now) {
            on_it.remove(&person);
        } else {
            on_it.insert(person, Some(said.id_type));
        }
    }
    Ok(on_it)
}

/// What somebody said of a list.
struct OfList {
    time: i64,
    key: ProfileKey,
    id_type: String,
    stay: Stay,
}

/// What the doors said of a list since the generation's cut, by time; of several at once removing comes last, and counts.
fn since(planner: &Planner, view: &View, full: &str) -> Result<Vec<OfList>> {
    let directory = events_directory(&planner.loaded.config.data_dir);
    let mut all: Vec<OfList> = Vec::new();
    if directory.is_dir() {
        let from = view.serving().manifest().events_cut.max(oldest(&directory)?);
        read(&directory, from, Which::All, &mut |_, bytes| {
            let record = Record::decode(bytes)?;
            if let Said::Membership { list, stay } = &record.said
                && *list == *full
            {
                let of = |id: &Identifier<'_>| OfList {
                    time: record.time,
                    key: id.key,
                    id_type: id.id_type.clone().into_owned(),
                    stay: *stay,
                };
                all.extend(record.keys.iter().map(of));
            }
            Ok(())
        })?;
    }
    all.sort_by_key(|said| (said.time, said.stay == Stay::Ends));
    Ok(all)
}

/// A second of its own: of two uploads the later one wins, and facts of one second have no order.
pub(super) fn next_second(last: &mut i64) -> i64 {
    loop {
        let now = Clock::System.now().0;
        if now > *last {
            *last = now;
            return now;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Hands in everything, and waits until it is durable and in force.
///
/// # Errors
/// A log that takes no more: what was handed in before stays, and sending the file again brings the rest.
pub(super) fn submit(
    intake: &Intake,
    hasher: &KeyHasher,
    list: &List,
    taken: &Taken,
    leave: &[(ProfileKey, String)],
    time: i64,
) -> std::result::Result<(), Refused> {
    let entries = taken.entries.iter();
    let joins = entries.map(|entry| (entry.key(), taken.types[usize::from(entry.id_type)].as_str(), entry.stay()));
    let leaves = leave.iter().map(|(key, id_type)| (*key, id_type.as_str(), Stay::Ends));
    let mut batch = Vec::with_capacity(BATCH);
    for (number, (key, id_type, stay)) in leaves.chain(joins).enumerate() {
        let id = hasher.event_id(format!("upload {} {time} {number}", list.full).as_bytes());
        let keys = smallvec![Identifier { key, id_type: Cow::Borrowed(id_type) }];
        let said = Said::Membership { list: Cow::Borrowed(&list.full), stay };
        let record = Record { id, time, received: time, keys, said };
        let mut encoded = Vec::with_capacity(96);
        record.encode(&mut encoded).map_err(|error| super::refused(&error))?;
        batch.push(Incoming { id, encoded });
        if batch.len() == BATCH {
            hand_in(intake, std::mem::take(&mut batch))?;
        }
    }
    hand_in(intake, batch)
}

fn hand_in(intake: &Intake, mut batch: Vec<Incoming>) -> std::result::Result<(), Refused> {
    if batch.is_empty() {
        return Ok(());
    }
    let answer = loop {
        match intake.offer(batch) {
            Ok(answer) => break answer,
            Err(back) => {
                batch = back;
                std::thread::sleep(PAUSE);
            }
        }
    };
    let help = "part of the file may be in force; send it again: nobody is on a list twice";
    match answer.blocking_recv() {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(stopped @ Stopped::Full(_))) => Err(Refused::new(Code::StorageFull, stopped.to_string(), help)),
        Ok(Err(stopped)) => Err(Refused::new(Code::Unavailable, stopped.to_string(), help).retry_after(5)),
        Err(_) => Err(Refused::new(Code::Unavailable, "the intake is gone", help).retry_after(5)),
    }
}
