//! Everything that is held of a person, wherever it is: a generation's sections, and what came by the doors since its cut. For
//! the export of what is held, and for explanations; read-only, and as well without a server.

use super::facts::within_the_minute;
use super::people::People;
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::evaluate::{LivePlan, Question, Subject};
use crate::log::{Record, Which, oldest, read};
use crate::lookup::ServingSnapshot;
use crate::schema::{Generation, ProfileKey, Timestamp};
use crate::snapshot::columns::Opened;
use crate::snapshot::{AudienceSummary, Planes, Snapshot, Store};
use jiff::tz::TimeZone;

/// What is held of whoever has some identifiers.
pub struct Held {
    /// The generation, as lookups read it.
    pub serving: ServingSnapshot,
    /// The same with every section.
    pub snapshot: Snapshot,
    /// Its traits, events and lists.
    pub columns: Opened,
    /// The profiles that have the identifiers, ascending.
    pub profiles: Vec<u32>,
    /// The identifiers that were asked for, and then all others of those profiles.
    pub keys: Vec<ProfileKey>,
    /// The minute at which it is looked at.
    pub now: Timestamp,
    /// Of `today` and of dates.
    pub zone: TimeZone,
    /// The second of that minute.
    instant: Timestamp,
    /// What came by the doors since and names any of the identifiers, in the order of the log.
    records: Vec<Vec<u8>>,
    /// Traits of which a source's value wins over a door's.
    outranked: Vec<String>,
}

impl Held {
    /// Gathers it from a generation, the live one by default, and the events log behind its cut.
    ///
    /// # Errors
    /// No generation, a refused one, or a damaged log.
    pub fn of(
        loaded: &Loaded,
        store: &Store,
        generation: Option<Generation>,
        named: &[ProfileKey],
        now: Timestamp,
    ) -> Result<Held> {
        let generation = match generation {
            Some(generation) => generation,
            None => store.current()?.ok_or_else(|| Error::busy("there is no generation yet; run `vaglio build`"))?,
        };
        let snapshot = store.open_snapshot(generation, Planes::All, Some(&loaded.key_hasher(false)?))?;
        let people = People::open(store, snapshot.manifest())?;
        let profiles = people.who(named)?;
        let mut keys = named.to_vec();
        let others = people.identifiers(&profiles)?;
        keys.extend(others.into_iter().filter(|key| !named.contains(key)));
        let traits = loaded.declarations.traits.iter().map(|it| it.name.clone());
        let outranked = traits.filter(|name| loaded.outranks_door(name)).collect();
        let directory = crate::log::events_directory(&loaded.config.data_dir);
        let from = snapshot.manifest().events_cut.max(oldest(&directory)?);
        let mut records = Vec::new();
        // A generation alone can be asked where no events were ever taken.
        if directory.is_dir() {
            read(&directory, from, Which::All, &mut |_, bytes| {
                if Record::decode(bytes)?.keys.iter().any(|identifier| keys.contains(&identifier.key)) {
                    records.push(bytes.to_vec());
                }
                Ok(())
            })?;
        }
        let (serving, columns) = (ServingSnapshot::new(snapshot.clone())?, Opened::of(&snapshot)?);
        let zone = TimeZone::get(&snapshot.manifest().timezone).unwrap_or(TimeZone::UTC);
        let (instant, now) = (now, now.floor_minute());
        Ok(Held { serving, snapshot, columns, profiles, keys, now, zone, instant, records, outranked })
    }

    /// What came by the doors since, in the order of the log.
    pub fn facts(&self) -> Vec<Record<'_>> {
        // They were decoded once already.
        self.records.iter().filter_map(|bytes| Record::decode(bytes).ok()).collect()
    }

    /// The same as rules see it: what happened within the present minute counts as of its start, as in answers.
    pub fn facts_now(&self) -> Vec<Record<'_>> {
        let mut facts = self.facts();
        within_the_minute(&mut facts, self.instant);
        facts
    }

    /// How to ask about rules.
    pub fn question(&self) -> Question<'_> {
        let (catalogue, columns) = (self.serving.rules(), self.columns.columns());
        Question { catalogue, columns, now: self.now, zone: &self.zone }
    }

    /// Whether a source's value of a trait wins over a door's.
    pub fn outranks(&self, name: &str) -> bool {
        self.outranked.iter().any(|known| known == name)
    }

    /// One of the profiles as a subject of questions, or, without one, whoever the doors told of.
    pub fn subject<'p, 'r>(
        &self,
        profile: Option<u32>,
        facts: &'p [Record<'r>],
        outranked: &'p dyn Fn(&str) -> bool,
    ) -> Subject<'p, 'r> {
        let seed = self.keys.first().map_or(0, |key| (key.0 >> 96) as u32);
        Subject { ordinal: profile, seed, facts, outranked, declarations: None }
    }

    /// Whether the build left nobody in an audience, because what it rests on is too old.
    fn is_dropped(&self, number: usize) -> bool {
        self.snapshot.manifest().audiences.get(number).is_some_and(AudienceSummary::is_dropped)
    }

    /// The audiences that a profile, or whoever the doors told of, is in now, ascending; of both kinds.
    pub fn audiences(&self, profile: Option<u32>, facts: &[Record<'_>]) -> Vec<u32> {
        let columns = self.columns.columns();
        let plan = LivePlan::compile(self.serving.rules(), columns, &self.zone, |number| self.is_dropped(number))
            .outranked(|name| self.outranks(name));
        let subject = self.subject(profile, facts, &|_| false);
        let person = crate::evaluate::Person { columns, ordinal: profile, seed: subject.seed, facts };
        (0..plan.len() as u32).filter(|rule| plan.holds(&person, *rule, self.now)).collect()
    }
}
