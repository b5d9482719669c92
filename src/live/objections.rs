//! Takes objections and deletions: into the control log, made durable; into [`Blocked`], where every bid sees them; and only
//! then are they acknowledged. They wait for no event, need no generation, and no events log.
//!
//! The identifiers that are named count at once. Then every identifier of every person they belong to, in the generations in
//! service; and when another generation goes into service, which may know more identifiers of the same person,
//! those ([`Keeper::prepare`]).

use super::people::People;
use super::{Objection, Objections};
use crate::access::{Entry, Who};
use crate::config::Loaded;
use crate::error::Result;
use crate::log::blocklist::{self, HashedState, Said};
use crate::log::control::bytes::MOST_KEYS;
use crate::log::{Control, ControlLog, Which, oldest, read};
use crate::overlay::Blocked;
use crate::schema::{BlockKey, Clock, Generation, KeyHasher, Offset, ProfileKey, Scope, Timestamp};
use crate::snapshot::{Manifest, Store};
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

const DAY: i64 = 86_400;

/// What a deletion came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleted {
    /// Identifiers that are refused from now on: those named, and all others of the same people.
    pub identifiers: usize,
    /// Profiles of the generation in service that they belong to.
    pub profiles: usize,
    /// By when no file holds anything of them any more.
    pub purged_by: Timestamp,
}

/// Takes what is in memory of deleted people out of it.
pub type Forget = Box<dyn Fn(&[ProfileKey]) + Send + Sync>;

/// Keeps the list of those who object or were deleted.
pub struct Keeper {
    loaded: Loaded,
    store: Store,
    directory: PathBuf,
    blocked: Arc<Blocked>,
    /// The installation's secret, once there is one.
    keys: Arc<OnceLock<KeyHasher>>,
    control: Mutex<ControlLog>,
    /// The generation in service, and that which is about to be.
    generations: Mutex<Vec<Arc<Known>>>,
    forget: OnceLock<Forget>,
}

/// A generation, and its people once somebody asked for them: a section that nobody reads takes no memory.
struct Known {
    manifest: Manifest,
    people: OnceLock<Option<People>>,
}

impl Keeper {
    /// Opens the control log and tells `blocked` everything in it.
    ///
    /// # Errors
    /// A damaged log: without it nobody can say who objects.
    pub fn open(loaded: Loaded, store: Store, blocked: Arc<Blocked>, keys: Arc<OnceLock<KeyHasher>>) -> Result<Self> {
        let directory = loaded.config.data_dir.join("log/control");
        let mut control = ControlLog::open(&directory)?;
        if let Err(error) = control.compact() {
            tracing::warn!("the control log could not be made smaller, what it says holds all the same: {error}");
        }
        let control = Mutex::new(control);
        let generations = Mutex::default();
        let keeper = Keeper { loaded, store, directory, blocked, keys, control, generations, forget: OnceLock::new() };
        keeper.catch_up()?;
        // Before the first build there is none; then nobody can have objected either.
        let _ = keeper.hasher();
        Ok(keeper)
    }

    /// What is to be called with the identifiers of deleted people.
    pub fn when_deleted(&self, forget: Forget) {
        let _ = self.forget.set(forget);
    }

    /// Takes in what other processes have appended.
    ///
    /// # Errors
    /// A damaged log.
    pub fn catch_up(&self) -> Result<()> {
        self.control.lock().catch_up(&mut |_, record| {
            self.blocked.note(&record);
            Ok(())
        })
    }

    /// Who objects and who was deleted.
    pub fn blocked(&self) -> &Blocked {
        &self.blocked
    }

    /// Where the generations are.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The installation's secret.
    ///
    /// # Errors
    /// A key file that is not there (nothing was built yet) or cannot be read.
    pub fn hasher(&self) -> Result<&KeyHasher> {
        match self.keys.get() {
            Some(keys) => Ok(keys),
            None => {
                let keys = self.loaded.key_hasher(false)?;
                Ok(self.keys.get_or_init(|| keys))
            }
        }
    }

    /// Lets a generation be asked for people, and takes the identifiers that it knows of those who object or were deleted
    /// since it was built onto the list. To be called before it goes into service.
    ///
    /// # Errors
    /// A damaged log or section, or a machine that refuses; what holds already holds.
    pub fn prepare(&self, manifest: &Manifest) -> Result<()> {
        let known = Arc::new(Known { manifest: manifest.clone(), people: OnceLock::new() });
        self.generations.lock().push(Arc::clone(&known));
        let records = self.since(manifest)?;
        let people = if records.is_empty() { None } else { self.people(&known) };
        match people {
            Some(people) => self.cover(people, &records),
            None => Ok(()),
        }
    }

    /// Forgets the generations that are not in service any more.
    pub fn settle(&self, in_service: Generation) {
        self.generations.lock().retain(|known| known.manifest.generation == in_service);
    }

    /// Deletes everybody who has one of these identifiers. To do it twice is no harm.
    ///
    /// # Errors
    /// A machine that refuses; then it is not acknowledged.
    pub fn delete(&self, named: &[ProfileKey]) -> Result<Deleted> {
        let now = Clock::System.now();
        let settings = &self.loaded.config.privacy.objections;
        let until = settings.forget_days.map(|days| now.0.saturating_add(i64::from(days) * DAY));
        let record = |keys| Control::Deletion { keys, time: now.0, until };
        self.record(named, &record)?;
        let (all, profiles) = self.everything_of(named);
        self.record(&all, &record)?;
        if let Some(forget) = self.forget.get() {
            forget(&all);
        }
        let purged_by = Timestamp(now.0.saturating_add(i64::from(settings.purge_days) * DAY));
        Ok(Deleted { identifiers: all.len(), profiles, purged_by })
    }

