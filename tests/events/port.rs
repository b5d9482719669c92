//! A planner's port: a real log in a temporary directory, objections that are noted, and a disk that can be slow.

use crate::client::{Answer, Client, request};
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use vaglio::access::{Access, Credential, Credentials, Key, Origin, Role};
use vaglio::config::Loaded;
use vaglio::config::load::from_text;
use vaglio::decide::Answering;
use vaglio::error::Result;
use vaglio::live::{Apply, Dedupe, Intake, Journal, Keeper, Objection, Objections, Settings};
use vaglio::log::{self, Log, Record, Which};
use vaglio::planner::{Planner, Standing, serve};
use vaglio::schema::{Clock, Offset, Timestamp};
use vaglio::snapshot::Store;
use vaglio::telemetry::metrics::{Metrics, Names};

const VOCABULARY: &str = "
  ids: [{ type: crm }, { type: email }, { type: ifa }]
  events: [{ names: [device_broken], properties: [{ name: part, kind: category, values: [screen, battery] }] }]
  traits: [{ trait: app_user, kind: flag }]
";

/// A data directory: what is in it outlives the port.
pub struct Place {
    directory: TempDir,
}

/// A port that serves.
pub struct Port {
    pub address: SocketAddr,
    pub intake: Option<Arc<Intake>>,
    pub objected: Arc<Mutex<Vec<Objection>>>,
    /// Held by a test that wants the disk to be slow.
    pub slow: Arc<Mutex<()>>,
    _runtime: Runtime,
}

/// What a port is started with.
#[derive(Default)]
pub struct With<'a> {
    /// Settings of `ingest` beyond the vocabulary.
    pub ingest: &'a str,
    /// Settings at the top.
    pub top: &'a str,
    /// Keys that were made, and their roles.
    pub keys: &'a [(&'a Key, Role)],
    /// Whose they are; empty = everybody's.
    pub owner: &'a str,
}

struct Nothing(Arc<Access>);

impl Standing for Nothing {
    fn access(&self) -> Arc<Access> {
        Arc::clone(&self.0)
    }

    fn answering(&self) -> Option<Arc<Answering>> {
        None
    }
}

struct Unseen;

impl Apply for Unseen {
    fn apply(&mut self, _: &[(Offset, Vec<u8>)]) {}
}

struct Notes(Arc<Mutex<Vec<Objection>>>);

impl Objections for Notes {
    fn object(&self, objections: &[Objection]) -> Result<()> {
        self.0.lock().extend_from_slice(objections);
        Ok(())
    }
}

/// The log on a disk that waits for the test.
struct Slow(Log, Arc<Mutex<()>>);

impl Journal for Slow {
    fn append(&mut self, records: &[(Offset, Vec<u8>)]) -> Result<Offset> {
        Journal::append(&mut self.0, records)
    }
    fn sync(&mut self) -> Result<()> {
        drop(self.1.lock());
        Journal::sync(&mut self.0)
    }
    fn seal(&mut self) -> Result<Offset> {
        Journal::seal(&mut self.0)
    }
    fn release(&mut self, before: Offset, newest_needed: Timestamp) -> Result<()> {
        Journal::release(&mut self.0, before, newest_needed)
    }
    fn end(&self) -> Offset {
        Journal::end(&self.0)
    }
}

impl Place {
    pub fn new() -> Place {
        Place { directory: TempDir::new().unwrap() }
    }

    fn log(&self) -> std::path::PathBuf {
        self.directory.path().join("data/log/events")
    }

    /// How many records the log holds; each can be read.
    pub fn records(&self) -> u64 {
        let end = log::read(&self.log(), Offset(0), Which::All, &mut |_, bytes| Record::decode(bytes).map(drop));
        end.unwrap().0
    }

