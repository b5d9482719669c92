//! A generation in service with its tail, by hand: the log is written, the applier applies, a manual clock tells the time.

use crate::world::World;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use vaglio::error::Result;
use vaglio::live::{Applier, Apply, Counts, Ground, Reading, Room, Tail};
use vaglio::log::{self, Record, Said, Which};
use vaglio::lookup::{Answer, Outcome, ServingSnapshot};
use vaglio::overlay::{Blocked, Exposures, Overlay};
use vaglio::schema::{Clock, Generation, Offset, ProfileKey, Timestamp};
use vaglio::snapshot::Planes;

/// What lookups are answered from.
#[derive(Clone)]
pub struct InService {
    pub serving: ServingSnapshot,
    pub overlay: Arc<Overlay>,
}

impl InService {
    pub fn ask(&self, key: ProfileKey, now: i64) -> Answer {
        let mut answer = Answer::default();
        self.serving.lookup(&[key], Timestamp(now), &self.overlay, &mut answer);
        answer
    }

    /// The ids of audiences, without their owner.
    pub fn names(&self, answer: &Answer) -> Vec<&str> {
        let audiences = &self.serving.catalogue().audiences;
        answer.audiences.iter().map(|number| audiences[*number as usize].id.id()).collect()
    }
}

/// Room for all that a test says.
pub const ROOM: Room = Room { profiles: 1_000_000, strangers: 1_000_000, bytes: 64 << 20 };

pub struct Scene {
    pub world: World,
    pub clock: Arc<AtomicI64>,
    pub applier: Applier,
    pub in_service: InService,
}

/// Said of these identifiers so many seconds from now.
pub type Saying<'s> = (&'s [(&'static str, &'static str)], i64, Said<'static>);

impl Scene {
    /// A generation of these rows. `{t}` stands for a time days ago, `{-19d23h30m}` for that long before now.
    pub fn new(rows: &[(&str, &[&str])]) -> Self {
        let world = World::new();
        let fill = |row: &&str| {
            let row = row.replace("{t}", &(world.now - 4 * 86_400).to_string());
            row.replace("{-19d23h30m}", &(world.now - 20 * 86_400 + 1_800).to_string())
        };
        let files: BTreeMap<&str, Vec<String>> =
            rows.iter().map(|(name, rows)| (*name, rows.iter().map(fill).collect())).collect();
        world.files(&files);
        world.append(&[]);
        let manifest = world.build();
        Scene::of(world, manifest.generation)
    }

    /// A generation in service.
    pub fn of(world: World, generation: Generation) -> Self {
        let clock = Arc::new(AtomicI64::new(Clock::System.now().0));
        let applier = Applier::new(world.events(), world.log().end());
        let in_service = serve(&world, generation, &applier, ROOM, &clock, &Arc::default(), |_| ()).unwrap();
        Scene { world, clock, applier, in_service }
    }

    /// Puts the newest generation in service anew.
    pub fn serve_with(&mut self, room: Room) {
        let newest = self.world.store().current().unwrap().unwrap();
        self.in_service =
            serve(&self.world, newest, &self.applier, room, &self.clock, &Arc::default(), |_| ()).unwrap();
    }

    pub fn serve(&mut self, generation: Generation) -> Result<()> {
        self.in_service = serve(&self.world, generation, &self.applier, ROOM, &self.clock, &Arc::default(), |_| ())?;
        Ok(())
    }

    /// Folds the log into a new generation and puts it in service.
    pub fn rebuild(&mut self) {
        let manifest = self.world.build();
        // Of what happened within its minute it knows from the next on: a server waits for that.
        self.set(self.now().max(manifest.as_of.0 + 60));
        self.serve(manifest.generation).unwrap();
    }

    /// Everything is read from the files again, as after a restart.
    pub fn restart(&mut self) {
        self.applier = Applier::new(self.world.events(), self.world.log().end());
        self.serve(self.in_service.serving.generation()).unwrap();
    }

    /// Into the log, durably, and applied.
    pub fn take(&mut self, sayings: &[Saying<'_>]) {
        let now = self.now();
        let records: Vec<Record<'_>> =
            sayings.iter().map(|(ids, at, said)| self.world.record(ids, now + at, said.clone())).collect();
        append(&self.world, &mut self.applier, &records);
    }

    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    pub fn set(&self, now: i64) {
        self.clock.store(now, Ordering::Relaxed);
    }

    pub fn tick(&self) {
        while self.applier.tick() {}
    }

    pub fn counts(&self) -> Counts {
        self.applier.counts()
    }

    pub fn outcome(&self, cookie: &str) -> Outcome {
        self.in_service.ask(self.world.keys.key("pubcid.org", cookie), self.now()).outcome
    }

    pub fn audiences(&self, cookie: &str) -> Vec<&str> {
        let answer = self.in_service.ask(self.world.keys.key("pubcid.org", cookie), self.now());
        self.in_service.names(&answer)
    }
}

pub fn member(audiences: &[&str], audience: &str) -> bool {
    audiences.contains(&audience)
}

/// Appends as the intake does: durable first, then applied.
pub fn append(world: &World, applier: &mut Applier, records: &[Record<'_>]) {
    let end = world.append(records);
    let first = end.0 - records.len() as u64;
    applier.apply(&encoded(&world.events(), Offset(first)));
}

fn encoded(directory: &Path, from: Offset) -> Vec<(Offset, Vec<u8>)> {
    let mut all = Vec::new();
    let mut keep = |offset, bytes: &[u8]| {
        all.push((offset, bytes.to_vec()));
        Ok(())
    };
    log::read(directory, from, Which::All, &mut keep).unwrap();
    all
}

/// The way that a server takes a generation into service.
pub fn serve(
    world: &World,
    generation: Generation,
    applier: &Applier,
    room: Room,
    clock: &Arc<AtomicI64>,
    blocked: &Arc<Blocked>,
    install: impl FnOnce(&InService),
) -> Result<InService> {
    let loaded = world.loaded();
    let snapshot = world.store().open_snapshot(generation, Planes::All, Some(&world.keys))?;
    let serving = ServingSnapshot::new(snapshot)?;
    let is_bid = |name: &str| loaded.id_types.iter().any(|it| it.name == name && it.bid);
    let declarations = &loaded.declarations;
    let reading = Reading { declarations, zone: &loaded.zone(), is_bid: &is_bid, outranks_door: &|_| false };
    let ground = Ground::open(serving.clone(), &reading)?;
    let overlay = Overlay::new(serving.manifest().profiles, world.keys.clone(), Arc::clone(blocked));
    let overlay = Arc::new(overlay.with_exposures(Exposures::new([("acme/hello", 3)], 1_000)));
    let bid_types = loaded.id_types.iter().filter(|it| it.bid).map(|it| it.name.as_str());
    let clock = Clock::Manual(Arc::clone(clock));
    let tail = Tail::new(ground, Arc::clone(&overlay), bid_types, room, clock);
    let in_service = InService { serving, overlay };
    applier.take_over(tail, || install(&in_service))?;
    Ok(in_service)
}