    /// Makes an entry in the audit trail.
    ///
    /// # Errors
    /// A machine that refuses.
    pub fn log(&self, who: &Who, entry: Entry) -> Result<()> {
        let mut control = self.control.lock();
        let mut told = |_: Offset, record: Control| {
            self.blocked.note(&record);
            Ok(())
        };
        control.turn()?.audit(entry.by(who), &mut told).map(drop)
    }

    /// What was said of people since a generation's index was built.
    fn since(&self, manifest: &Manifest) -> Result<Vec<Control>> {
        let mut records = Vec::new();
        let from = manifest.control_cut.max(oldest(&self.directory)?);
        read(&self.directory, from, Which::All, &mut |_, payload| {
            records.push(Control::decode(payload)?);
            Ok(())
        })?;
        records.retain(|record| blocklist::of(record).is_some());
        Ok(records)
    }

    /// Takes every identifier of everybody whom a record names onto the list, as that record says.
    fn cover(&self, people: &People, records: &[Control]) -> Result<()> {
        let hasher = self.hasher()?;
        let mut named: HashMap<BlockKey, Vec<usize>, HashedState> = HashMap::default();
        for (at, record) in records.iter().enumerate() {
            let keys = blocklist::of(record).map_or(&[][..], |(keys, _)| keys);
            keys.iter().for_each(|key| named.entry(*key).or_default().push(at));
        }
        let mut more: Vec<HashSet<BlockKey, HashedState>> = vec![HashSet::default(); records.len()];
        let mut of_one = Vec::new();
        people.each(|keys| {
            of_one.clear();
            of_one.extend(keys.map(|key| hasher.block_key(key)));
            for at in of_one.iter().filter_map(|key| named.get(key)).flatten() {
                more[*at].extend(&of_one);
            }
        })?;
        for (record, more) in records.iter().zip(more) {
            self.append(more.into_iter(), &|keys| with_keys(record, keys))?;
        }
        Ok(())
    }

    /// Every identifier of everybody who has one of these, those named included; and how many profiles that are.
    /// Where people cannot be told, those named are all.
    fn everything_of(&self, named: &[ProfileKey]) -> (Vec<ProfileKey>, usize) {
        let generations: Vec<Arc<Known>> = self.generations.lock().clone();
        let mut all: HashSet<ProfileKey, HashedState> = named.iter().copied().collect();
        let mut count = 0;
        for people in generations.iter().filter_map(|known| self.people(known)) {
            let found = people.who(named).and_then(|who| Ok((who.len(), people.identifiers(&who)?)));
            match found {
                Ok((profiles, keys)) => {
                    count = count.max(profiles);
                    all.extend(keys);
                }
                Err(error) => tracing::error!("whose identifiers these are cannot be told, those named count: {error}"),
            }
        }
        (all.into_iter().collect(), count)
    }

    fn people<'a>(&self, known: &'a Known) -> Option<&'a People> {
        let opened = known.people.get_or_init(|| match People::open(&self.store, &known.manifest) {
            Ok(people) => Some(people),
            Err(error) => {
                tracing::warn!("objections count for the identifiers they name, until the next generation: {error}");
                None
            }
        });
        opened.as_ref()
    }

    fn record(&self, keys: &[ProfileKey], record: &dyn Fn(Vec<BlockKey>) -> Control) -> Result<()> {
        let hasher = self.hasher()?;
        self.append(keys.iter().map(|key| hasher.block_key(*key)), record)
    }

    /// Makes it durable, then lets every bid see it. Identifiers of which the list says as much already are left out.
    fn append(&self, keys: impl Iterator<Item = BlockKey>, record: &dyn Fn(Vec<BlockKey>) -> Control) -> Result<()> {
        let what = blocklist::of(&record(Vec::new())).map(|(_, said)| said);
        let new = |key: &BlockKey| what.is_some_and(|what: Said| !self.blocked.covers(*key, what));
        let keys: Vec<BlockKey> = keys.filter(new).collect();
        for keys in keys.chunks(MOST_KEYS) {
            let record = record(keys.to_vec());
            self.control.lock().append(&record)?;
            self.blocked.note(&record);
        }
        Ok(())
    }
}

impl Objections for Keeper {
    fn object(&self, objections: &[Objection]) -> Result<()> {
        let now = Clock::System.now().0;
        let days = self.loaded.config.privacy.objections.expire_days;
        let until = days.map(|days| now.saturating_add(i64::from(days) * DAY));
        let of_scope = |scope: Scope| {
            let of_scope = objections.iter().filter(move |objection| objection.scope == scope);
            let named: Vec<ProfileKey> = of_scope.flat_map(|objection| objection.keys.iter().copied()).collect();
            (scope, named)
        };
        let said = [Scope::All, Scope::Marketing, Scope::Profiling].map(of_scope);
        let record = |scope, keys: &[ProfileKey]| {
            self.record(keys, &|keys| Control::Objection { keys, scope, time: now, until })
        };
        // Those named first: finding the others may take a while.
        said.iter().try_for_each(|(scope, named)| record(*scope, named))?;
        let said = said.iter().filter(|(_, named)| !named.is_empty());
        said.into_iter().try_for_each(|(scope, named)| record(*scope, &self.everything_of(named).0))
    }
}

/// The same of others.
fn with_keys(record: &Control, keys: Vec<BlockKey>) -> Control {
    let mut record = record.clone();
    match &mut record {
        Control::Objection { keys: of, .. } | Control::Deletion { keys: of, .. } => *of = keys,
        // Nobody else is named.
        _ => {}
    }
    record
}

#[cfg(test)]
mod tests;
