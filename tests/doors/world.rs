//! A small world written straight into sections: who is in which audience, and what the campaigns want.
//!
//! `gamer` is in a generation's own audience too: `acme/even` or `acme/odd`, by its number.

use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use vaglio::audiences::catalogue::{
    Audience, AudienceKind, Campaign, Cap, Catalogue, Exclude, Fallback, Flight, Reference, Status,
};
use vaglio::config::{self, Loaded};
use vaglio::schema::{AudienceId, Generation, KeyHasher, ProfileKey, Segment, Timestamp};
use vaglio::server::{Options, Server};
use vaglio::snapshot::flips::write_flips;
use vaglio::snapshot::forward::flags;
use vaglio::snapshot::identities::BLOCKED_MARKETING;
use vaglio::snapshot::{AudienceSummary, ForwardWriter, IdentitiesWriter, Manifest, Plane, SectionRef, Store};

/// What instant every generation is of; the configuration freezes the clock at it.
pub const AS_OF: &str = "2026-11-20T12:00:00Z";
pub const SOURCE: &str = "id.test";
pub const IFA: &str = "6D92078A-8246-4BA4-AE5B-76104861E7DC";
const SECRET: [u8; 16] = [7; 16];

const AUDIENCES: [(&str, AudienceKind); 7] = [
    ("acme/even", AudienceKind::Target),
    ("acme/gamers", AudienceKind::Target),
    ("acme/haters", AudienceKind::Suppress),
    ("acme/movers", AudienceKind::Target),
    ("acme/odd", AudienceKind::Target),
    ("acme/recent-buyers", AudienceKind::Suppress),
    ("other/fans", AudienceKind::Target),
];

/// uid, flags, audiences. The profiles of the world, by ordinal.
const PEOPLE: [(&str, u8, &[u32]); 7] = [
    ("gamer", 0, &[1, 3]),
    ("hater", 0, &[1, 2]),
    ("buyer", 0, &[5]),
    ("objector", flags::OBJECTS_TO_MARKETING, &[1]),
    ("refuser", flags::REFUSED, &[1]),
    ("fan", 0, &[6]),
    ("nobody-special", 0, &[]),
];

pub fn hasher() -> KeyHasher {
    KeyHasher::new(SECRET)
}

pub fn key(uid: &str) -> ProfileKey {
    hasher().key(SOURCE, uid)
}

fn id(text: &str) -> AudienceId {
    AudienceId::resolve(text, "")
}

fn audience((name, kind): (&str, AudienceKind)) -> Audience {
    let label = matches!(name, "acme/gamers" | "acme/movers");
    Audience {
        id: id(name),
        name: name.to_owned(),
        kind,
        rule: None,
        ttl: None,
        segment: label.then(|| Segment { taxonomy: Some(4), id: "560".to_owned() }),
        folder: None,
        tags: Vec::new(),
        description: None,
        share: Default::default(),
        floor: None,
        valid_from: None,
        valid_to: None,
    }
}

fn campaign(name: &str, include: &[&str], exclude: &[&str]) -> Campaign {
    Campaign {
        id: id(name),
        name: None,
        status: Status::Active,
        flight: None,
        deals: Vec::new(),
        refs: Vec::new(),
        include: include.iter().map(|name| id(name)).collect(),
        exclude: exclude.iter().map(|name| Exclude { audience: id(name), hard: true }).collect(),
        no_profile: if include.is_empty() { Fallback::Target } else { Fallback::Suppress },
        on_failure: Fallback::Suppress,
        caps: Vec::new(),
        min_gap: None,
        priority: 0,
        group: None,
    }
}

fn line_item(system: &str, line_item: &str) -> Vec<Reference> {
    vec![Reference { system: system.to_owned(), line_item: line_item.to_owned() }]
}

pub fn catalogue() -> Catalogue {
    let later = Flight { from: Timestamp::parse("2027-01-01T00:00:00Z"), to: None };
    let campaigns = vec![
        Campaign { refs: line_item("dv360", "998"), ..campaign("acme/everyone", &[], &["acme/recent-buyers"]) },
        Campaign { flight: Some(later), ..campaign("acme/later", &[], &[]) },
        Campaign {
            refs: line_item("ttd", "998"),
            caps: vec![Cap { impressions: 3, per: None }],
            ..campaign("acme/upgrade", &["acme/gamers"], &["acme/haters"])
        },
        Campaign { refs: line_item("dv360", "77"), ..campaign("other/upgrade", &["other/fans"], &[]) },
    ];
    Catalogue { audiences: AUDIENCES.into_iter().map(audience).collect(), campaigns, ..Catalogue::default() }
}

/// A data directory with a configuration beside it.
pub struct World {
    directory: TempDir,
}