    pub fn start(&self, with: &With<'_>) -> Port {
        let text = format!("{}\ningest:{VOCABULARY}{}", with.top, with.ingest);
        let loaded = from_text(&text, &self.directory.path().join("vaglio.yaml"), std::iter::empty()).unwrap();
        loaded.key_hasher(true).unwrap();
        let slow = Arc::new(Mutex::new(()));
        let open = loaded.config.ingest.enabled && loaded.config.as_of.is_none();
        let intake = open.then(|| Arc::new(self.intake(&loaded, &slow)));
        let (store, objected) = (Store::open(&loaded.config.data_dir).unwrap(), Arc::default());
        let planner = Planner {
            metrics: metrics(),
            standing: Box::new(Nothing(Arc::new(Access::with(&loaded.config, &credentials(with))))),
            intake: intake.clone(),
            objections: Some(Arc::new(Notes(Arc::clone(&objected)))),
            keeper: Arc::new(Keeper::open(loaded.clone(), store, Arc::default(), Arc::default()).unwrap()),
            views: vaglio::planner::Views::default(),
            definitions: Default::default(),
            exports: Default::default(),
            seeing: vaglio::planner::see::Seeing::default(),
            sessions: Default::default(),
            builds: None,
            loaded,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(serve(listener, Arc::new(planner)));
        Port { address, intake, objected, slow, _runtime: runtime }
    }

    fn intake(&self, loaded: &Loaded, slow: &Arc<Mutex<()>>) -> Intake {
        let ingest = &loaded.config.ingest;
        let sizes = log::Settings { segment_bytes: ingest.segment_bytes, reserve_bytes: 0 };
        let (journal, _) = Log::open(&self.log(), sizes).unwrap();
        let settings = Settings {
            queue_bytes: ingest.queue_bytes,
            dedupe_hours: ingest.dedupe_hours,
            known: Dedupe::restore(&self.log(), ingest.dedupe_hours).unwrap(),
            clock: Clock::System,
        };
        Intake::start(Slow(journal, Arc::clone(slow)), settings, Unseen).unwrap()
    }
}

fn credentials(with: &With<'_>) -> Credentials {
    let owner = if with.owner.is_empty() { "*" } else { with.owner };
    let mut credentials = Credentials::default();
    for (key, role) in with.keys {
        let made = Credential {
            id: key.id().to_owned(),
            sha256: key.hash(),
            role: *role,
            owner: owner.to_owned(),
            caller: None,
            created: Timestamp(0),
            expires: None,
            revoked: None,
            comment: None,
            mtls: None,
            origin: Origin::Made,
        };
        credentials.add(made, Timestamp(0)).unwrap();
    }
    credentials
}

fn metrics() -> Arc<Metrics> {
    Metrics::new(Names {
        statuses: Vec::new(),
        decisions: Vec::new(),
        doors: Vec::new(),
        codes: Vec::new(),
        sheds: Vec::new(),
        denials: Vec::new(),
        sources: Vec::new(),
    })
}

impl Port {
    pub fn post(&self, body: &str) -> Answer {
        self.ask("/api/v1/events", "", body.as_bytes())
    }

    pub fn ask(&self, path: &str, headers: &str, body: &[u8]) -> Answer {
        let mut client = Client::connect(self.address);
        let head =
            request("POST", path, headers, "").replace("content-length: 0", &format!("content-length: {}", body.len()));
        client.send_bytes(&[head.as_bytes(), body].concat());
        client.receive().unwrap()
    }

    /// The text of a scrape.
    pub fn metrics(&self) -> String {
        crate::client::get(self.address, "/metrics").body
    }
}

/// An event that happened just now.
pub fn line(id: &str) -> String {
    let now = Clock::System.now();
    format!(
        r#"{{"id":"{id}","time":"{now}","type":"event","eids":[{{"source":"crm","uid":"c1"}}],"name":"device_broken","props":{{"part":"screen"}}}}"#
    )
}

/// A line of a type, with more fields.
pub fn of_type(id: &str, kind: &str, more: &str) -> String {
    let now = Clock::System.now();
    format!(r#"{{"id":"{id}","time":"{now}","type":"{kind}","eids":[{{"source":"crm","uid":"c1"}}]{more}}}"#)
}

/// Whether a file below a directory holds a text.
pub fn holds(directory: &Path, text: &str) -> bool {
    std::fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, text);
        }
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

impl Place {
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}
