//! A small installation: customers with raw identifiers, visitors with hashed ones, a source that may not be used to target,
//! consents, and something that came by the doors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use vaglio::audiences::Audience;
use vaglio::build::exports::{Ask, Format, Inputs, Place, Report, export};
use vaglio::build::{What, build, defined};
use vaglio::config::{Loaded, load_file};
use vaglio::error::Result;
use vaglio::evaluate::survey::Watch;
use vaglio::log::{Control, ControlLog, Identifier, Log, Record, Said, Settings};
use vaglio::lookup::ServingSnapshot;
use vaglio::planner::View;
use vaglio::schema::{AudienceId, Clock, KeyHasher, Scope};
use vaglio::snapshot::{Planes, Store};
use vaglio::telemetry::progress::{Mode, Progress};

const CONFIG: &str = "\
data_dir: data
definitions: [audiences.yaml]
destinations:
  - { name: partner, path: out, owners: [acme] }
  - { name: theirs, path: elsewhere, owners: [globex] }
protection: { activation_floor: 2 }
sources:
  - name: crm
    kind: profiles
    path: crm.csv
    ids: [{ column: customer, type: crm }, { column: email, type: email }, { column: phone, type: phone }, { column: ifa, type: ifa }]
    traits: [{ column: plan, kind: category }]
  - name: web
    kind: profiles
    path: web.ndjson
    ids: [{ column: cookie, type: pubcid.org }, { column: hash, type: email, hashed: true }]
    traits: [{ column: plan, kind: category }]
  - name: counted
    kind: links
    path: counted.csv
    uses: [insights]
    ids: [{ column: a, type: crm }, { column: b, type: pubcid.org }]
  - name: consents
    kind: consents
    path: consents.csv
    ids: [{ column: email, type: email }]
    consent: { column: what }
";

const DEFINITIONS: &str = "\
audiences:
  - { id: gold, kind: target, owner: acme, rule: plan = gold }
  - { id: leave, kind: suppress, owner: acme, rule: plan = leave }
  - { id: few, kind: target, owner: acme, floor: 1000, rule: plan = gold }
  - { id: one, kind: target, owner: acme, rule: plan = single }
  - { id: theirs, kind: target, owner: globex, share: all, rule: plan = gold }
";

/// Customers.
pub const PEOPLE: u32 = 60;

/// The installation, in a directory that goes with the value.
pub struct Scene {
    folder: TempDir,
    pub keys: KeyHasher,
}

/// An identifier as it is expected in a file: type and text.
pub type Id = (String, String);

pub fn ask(format: Format) -> Ask {
    Ask { format, delta: false, ids: Vec::new(), include_objectors: false, expires_days: 7 }
}

impl Scene {
    /// Built, with whom everybody is.
    pub fn new() -> Scene {
        let scene = Scene::unbuilt();
        scene.crm(|n| ["gold", "leave", "", "gold", "leave", "single"][if n == 5 { 5 } else { n as usize % 3 }]);
        // A device that only a door knows of: of customer 0.
        scene.append(&[("crm", "C0"), ("ifa", DOOR_IFA)], Said::Link);
        scene.build();
        scene
    }

    fn unbuilt() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("vaglio.yaml", CONFIG);
        write("audiences.yaml", DEFINITIONS);
        let web = (0..10).map(|n| {
            format!(r#"{{"cookie":"cookie-{n}","hash":"{}","plan":"gold"}}"#, uid2(&format!("visitor{n}@mail.example")))
        });
        write("web.ndjson", &(web.collect::<Vec<_>>().join("\n") + "\n"));
        write("counted.csv", "a,b\nC0,counted-0\nC12,counted-12\n");
        let consents = [
            (email(3), "objection_marketing"),
            (email(6), "refusal"),
            (email(9), "objection_profiling"),
            (email(4), "objection_marketing"),
            (email(7), "refusal"),
            ("stranger@mail.example".to_owned(), "objection_all"),
        ];
        let consents = consents.iter().map(|(email, what)| format!("{email},{what}\n")).collect::<String>();
        write("consents.csv", &format!("email,what\n{consents}"));
        fs::create_dir(folder.path().join("data")).unwrap();
        fs::write(folder.path().join("data/vaglio.key"), "000102030405060708090a0b0c0d0e0f\n").unwrap();
        let keys = load_file(&folder.path().join("vaglio.yaml")).unwrap().key_hasher(false).unwrap();
        Scene { folder, keys }
    }

