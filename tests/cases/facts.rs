//! A case's facts as a generation, written straight into sections, and a server on it.

use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use vaglio::audiences::{Catalogue, definitions};
use vaglio::config;
use vaglio::schema::{AudienceId, KeyHasher, ProfileKey, Timestamp};
use vaglio::server::{Options, Server};
use vaglio::snapshot::caps::{Impression, write_caps};
use vaglio::snapshot::flips::write_flips;
use vaglio::snapshot::forward::flags;
use vaglio::snapshot::identities::BLOCKED_MARKETING;
use vaglio::snapshot::{ForwardWriter, IdentitiesWriter, Manifest, Plane, SectionRef, Store};

/// What instant every generation is of.
pub const AS_OF: &str = "2026-11-20T12:00:00Z";
const SECRET: [u8; 16] = [7; 16];

/// Puts what `said` says into `base`, maps within maps; anything else replaces what was there.
pub fn merge(base: &mut Value, said: &Value) {
    match (base, said) {
        (Value::Object(base), Value::Object(said)) => {
            for (key, value) in said {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, said) => *base = said.clone(),
    }
}

/// A data directory with a configuration beside it.
pub struct Facts {
    directory: TempDir,
    loaded: bool,
}

impl Facts {
    /// What a case says.
    pub fn new(case: &Value) -> Facts {
        let facts = Facts { directory: TempDir::new().unwrap(), loaded: case["generation"] != json!(false) };
        std::fs::create_dir_all(facts.data()).unwrap();
        std::fs::write(facts.data().join("vaglio.key"), format!("{:032x}", u128::from_be_bytes(SECRET))).unwrap();
        let mut config = json!({
            "data_dir": "data", "as_of": AS_OF,
            "server": {
                "grpc": "127.0.0.1:0", "http": "127.0.0.1:0", "planner": "127.0.0.1:0",
                // However busy the machine that runs the tests.
                "max_queue_ms": 0, "deadline": {"cap_ms": 0},
            },
        });
        if case["config"].is_object() {
            merge(&mut config, &case["config"]);
        }
        std::fs::write(facts.config(), config.to_string()).unwrap();
        if facts.loaded {
            facts.publish(case);
        }
        facts
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn config(&self) -> PathBuf {
        self.directory.path().join("vaglio.yaml")
    }

    /// A server that is ready.
    pub fn serve(&self) -> Server {
        let mut loaded = config::load_file(&self.config()).unwrap_or_else(|error| panic!("config: {error}"));
        // Tests share a machine: how late it runs is no matter here.
        loaded.config.server.max_queue_ms = 0;
        let server = Server::start(loaded, Options { build: false, ..Options::default() }).unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while self.loaded && server.doors().live.load().served.is_none() {
            assert!(Instant::now() < until, "the server does not become ready");
            std::thread::sleep(Duration::from_millis(2));
        }
        server
    }

    fn publish(&self, case: &Value) {
        let catalogue = catalogue(&case["definitions"]);
        let store = Store::open(self.data()).unwrap();
        let publishing = store.publishing("case").unwrap();
        let generation = store.next_generation().unwrap();
        let as_of = Timestamp::parse(AS_OF).unwrap();
        let people = case["people"].as_array().map_or(&[][..], Vec::as_slice);
        let manifest = Manifest {
            generation,
            created: as_of,
            as_of,
            frozen: true,
            key_fingerprint: KeyHasher::new(SECRET).fingerprint(),
            profiles: people.len() as u32,
            index_of: generation,
            sections: sections(&store, people, &case["blocked"], &catalogue),
            ..Manifest::default()
        };
        store.publish(&publishing, manifest).unwrap();
    }
}

/// What planners wrote, through the parser that they use.
fn catalogue(definitions: &Value) -> Catalogue {
    let text = if definitions.is_object() { definitions.to_string() } else { "{}".to_owned() };
    let files = [(PathBuf::from("definitions"), text)];
    let (catalogue, _) = definitions::load(&files, &Default::default(), &jiff::tz::TimeZone::UTC)
        .unwrap_or_else(|error| panic!("definitions: {error}"));
    catalogue
}

fn keys(ids: &Value) -> Vec<ProfileKey> {
    let hasher = KeyHasher::new(SECRET);
    let key = |kind: &str, uid: &Value| hasher.key(kind, uid.as_str().unwrap());
    let ids = ids.as_object().into_iter().flatten();
    ids.flat_map(|(kind, uids)| match uids {
        Value::Array(uids) => uids.iter().map(|uid| key(kind, uid)).collect(),
        uid => vec![key(kind, uid)],
    })
    .collect()
}

fn sections(store: &Store, people: &[Value], blocked: &Value, catalogue: &Catalogue) -> Vec<SectionRef> {
    let known =
        people.iter().zip(0..).flat_map(|(person, at)| keys(&person["ids"]).into_iter().map(move |key| (key, at)));
    let strangers = keys(blocked).into_iter().map(|key| (key, BLOCKED_MARKETING));
    let entries: Vec<(ProfileKey, u32)> = known.chain(strangers).collect();
    let mut identities = store.section("identities", Plane::Bid).unwrap();
    IdentitiesWriter::write(entries.into_iter(), &mut identities).unwrap();

    let order: Vec<u32> = (0..catalogue.audiences.len() as u32).collect();
    let section = store.section("forward", Plane::Bid).unwrap();
    let mut forward = ForwardWriter::new(section, people.len() as u32, &order).unwrap();
    for person in people {
        let names = person["audiences"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap());
        let number = |name: &str| {
            catalogue.number(&AudienceId::resolve(name, "")).unwrap_or_else(|| panic!("no audience `{name}`"))
        };
        let mut audiences: Vec<u32> = names.map(number).collect();
        audiences.sort_unstable();
        let flag = |name: &str, flag: u8| if person[name] == json!(true) { flag } else { 0 };
        let marks = flag("objects", flags::OBJECTS_TO_MARKETING) | flag("refuses", flags::REFUSED);
        forward.push(marks, &audiences).unwrap();
    }
    let mut flips = store.section("flips", Plane::Bid).unwrap();
    write_flips(&mut flips, &mut Vec::new()).unwrap();
    let mut caps = store.section("caps", Plane::Bid).unwrap();
    write_caps(&mut caps, &shown(people, catalogue)).unwrap();
    let mut names = store.section("catalogue", Plane::Bid).unwrap();
    names.write_all(&serde_json::to_vec(catalogue).unwrap()).unwrap();
    [identities, flips, caps, names]
        .into_iter()
        .chain([forward.close().unwrap()])
        .map(|it| it.finish().unwrap())
        .collect()
}

/// What was shown to them: `"shown": {"owner/id": ["time", ...]}`.
fn shown(people: &[Value], catalogue: &Catalogue) -> Vec<Impression> {
    let mut all = Vec::new();
    for (ordinal, person) in (0..).zip(people) {
        for (name, times) in person["shown"].as_object().into_iter().flatten() {
            let campaign = catalogue.campaign(&AudienceId::resolve(name, ""));
            let campaign = campaign.unwrap_or_else(|| panic!("no campaign `{name}`"));
            let times =
                times.as_array().into_iter().flatten().map(|time| time.as_str().and_then(Timestamp::parse).unwrap());
            all.extend(times.map(|time| Impression { ordinal, campaign, time: time.0 }));
        }
    }
    all.sort_unstable();
    all
}
