//! Appending durably and replaying: our log next to redb, the same payloads in the same batches, each batch one durable
//! commit, rounds in turn. In the directory for temporary files: `TMPDIR` says which disk is measured.
//!
//! `cargo bench --bench log` (about 20 s)

use redb::{Database, Durability, ReadableDatabase, TableDefinition};
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};
use vaglio::log::{self, Identifier, Log, Record, Said, Settings, Value, Which};
use vaglio::schema::{Offset, ProfileKey};

const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("events");
const BATCHES: [usize; 3] = [1, 100, 5_000];
const ROUNDS: usize = 3;
/// How long one of them appends in a round.
const APPENDING: Duration = Duration::from_millis(500);
const REPLAYED: usize = 300_000;

/// A purchase, about 90 bytes.
fn payload(n: u64) -> Vec<u8> {
    let identifier = Identifier { key: ProfileKey(u128::from(n) * 0x9e37_79b9_7f4a_7c15), id_type: "crm".into() };
    let properties = vec![
        ("amount".into(), Value::Number(n as f64 / 7.0)),
        ("category".into(), Value::Text("phone".into())),
        ("channel".into(), Value::Text("web".into())),
    ];
    let time = 1_790_000_000 + n as i64 / 1_000;
    let said = Said::Event { name: "purchase".into(), properties };
    let record = Record { id: u128::from(n), time, received: time + 1, keys: [identifier].into_iter().collect(), said };
    let mut bytes = Vec::new();
    record.encode(&mut bytes).expect("a small record");
    bytes
}

/// What is measured.
trait Store {
    fn append(&mut self, batch: &[Vec<u8>]);
    fn replay(&mut self) -> usize;
}

struct Ours {
    log: Log,
    directory: std::path::PathBuf,
}

impl Ours {
    fn new(directory: &Path) -> Self {
        let settings = Settings { segment_bytes: 64 << 20, reserve_bytes: 0 };
        let (log, _) = Log::open(directory, settings).expect("a temporary directory");
        Ours { log, directory: directory.to_path_buf() }
    }
}

impl Store for Ours {
    fn append(&mut self, batch: &[Vec<u8>]) {
        self.log.append(batch).expect("there is room");
        self.log.sync().expect("the disk works");
    }

    fn replay(&mut self) -> usize {
        let mut seen = 0;
        let read = log::read(&self.directory, Offset(0), Which::All, &mut |_, payload| {
            black_box(Record::decode(payload)?);
            seen += 1;
            Ok(())
        });
        read.expect("a whole log");
        seen
    }
}

struct Redb {
    database: Database,
    next: u64,
}

impl Redb {
    fn new(directory: &Path) -> Self {
        Redb { database: Database::create(directory.join("redb")).expect("a temporary directory"), next: 0 }
    }
}

impl Store for Redb {
    fn append(&mut self, batch: &[Vec<u8>]) {
        let mut transaction = self.database.begin_write().expect("one writer");
        transaction.set_durability(Durability::Immediate).expect("no savepoint");
        {
            let mut table = transaction.open_table(TABLE).expect("the table");
            for payload in batch {
                table.insert(self.next, payload.as_slice()).expect("there is room");
                self.next += 1;
            }
        }
        transaction.commit().expect("the disk works");
    }

    fn replay(&mut self) -> usize {
        let transaction = self.database.begin_read().expect("a reader");
        let table = transaction.open_table(TABLE).expect("the table");
        let mut seen = 0;
        for entry in table.range(0..).expect("a range") {
            let (_, payload) = entry.expect("a whole table");
            black_box(Record::decode(payload.value()).expect("a record"));
            seen += 1;
        }
        seen
    }
}

/// Records a second.
fn appended(store: &mut dyn Store, payloads: &[Vec<u8>], batch: usize) -> f64 {
    let (began, mut records) = (Instant::now(), 0);
    for batch in payloads.chunks_exact(batch).cycle() {
        store.append(batch);
        records += batch.len();
        if began.elapsed() > APPENDING {
            break;
        }
    }
    records as f64 / began.elapsed().as_secs_f64()
}

fn replayed(store: &mut dyn Store) -> f64 {
    let began = Instant::now();
    let seen = store.replay();
    assert!(seen >= REPLAYED, "{seen}");
    seen as f64 / began.elapsed().as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn told(what: &str, ours: Vec<f64>, redb: Vec<f64>) {
    let (ours, redb) = (median(ours), median(redb));
    println!("{what:<28} {ours:>12.0} {redb:>12.0} {:>8.2}", ours / redb);
}

/// Medians of rounds in turn, each of which starts with empty stores.
fn main() {
    // What cargo passes to every benchmark, and a run of the tests.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let payloads: Vec<Vec<u8>> = (0..20_000).map(payload).collect();
    let bytes = payloads.iter().map(Vec::len).sum::<usize>() / payloads.len();
    println!("records of {bytes} bytes         our log/s       redb/s    ratio");
    for batch in BATCHES {
        let (mut ours, mut redb) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let directory = tempfile::tempdir().expect("a temporary directory");
            ours.push(appended(&mut Ours::new(&directory.path().join("log")), &payloads, batch));
            redb.push(appended(&mut Redb::new(directory.path()), &payloads, batch));
        }
        told(&format!("append and sync {batch}"), ours, redb);
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut stores: [Box<dyn Store>; 2] =
        [Box::new(Ours::new(&directory.path().join("log"))), Box::new(Redb::new(directory.path()))];
    for batch in payloads.chunks(payloads.len()).cycle().take(REPLAYED.div_ceil(payloads.len())) {
        stores.iter_mut().for_each(|store| store.append(batch));
    }
    let (mut ours, mut redb) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let [first, second] = &mut stores;
        ours.push(replayed(first.as_mut()));
        redb.push(replayed(second.as_mut()));
    }
    told("replay and decode", ours, redb);
}
