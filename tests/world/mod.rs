//! A small world in files: two sources of people, events, an uploaded list, links, consents, and definitions over them.

#![allow(dead_code, reason = "every test file uses another part")]

use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use vaglio::audiences::{Catalogue, definitions};
use vaglio::build::{What, build};
use vaglio::config::{Loaded, load_file};
use vaglio::error::Result;
use vaglio::snapshot::Manifest;
use vaglio::telemetry::progress::{Mode, Progress};

const CONFIG: &str = "\
data_dir: data
as_of: 2026-11-20T00:00:00Z
definitions: [audiences.yaml]
build: { keep_generations: 2 }
sources:
  - name: crm
    kind: profiles
    path: crm.csv
    priority: 10
    ids: [{ column: customer, type: crm }, { column: email, type: email }, { column: ifa, type: ifa }]
    time: { column: updated }
    traits: [{ column: plan, kind: category }, { column: age, kind: number }, { column: tags, kind: tags }]
  - name: web
    kind: profiles
    path: web.ndjson
    ids: [{ column: cookie, type: pubcid.org }, { column: ifa, type: ifa }]
    time: { column: updated }
    traits: [{ column: plan, kind: category }]
  - name: shop
    kind: events
    path: shop.csv
    ids: [{ column: ifa, type: ifa }]
    time: { column: time }
    event_id: id
    event: { column: event, names: [purchase, viewed_offer] }
    properties: [{ column: amount, kind: number }, { column: product, kind: category }]
  - name: vip
    kind: memberships
    path: vip.csv
    ids: [{ column: customer, type: crm }]
    membership: { audience: acme/vip }
  - name: links
    kind: links
    path: links.csv
    ids: [{ column: a, type: crm }, { column: b, type: pubcid.org }]
  - name: consents
    kind: consents
    path: consents.csv
    ids: [{ column: email, type: email }]
    time: { column: time }
    consent: { column: what }
";

const DEFINITIONS: &str = "\
audiences:
  - { id: gold, name: Gold customers, kind: target, owner: acme, rule: plan = gold }
  - { id: adults, name: Adults, kind: target, owner: acme, rule: age >= 18 }
  - { id: buyers, name: Recent buyers, kind: suppress, owner: acme, rule: did purchase within 30 days }
  - { id: vip, name: VIP, kind: target, owner: acme, list: true }
campaigns:
  - { id: upgrade, owner: acme, status: active, include: [gold], exclude: [buyers] }
";

/// The files, in a directory that goes with the value.
pub struct World {
    folder: TempDir,
    people: u32,
}