impl World {
    /// Without a generation.
    pub fn empty(extra: &str) -> World {
        let directory = TempDir::new().unwrap();
        let world = World { directory };
        std::fs::create_dir_all(world.data()).unwrap();
        std::fs::write(world.data().join("vaglio.key"), format!("{:032x}", u128::from_be_bytes(SECRET))).unwrap();
        // Tests share a machine: how late it runs is no matter but where a test is about it.
        let queue = if extra.contains("max_queue_ms") { "" } else { "  max_queue_ms: 0\n" };
        let text = format!(
            "data_dir: data\nas_of: {AS_OF}\nserver:\n  grpc: 127.0.0.1:0\n  http: 127.0.0.1:0\n  planner: 127.0.0.1:0\n{queue}{extra}"
        );
        std::fs::write(world.config_file(), text).unwrap();
        world
    }

    /// With one generation. `extra` is added to the configuration, below `server`.
    pub fn new(extra: &str) -> World {
        let world = World::empty(extra);
        world.publish();
        world
    }

    pub fn config_file(&self) -> PathBuf {
        self.directory.path().join("vaglio.yaml")
    }

    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn loaded(&self) -> Loaded {
        config::load_file(&self.config_file()).unwrap()
    }

    pub fn store(&self) -> Store {
        Store::open(self.data()).unwrap()
    }

    /// Builds and publishes the next generation.
    pub fn publish(&self) -> Generation {
        let store = self.store();
        let publishing = store.publishing("test").unwrap();
        let generation = store.next_generation().unwrap();
        let as_of = Timestamp::parse(AS_OF).unwrap();
        let manifest = Manifest {
            generation,
            created: as_of,
            as_of,
            frozen: true,
            key_fingerprint: hasher().fingerprint(),
            profiles: PEOPLE.len() as u32,
            index_of: generation,
            audiences: summaries(generation),
            sections: sections(&store, generation),
            ..Manifest::default()
        };
        store.publish(&publishing, manifest).unwrap()
    }

    /// Serves it without builds, looking for new generations all the time.
    pub fn serve(&self) -> Server {
        self.serve_with(Options { build: false, ..Options::default() })
    }

    pub fn serve_with(&self, options: Options) -> Server {
        Server::start(self.loaded(), Options { poll: std::time::Duration::from_millis(10), ..options }).unwrap()
    }

    /// Serves it and waits until it is ready.
    pub fn ready(&self) -> Server {
        let server = self.serve();
        wait_until("ready", || server.doors().live.load().served.is_some());
        server
    }

    /// The same at another instant.
    pub fn ready_at(&self, now: &str) -> Server {
        let mut loaded = self.loaded();
        loaded.config.as_of = Timestamp::parse(now);
        let server = Server::start(loaded, Options { build: false, ..Options::default() }).unwrap();
        wait_until("ready", || server.doors().live.load().served.is_some());
        server
    }
}

/// Waits for something that must come true soon.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !holds() {
        assert!(std::time::Instant::now() < until, "still not: {what}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// The audiences of a person in a generation.
fn audiences_of(uid: &str, stored: &[u32], generation: Generation) -> Vec<u32> {
    let mut audiences = stored.to_vec();
    if uid == "gamer" {
        audiences.push(if generation.0.is_multiple_of(2) { 0 } else { 4 });
        audiences.sort_unstable();
    }
    audiences
}

fn summaries(generation: Generation) -> Vec<AudienceSummary> {
    let members = |number| {
        let is_in = |person: &&(&str, u8, &[u32])| audiences_of(person.0, person.2, generation).contains(&number);
        PEOPLE.iter().filter(is_in).count() as u64
    };
    let summary = |((name, kind), number): ((&str, AudienceKind), u32)| AudienceSummary {
        id: id(name),
        kind: if kind == AudienceKind::Target { "target" } else { "suppress" }.to_owned(),
        members: members(number),
        flagged: None,
        closed: false,
    };
    AUDIENCES.into_iter().zip(0..).map(summary).collect()
}

fn sections(store: &Store, generation: Generation) -> Vec<SectionRef> {
    let mut identities = store.section("identities", Plane::Bid).unwrap();
    let known = PEOPLE.iter().zip(0..).map(|(person, ordinal)| (key(person.0), ordinal));
    let others = [(hasher().key("ifa", IFA), 0), (key("ghost"), BLOCKED_MARKETING)];
    IdentitiesWriter::write(known.chain(others).collect::<Vec<_>>().into_iter(), &mut identities).unwrap();
    let order: Vec<u32> = (0..AUDIENCES.len() as u32).collect();
    let section = store.section("forward", Plane::Bid).unwrap();
    let mut forward = ForwardWriter::new(section, PEOPLE.len() as u32, &order).unwrap();
    for (uid, profile, audiences) in PEOPLE {
        forward.push(profile, &audiences_of(uid, audiences, generation)).unwrap();
    }
    let mut flips = store.section("flips", Plane::Bid).unwrap();
    write_flips(&mut flips, &mut Vec::new()).unwrap();
    let mut catalogue_section = store.section("catalogue", Plane::Bid).unwrap();
    catalogue_section.write_all(&serde_json::to_vec(&catalogue()).unwrap()).unwrap();
    vec![
        identities.finish().unwrap(),
        forward.finish().unwrap(),
        flips.finish().unwrap(),
        catalogue_section.finish().unwrap(),
    ]
}
