//! A small installation whose facts come by files or by the log, at the test's choice.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use vaglio::audiences::definitions;
use vaglio::build::provenance::Provenance;
use vaglio::build::{What, build};
use vaglio::config::{Loaded, load_file};
use vaglio::error::Result;
use vaglio::log::{Control, ControlLog, Identifier, Log, Record, Said, Settings, Stay, Value};
use vaglio::schema::{Clock, KeyHasher, Offset};
use vaglio::snapshot::{LiveFacts, Manifest, Planes, Store};
use vaglio::telemetry::progress::{Mode, Progress};

pub const DAY: i64 = 86_400;

const CONFIG: &str = "\
data_dir: data
definitions: [audiences.yaml]
build: { keep_generations: 3 }
ingest:
  priority: 10
  dedupe_hours: 1
  token_hours: 1
  traits: [{ trait: mood, kind: category, retention_days: 30 }]
  events: [{ names: [broken], retention_days: 30 }]
sources:
  - name: crm
    kind: profiles
    path: crm.csv
    priority: 10
    ids: [{ column: crm, type: crm }, { column: ifa, type: pubcid.org }]
    time: { column: time, format: unix }
    traits: [{ column: plan, kind: category }, { column: age, kind: number }, { column: tags, kind: tags }]
  - name: shop
    kind: events
    path: shop.csv
    ids: [{ column: crm, type: crm }, { column: ifa, type: pubcid.org }]
    time: { column: time, format: unix }
    event_id: id
    event: { names: [purchase] }
    properties: [{ column: amount, kind: number }, { column: product, kind: category }]
    retention_days: 60
  - name: vip
    kind: memberships
    path: vip.csv
    ids: [{ column: crm, type: crm }]
    time: { column: time, format: unix }
    membership: { audience: acme/vip, ttl_minutes_column: ttl, remove_column: remove }
  - name: links
    kind: links
    path: links.csv
    ids: [{ column: crm, type: crm }, { column: ifa, type: pubcid.org }]
  - name: consents
    kind: consents
    path: consents.csv
    ids: [{ column: crm, type: crm }, { column: ifa, type: pubcid.org }]
    time: { column: time, format: unix }
    consent: { column: what }
";

const DEFINITIONS: &str = "\
audiences:
  - { id: gold, name: Gold, kind: target, owner: acme, rule: plan = gold }
  - { id: adults, name: Adults, kind: target, owner: acme, rule: age >= 18 }
  - { id: sporty, name: Sporty, kind: target, owner: acme, rule: tags has sport }
  - { id: buyers, name: Buyers, kind: suppress, owner: acme, rule: did purchase within 20 days }
  - { id: spenders, name: Spenders, kind: target, owner: acme, rule: did purchase with sum of amount > 30 within 50 days }
  - { id: phones, name: Phones, kind: target, owner: acme, rule: 'did purchase where product = phone' }
  - { id: vip, name: VIP, kind: target, owner: acme, list: true }
  - { id: carts, name: Carts, kind: target, owner: acme, list: true, ttl: 2 days }
";

/// The installation, in a directory that goes with the value.
pub struct World {
    folder: TempDir,
    pub keys: KeyHasher,
    pub now: i64,
    next_id: u64,
}