impl World {
    /// So many people, always the same.
    pub fn new(people: u32) -> Self {
        let world = World { folder: tempfile::tempdir().expect("a temporary directory"), people };
        world.file("vaglio.yaml", CONFIG);
        world.file("audiences.yaml", DEFINITIONS);
        world.rows(|rows| rows);
        world
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.path().join("vaglio.yaml")
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Writes a file.
    pub fn file(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("the temporary directory is writable");
    }

    /// Writes the same rows of every source in another order.
    pub fn rows(&self, order: impl Fn(Vec<String>) -> Vec<String>) {
        let header = |head: &str, rows: Vec<String>| format!("{head}\n{}\n", order(rows).join("\n"));
        let n = 0..self.people;
        let crm = n.clone().map(|n| {
            let plan = ["gold", "basic", ""][n as usize % 3];
            let tags = ["sport|music", "music", ""][n as usize % 3];
            format!("{},{},{},2026-11-0{}T00:00:00Z,{plan},{},{tags}", customer(n), email(n), ifa(n), 1 + n % 9, n % 90)
        });
        self.file("crm.csv", &header("customer,email,ifa,updated,plan,age,tags", crm.collect()));
        let web = n.clone().map(|n| {
            let (cookie, ifa, plan) = (cookie(n), ifa(n * 7 % self.people), ["gold", "silver"][n as usize % 2]);
            format!(r#"{{"cookie":"{cookie}","ifa":"{ifa}","updated":"2026-11-10T00:00:00Z","plan":"{plan}"}}"#)
        });
        self.file("web.ndjson", &(order(web.collect()).join("\n") + "\n"));
        let shop = (0..self.people * 3).map(|n| {
            // Every tenth row repeats the one before; some have no id.
            let n = if n % 10 == 9 { n - 1 } else { n };
            let id = if n % 7 == 0 { String::new() } else { format!("order-{n}") };
            let event = ["purchase", "viewed_offer"][n as usize % 2];
            let day = 1 + n % 19;
            format!("{},2026-11-{day:02}T1{}:00:00Z,{id},{event},{},p{}", ifa(n % self.people), n % 10, n % 50, n % 5)
        });
        self.file("shop.csv", &header("ifa,time,id,event,amount,product", shop.collect()));
        let vip = n.clone().filter(|n| n % 5 == 0).map(customer);
        self.file("vip.csv", &header("customer", vip.collect()));
        let links = n.clone().filter(|n| n % 4 == 0).map(|n| format!("{},{}", customer(n), cookie(n + 1)));
        self.file("links.csv", &header("a,b", links.collect()));
        let what = ["objection_marketing", "refusal", "consent", "objection_all"];
        let consents = n.filter(|n| n % 11 == 0).map(|n| {
            // The second half are strangers to every other source.
            let who = if n % 2 == 0 { n } else { n + 1_000_000 };
            format!("{},2026-11-01T00:00:00Z,{}", email(who), what[n as usize / 11 % 4])
        });
        self.file("consents.csv", &header("email,time,what", consents.collect()));
    }

    /// Puts this world's sources in the place of another's.
    pub fn copy_sources_to(&self, other: &World) {
        for name in ["crm.csv", "web.ndjson", "shop.csv", "vip.csv", "links.csv", "consents.csv"] {
            fs::copy(self.path().join(name), other.path().join(name)).expect("both directories are there");
        }
    }

    /// The configuration, read.
    pub fn loaded(&self) -> Loaded {
        load_file(&self.config()).expect("the world's configuration is valid")
    }

    /// The definitions, read.
    pub fn catalogue(&self) -> Catalogue {
        let loaded = self.loaded();
        let files = loaded.definition_files().expect("the definitions are there");
        definitions::load(&files, &loaded.declarations, &loaded.zone()).expect("the definitions are right").0
    }

    /// Builds in this process.
    pub fn build(&self, what: What) -> Result<Manifest> {
        build(&self.loaded(), &self.catalogue(), what, &Progress::new(Mode::Silent))
    }

    /// Raw identifiers that the sources hold: a few of each kind, in the forms they could leak in.
    pub fn raw_identifiers(&self) -> Vec<String> {
        let some = [0, 1, 22, self.people - 1];
        let mut raw: Vec<String> = some.iter().flat_map(|&n| [customer(n), cookie(n), ifa(n), email(n)]).collect();
        raw.extend(some.iter().map(|&n| ifa(n).to_uppercase()));
        raw.extend(some.iter().map(|&n| ifa(n).replace('-', "")));
        raw.extend(some.iter().map(|&n| email_hash(n)));
        raw
    }
}

fn customer(n: u32) -> String {
    format!("CUST{:08}", n + 77_000)
}

fn cookie(n: u32) -> String {
    format!("cookie-{:x}-{n}", n.wrapping_mul(2_654_435_761))
}

fn email(n: u32) -> String {
    format!("person{n}@mail.example")
}

pub fn ifa(n: u32) -> String {
    format!("{:08x}-0000-4000-8000-{n:012x}", n.wrapping_mul(2_246_822_519) | 1)
}

/// What UID2 makes of the address: Base64 of SHA-256.
fn email_hash(n: u32) -> String {
    use base64::Engine;
    use sha2::Digest;
    base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(email(n)))
}

/// Every file below a directory.
pub fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("the directory is readable") {
        let path = entry.expect("the directory is readable").path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}