    /// Writes the customers anew, each with a plan.
    pub fn crm(&self, plan: impl Fn(u32) -> &'static str) {
        let mut text = "customer,email,phone,ifa,plan\n".to_owned();
        for n in 0..PEOPLE {
            // As people type: every form means the same person.
            let (mail, phone) = (email(n).to_uppercase(), format!("0039 (333) {:07}", 1_000_000 + n));
            text += &format!("C{n},{mail},{phone},{},{}\n", ifa(n).to_uppercase(), plan(n));
        }
        fs::write(self.path().join("crm.csv"), text).unwrap();
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub fn loaded(&self) -> Loaded {
        load_file(&self.path().join("vaglio.yaml")).unwrap()
    }

    pub fn build(&self) {
        let loaded = self.loaded();
        let defined = defined::read(&loaded).unwrap();
        build(&loaded, &defined.catalogue, What::Full, &Progress::new(Mode::Silent)).unwrap();
    }

    /// What came by the door.
    pub fn append(&self, ids: &[(&'static str, &str)], said: Said<'static>) {
        let now = Clock::System.now().0;
        let keys =
            ids.iter().map(|(kind, uid)| Identifier { key: self.keys.key(kind, uid), id_type: Cow::Borrowed(*kind) });
        let id = self.keys.event_id(format!("{ids:?}").as_bytes());
        let mut bytes = Vec::new();
        Record { id, time: now, received: now, keys: keys.collect(), said }.encode(&mut bytes).unwrap();
        let settings = Settings { segment_bytes: 1 << 20, reserve_bytes: 0 };
        let mut log = Log::open(&self.data().join("log/events"), settings).unwrap().0;
        log.append([bytes]).unwrap();
        log.sync().unwrap();
    }

    fn control(&self, at: &Path, control: &Control) {
        ControlLog::open(&at.join("data/log/control")).unwrap().append(control).unwrap();
    }

    pub fn object(&self, customer: &str) {
        self.object_at(self.path(), customer);
    }

    /// The same in a copy of the installation.
    pub fn object_at(&self, copy: &Path, customer: &str) {
        let keys = vec![self.keys.block_key(self.keys.key("crm", customer))];
        self.control(copy, &Control::Objection { keys, scope: Scope::Marketing, time: 1, until: None });
    }

    pub fn delete(&self, customer: &str) {
        let keys = vec![self.keys.block_key(self.keys.key("crm", customer))];
        self.control(self.path(), &Control::Deletion { keys, time: Clock::System.now().0, until: None });
    }

    pub fn view(&self) -> View {
        let loaded = self.loaded();
        let store = Store::open(self.data()).unwrap();
        let live = store.current().unwrap().unwrap();
        let snapshot = store.open_snapshot(live, Planes::All, Some(&self.keys)).unwrap();
        View::of(ServingSnapshot::new(snapshot).unwrap(), loaded.zone()).unwrap()
    }

    pub fn out(&self) -> PathBuf {
        self.path().join("out")
    }

    /// Exports into `out`.
    pub fn export(&self, audience: &str, ask: &Ask) -> Result<Report> {
        self.export_as(audience, ask, &Place::Directory(self.out()), "partner")
    }

    pub fn export_to(&self, audience: &str, ask: &Ask, place: &Place) -> Result<Report> {
        self.export_as(audience, ask, place, &place.name())
    }

    fn export_as(&self, audience: &str, ask: &Ask, place: &Place, receiver: &str) -> Result<Report> {
        let (loaded, view) = (self.loaded(), self.view());
        let number = view.catalogue().number(&AudienceId::new("acme", audience)).unwrap();
        let audience: &Audience = &view.catalogue().audiences[number as usize];
        ask.check(audience, &loaded).unwrap();
        let members = view.members(number).unwrap();
        let report = export(&Inputs {
            loaded: &loaded,
            hasher: &self.keys,
            serving: view.serving(),
            audience,
            members: &members,
            ask,
            place,
            receiver,
            watch: &Watch::default(),
            progress: &Progress::new(Mode::Silent),
        })?;
        adds_up(&report);
        Ok(report)
    }

    /// What a naive reading of the sources says of whoever has a plan and is not among these customers: as it counts.
    pub fn expected(&self, plan: &str, without: &[u32]) -> BTreeSet<Id> {
        let mut found = BTreeSet::new();
        for line in fs::read_to_string(self.path().join("crm.csv")).unwrap().lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let n: u32 = cells[0][1..].parse().unwrap();
            if cells[4] != plan || without.contains(&n) {
                continue;
            }
            let phone: String = cells[2].chars().filter(char::is_ascii_digit).collect();
            found.insert(("crm".to_owned(), cells[0].to_owned()));
            found.insert(("email".to_owned(), cells[1].to_lowercase()));
            found.insert(("phone".to_owned(), format!("+{}", &phone[2..])));
            found.insert(("ifa".to_owned(), cells[3].to_lowercase()));
        }
        for line in fs::read_to_string(self.path().join("web.ndjson")).unwrap().lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            if row["plan"] == plan {
                found.insert(("pubcid.org".to_owned(), row["cookie"].as_str().unwrap().to_owned()));
                found.insert(("email".to_owned(), row["hash"].as_str().unwrap().to_owned()));
            }
        }
        found
    }
}

/// Known by a link that came by the door alone.
pub const DOOR_IFA: &str = "aaaaaaaa-0000-4000-8000-000000000000";
/// Customers of plan gold of whom the consents say no: to marketing, refused, to profiling.
pub const NO: [u32; 3] = [3, 6, 9];

pub fn email(n: u32) -> String {
    format!("person{n}@mail.example")
}

pub fn ifa(n: u32) -> String {
    format!("{:08x}-0000-4000-8000-{n:012x}", n.wrapping_mul(2_246_822_519) | 1)
}

/// As UID2 hashes an address.
pub fn uid2(address: &str) -> String {
    STANDARD.encode(Sha256::digest(address))
}

pub fn hex(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Nobody is lost between the counts of a report, and its files are as it says.
#[track_caller]
pub fn adds_up(report: &Report) {
    let people = report.profiles.exported + report.profiles.not_exportable;
    assert_eq!(report.members + report.objectors, people + report.withheld.total(), "{report:?}");
    for by in report.identifiers.values() {
        let sum = by.exported + by.unchanged + by.not_exportable + by.not_in_format;
        assert_eq!(by.identifiers, sum, "{report:?}");
    }
    for file in report.files.iter().filter(|file| !file.name.starts_with("s3://")) {
        let bytes = fs::read(&file.name).unwrap();
        let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((file.bytes, &file.sha256), (bytes.len() as u64, &sha256));
    }
}
