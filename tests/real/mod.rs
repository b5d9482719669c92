//! The real data sets and a snapshot built from them by the product. What is expected of it, each test computes itself.

use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use vaglio::audiences::definitions;
use vaglio::build::{What, build};
use vaglio::config;
use vaglio::lookup::ServingSnapshot;
use vaglio::lookup::{Answer, Outcome};
use vaglio::schema::{KeyHasher, Timestamp};
use vaglio::snapshot::{Manifest, Store};
use vaglio::telemetry::progress::{Mode, Progress};

/// A data file, if it is on this machine.
pub fn data(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("VAGLIO_DATA_DIR").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let file = folder.join(name);
    if file.exists() {
        return Some(file.canonicalize().unwrap());
    }
    eprintln!("SKIPPED: {} is not there (set VAGLIO_DATA_DIR)", file.display());
    None
}

/// Reads a gzipped CSV file, row by row: values by column, in the order of `columns`.
pub fn for_each_row(file: &Path, columns: &[&str], mut row: impl FnMut(&[&str])) {
    let mut reader = csv::Reader::from_reader(MultiGzDecoder::new(File::open(file).unwrap()));
    let header = reader.headers().unwrap().clone();
    let at: Vec<usize> = columns.iter().map(|name| header.iter().position(|h| h == *name).unwrap()).collect();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).unwrap() {
        let values: Vec<&str> = at.iter().map(|at| &record[*at]).collect();
        row(&values);
    }
}

/// Reads a gzipped file line by line.
#[allow(dead_code, reason = "not every test reads lines")]
pub fn for_each_line(file: &Path, mut line: impl FnMut(&[u8])) {
    let reader = BufReader::new(MultiGzDecoder::new(File::open(file).unwrap()));
    reader.split(b'\n').for_each(|text| line(&text.unwrap()));
}

/// A snapshot in a temporary directory.
pub struct Built {
    pub manifest: Manifest,
    pub serving: ServingSnapshot,
    pub keys: KeyHasher,
    pub now: Timestamp,
    directory: tempfile::TempDir,
}

impl Built {
    /// Builds `examples/<example>` from `source`.
    pub fn new(example: &str, source: &Path) -> Built {
        let directory = tempfile::tempdir().unwrap();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example).join("vaglio.yaml");
        let variable = |name: &str, value: &Path| (format!("VAGLIO_{name}"), value.to_str().unwrap().to_owned());
        let variables = [variable("DATA_DIR", directory.path()), variable("SOURCES__0__PATH", source)];
        let text = std::fs::read_to_string(&file).unwrap();
        let loaded = config::load::from_text(&text, &file, variables.into_iter()).unwrap_or_else(|e| panic!("{e}"));
        let files = loaded.definition_files().unwrap();
        let (catalogue, _warnings) =
            definitions::load(&files, &loaded.declarations, &loaded.zone()).unwrap_or_else(|e| panic!("{e}"));
        let manifest =
            build(&loaded, &catalogue, What::Full, &Progress::new(Mode::Silent)).unwrap_or_else(|e| panic!("{e}"));
        let keys = loaded.key_hasher(false).unwrap();
        let store = Store::open(directory.path()).unwrap();
        let serving = ServingSnapshot::open(&store, manifest.generation, &keys).unwrap();
        let now = loaded.clock().now();
        Built { manifest, serving, keys, now, directory }
    }

    /// Where its generation is.
    #[allow(dead_code, reason = "not every test opens what the bid plane does not need")]
    pub fn store(&self) -> Store {
        Store::open(self.directory.path()).unwrap()
    }

    /// The profiles in an audience, by the manifest.
    pub fn members(&self, audience: &str) -> u64 {
        let found = self.manifest.audiences.iter().find(|summary| summary.id.id() == audience);
        found.unwrap_or_else(|| panic!("no audience {audience}")).members
    }

    /// The audiences of whoever has this identifier, without their owner, sorted; `None` = nobody known.
    pub fn lookup(&self, source: &str, uid: &str) -> Option<Vec<String>> {
        let mut answer = Answer::default();
        self.serving.lookup(&[self.keys.key(source, uid)], self.now, &vaglio::overlay::Overlay::empty(), &mut answer);
        let id = |number: &u32| self.serving.catalogue().audiences[*number as usize].id.id().to_owned();
        let mut audiences: Vec<String> = answer.audiences.iter().map(id).collect();
        audiences.sort();
        (answer.outcome == Outcome::Matched).then_some(audiences)
    }

    /// Every audience of the catalogue is expected, and every expectation is one of the catalogue.
    pub fn assert_same_audiences(&self, expected: &[&str]) {
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        let mut there: Vec<&str> = self.manifest.audiences.iter().map(|summary| summary.id.id()).collect();
        there.sort_unstable();
        assert_eq!(there, expected);
    }
}