impl World {
    /// With a row of somebody else in every file: an empty file is refused.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("vaglio.yaml"), CONFIG).unwrap();
        fs::write(folder.path().join("audiences.yaml"), DEFINITIONS).unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("data/vaglio.key"), "000102030405060708090a0b0c0d0e0f\n").unwrap();
        let keys = load_file(&folder.path().join("vaglio.yaml")).unwrap().key_hasher(false).unwrap();
        let world = World { folder, keys, now: Clock::System.now().0, next_id: 0 };
        world.files(&BTreeMap::new());
        world
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub fn events(&self) -> PathBuf {
        self.data().join("log/events")
    }

    pub fn loaded(&self) -> Loaded {
        load_file(&self.path().join("vaglio.yaml")).unwrap()
    }

    pub fn store(&self) -> Store {
        Store::open(self.data()).unwrap()
    }

    /// Replaces a text of the configuration.
    pub fn configure(&self, from: &str, to: &str) {
        let path = self.path().join("vaglio.yaml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Writes the source files: these rows behind that of somebody else.
    pub fn files(&self, rows: &BTreeMap<&str, Vec<String>>) {
        let at = self.now - 5 * DAY - DAY / 2;
        for (name, header, row) in [
            ("crm", "crm,ifa,time,plan,age,tags", format!("else,,{at},basic,7,")),
            ("shop", "crm,ifa,time,id,amount,product", format!("else,,{at},else,1,pen")),
            ("vip", "crm,time,ttl,remove", format!("else,{at},,")),
            ("links", "crm,ifa", "else,else-ifa".to_owned()),
            ("consents", "crm,ifa,time,what", format!("else,,{at},consent")),
        ] {
            let mut text = format!("{header}\n{row}\n");
            rows.get(name).into_iter().flatten().for_each(|row| text += &format!("{row}\n"));
            fs::write(self.path().join(format!("{name}.csv")), text).unwrap();
        }
    }

    pub fn id(&self, id_type: &'static str, uid: &str) -> Identifier<'static> {
        Identifier { key: self.keys.key(id_type, uid), id_type: Cow::Borrowed(id_type) }
    }

    /// A record about these identifiers, with an id of its own.
    pub fn record(&mut self, ids: &[(&'static str, &str)], time: i64, said: Said<'static>) -> Record<'static> {
        self.next_id += 1;
        let id = self.keys.event_id(format!("record {}", self.next_id).as_bytes());
        Record { id, time, received: time, keys: ids.iter().map(|(kind, uid)| self.id(kind, uid)).collect(), said }
    }

    /// Appends records durably, as a server does.
    pub fn append(&self, records: &[Record<'_>]) -> Offset {
        let mut log = self.log();
        let encoded = records.iter().map(|record| {
            let mut bytes = Vec::new();
            record.encode(&mut bytes).unwrap();
            bytes
        });
        log.append(encoded.collect::<Vec<_>>()).unwrap();
        log.sync().unwrap();
        log.end()
    }

    pub fn log(&self) -> Log {
        Log::open(&self.events(), Settings { segment_bytes: 1 << 20, reserve_bytes: 0 }).unwrap().0
    }

    pub fn control(&self, control: &Control) -> Offset {
        ControlLog::open(&self.data().join("log/control")).unwrap().append(control).unwrap()
    }

    /// Deletes the person with these identifiers.
    pub fn delete(&self, ids: &[(&'static str, &str)], time: i64) -> Offset {
        let keys = ids.iter().map(|(kind, uid)| self.keys.block_key(self.keys.key(kind, uid))).collect();
        self.control(&Control::Deletion { keys, time, until: None })
    }

    pub fn build(&self) -> Manifest {
        self.try_build(What::Full).unwrap()
    }

    pub fn try_build(&self, what: What) -> Result<Manifest> {
        let loaded = self.loaded();
        let files = loaded.definition_files()?;
        let catalogue = definitions::load(&files, &loaded.declarations, &loaded.zone())?.0;
        build(&loaded, &catalogue, what, &Progress::new(Mode::Silent))
    }

    pub fn provenance(&self, manifest: &Manifest) -> Provenance {
        let snapshot = self.store().open_snapshot(manifest.generation, Planes::All, None).unwrap();
        Provenance::open(snapshot.section("provenance").unwrap()).unwrap()
    }

    /// The facts of a generation: offset and what is said.
    pub fn facts(&self, manifest: &Manifest) -> Vec<(u64, String)> {
        let snapshot = self.store().open_snapshot(manifest.generation, Planes::All, None).unwrap();
        let facts = LiveFacts::open(snapshot.section("live_facts").unwrap()).unwrap();
        let said = |bytes| format!("{:?}", Record::decode(bytes).unwrap().said);
        facts.iter().map(|(offset, bytes)| (offset.0, said(bytes))).collect()
    }

    /// Members of an audience.
    pub fn members(&self, manifest: &Manifest, audience: &str) -> u64 {
        manifest.audiences.iter().find(|one| one.id.as_str() == format!("acme/{audience}")).unwrap().members
    }
}

/// The hashes of the sections that must not depend on how facts came.
pub fn columns(manifest: &Manifest) -> BTreeMap<String, String> {
    let other = ["live_facts", "provenance", "catalogue", "flips"];
    let sections = manifest.sections.iter().filter(|section| !other.contains(&section.name.as_str()));
    sections.map(|section| (section.name.clone(), section.xxh3.clone())).collect()
}

pub fn text(text: &'static str) -> Value<'static> {
    Value::Text(Cow::Borrowed(text))
}

pub fn says(name: &'static str, value: Option<Value<'static>>) -> Said<'static> {
    Said::Traits(vec![(Cow::Borrowed(name), value)])
}

pub fn event(name: &'static str) -> Said<'static> {
    Said::Event { name: Cow::Borrowed(name), properties: Vec::new() }
}

pub fn listed(list: &'static str, stay: Stay) -> Said<'static> {
    Said::Membership { list: Cow::Borrowed(list), stay }
}
