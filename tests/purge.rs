//! A deleted person is refused at every door at once, whatever happens to the server, and then gone from every file: the test
//! first shows that it finds them.
#![allow(clippy::unwrap_used)] // a test fails by panicking

#[path = "doors/client.rs"]
#[allow(dead_code, reason = "the doors' tests use the rest")]
mod client;
#[path = "world/mod.rs"]
mod world;

use client::{Answer, Client, request};
use serde_json::{Value, json};
use smallvec::smallvec;
use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use vaglio::audiences::definitions;
use vaglio::build::{What, build};
use vaglio::config::{Loaded, load_file};
use vaglio::log::{Identifier, Log, Record, Said, Settings, Value as Told};
use vaglio::schema::{Clock, KeyHasher, ProfileKey, Timestamp};
use vaglio::server::{Options, Server};
use vaglio::snapshot::{Manifest, Store};
use vaglio::telemetry::progress::{Mode, Progress};
use vaglio::wire::v1::LookupRequest;
use vaglio::wire::v1::audience_service_client::AudienceServiceClient;
use world::files_below;

const CONFIG: &str = "\
data_dir: data
definitions: [audiences.yaml]
server: { grpc: '127.0.0.1:0', http: '127.0.0.1:0', planner: '127.0.0.1:0', workers: 1, max_queue_ms: 0 }
build: { keep_generations: 5 }
prebid: { enabled: true }
sources:
  - name: crm
    kind: profiles
    path: crm.csv
    ids: [{ column: customer, type: crm }, { column: ifa, type: ifa }, { column: cookie, type: id.test }]
    traits: [{ column: plan, kind: category }]
  - name: shop
    kind: events
    path: shop.csv
    ids: [{ column: ifa, type: ifa }]
    time: { column: time }
    event: { column: event, names: [purchase] }
    properties: [{ column: product, kind: category }]
";
const DEFINITIONS: &str = "\
audiences:
  - { id: known, kind: target, owner: acme, rule: plan is known, segment: { taxonomy: 4, id: '560' } }
campaigns:
  - { id: everyone, owner: acme, status: active }
";
const IFA: &str = "77817781-0000-4000-8000-000000007781";
const OTHER: &str = "00000001-0000-4000-8000-000000000001";
/// What only this person's data says: a trait, an event of a file, an event of a door.
const TRACES: [&str; 3] = ["zebra-plan", "zebra-product", "zebra-live"];

/// The bytes of a key that stand in a line of the identity index.
const FINGERPRINT: usize = 4;

/// Where it is, and within how many days deletions are purged: 0 is at once, which no configuration may say.
struct Shop(tempfile::TempDir, u32);

impl Shop {
    fn new() -> Shop {
        let shop = Shop(tempfile::tempdir().unwrap(), 7);
        shop.write("vaglio.yaml", CONFIG);
        shop.write("audiences.yaml", DEFINITIONS);
        let now = Timestamp(Clock::System.now().0 - 3_600);
        let people = (1..20u32).map(|n| format!("c{n},{n:08x}-0000-4000-8000-{n:012x},k{n},basic\n"));
        shop.write(
            "crm.csv",
            &format!("customer,ifa,cookie,plan\nc7781,{IFA},k7781,zebra-plan\n{}", people.collect::<String>()),
        );
        shop.write(
            "shop.csv",
            &format!("ifa,time,event,product\n{IFA},{now},purchase,zebra-product\n{OTHER},{now},purchase,pen\n"),
        );
        shop
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn loaded(&self) -> Loaded {
        let mut loaded = load_file(&self.0.path().join("vaglio.yaml")).unwrap();
        loaded.config.privacy.objections.purge_days = self.1;
        // The log is not kept for its ids either.
        loaded.config.ingest.dedupe_hours = self.1;
        loaded
    }

    fn data(&self) -> std::path::PathBuf {
        self.0.path().join("data")
    }

    fn build(&self) -> Manifest {
        let loaded = self.loaded();
        loaded.key_hasher(true).unwrap();
        let files = loaded.definition_files().unwrap();
        let catalogue = definitions::load(&files, &loaded.declarations, &loaded.zone()).unwrap().0;
        build(&loaded, &catalogue, What::Full, &Progress::new(Mode::Silent)).unwrap()
    }

    /// What a door took in and nothing folded yet.
    fn feed(&self, hasher: &KeyHasher) {
        let settings = Settings { segment_bytes: 1 << 20, reserve_bytes: 0 };
        let (mut log, _) = Log::open(&self.data().join("log/events"), settings).unwrap();
        let (name, product) = (Cow::Borrowed("purchase"), Told::Text(Cow::Borrowed("zebra-live")));
        let time = Clock::System.now().0 - 60;
        let keys = smallvec![Identifier { key: hasher.key("ifa", IFA), id_type: Cow::Borrowed("ifa") }];
        let said = Said::Event { name, properties: vec![(Cow::Borrowed("product"), product)] };
        let mut bytes = Vec::new();
        Record { id: 7, time, received: time, keys, said }.encode(&mut bytes).unwrap();
        log.append([&bytes]).unwrap();
        log.sync().unwrap();
    }

    fn serve(&self) -> Server {
        let options = Options { build: false, poll: Duration::from_millis(10), ..Options::default() };
        let server = Server::start(self.loaded(), options).unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while server.doors().live.load().served.is_none() {
            assert!(Instant::now() < until, "no generation");
            std::thread::sleep(Duration::from_millis(5));
        }
        server
    }

    /// The files of the data directory that hold these bytes.
    fn holding(&self, bytes: &[u8]) -> Vec<std::path::PathBuf> {
        let holds = |file: &std::path::PathBuf| memchr::memmem::find(&fs::read(file).unwrap(), bytes).is_some();
        let mut files = files_below(&self.data());
        files.retain(holds);
        files
    }
}

fn is_below(file: &Path, directory: &str) -> bool {
    file.to_string_lossy().contains(&format!("/data/{directory}/"))
}

fn planner(server: &Server, method: &str, path: &str, body: &str) -> Answer {
    let mut client = Client::connect(server.addresses().planner);
    client.send(&request(method, path, "", body));
    client.receive().unwrap()
}

/// What every door says of somebody, by an identifier of bids: status or header, and whether anything of them is told.
fn said(server: &Server) -> Vec<String> {
    let mut http = Client::connect(server.addresses().http);
    let question = json!({"ifa": IFA, "campaigns": ["acme/everyone"]}).to_string();
    let bid = json!({"id": "r", "imp": [{"id": "1"}], "device": {"ifa": IFA}}).to_string();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut said = vec![text(&http.post("/v1/lookup", &question).json()["status"])];
    let decided = http.post("/v1/decide", &question).json();
    said.extend([text(&decided["status"]), text(&decided["campaigns"][0]["verdict"])]);
    let enriched = http.post("/openrtb2/enrich", &bid);
    said.push(if enriched.body == bid { "unchanged".to_owned() } else { "enriched".to_owned() });
    said.push(text(&http.post("/openrtb2/decide", &bid).json()["imp"][0]["verdict"]));
    said.push(http.post("/prebid/scope3", &bid).body.contains("560").to_string());
    let asked = LookupRequest { ifa: IFA.to_owned(), ..Default::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(async {
        let mut client = AudienceServiceClient::connect(format!("http://{}", server.addresses().grpc)).await.unwrap();
        client.lookup(asked).await.unwrap().into_inner()
    });
    said.push(answer.status().as_str_name().to_owned());
    said
}

const SPOKEN_TO: [&str; 7] = ["matched", "matched", "target", "enriched", "target", "true", "STATUS_MATCHED"];
const REFUSED: [&str; 7] = ["blocked", "blocked", "suppress", "unchanged", "suppress", "false", "STATUS_BLOCKED"];

#[test]
fn a_deleted_person_is_refused_at_once_and_then_in_no_file() {
    let mut shop = Shop::new();
    shop.build();
    let hasher = shop.loaded().key_hasher(false).unwrap();
    shop.feed(&hasher);
    let keys: Vec<ProfileKey> =
        [("crm", "c7781"), ("ifa", IFA), ("id.test", "k7781")].map(|(source, uid)| hasher.key(source, uid)).into();
    // It finds them: every key, the fingerprint in the identity index, every trace.
    for key in &keys {
        assert!(shop.holding(&key.to_bytes()).iter().any(|file| is_below(file, "sections")), "{key}");
    }
    assert!(shop.holding(&keys[1].to_bytes()).iter().any(|file| is_below(file, "log")));
    let fingerprint = &keys[1].to_bytes()[..FINGERPRINT];
    assert!(shop.holding(fingerprint).len() > shop.holding(&keys[1].to_bytes()).len(), "the identity index");
    for trace in TRACES {
        assert!(!shop.holding(trace.as_bytes()).is_empty(), "{trace}");
    }

    let server = shop.serve();
    assert_eq!(said(&server), SPOKEN_TO);
    let body = json!({"eids": [{"source": "crm", "uid": "c7781"}]}).to_string();
    let done = planner(&server, "DELETE", "/api/v1/profiles", &body).json();
    assert_eq!((&done["identifiers"], &done["profiles"]), (&json!(3), &json!(1)), "{done}");
    assert_eq!(said(&server), REFUSED, "as soon as it is acknowledged");
    server.shutdown();
    let server = shop.serve();
    assert_eq!(said(&server), REFUSED, "after a restart");
    server.shutdown();
    // The same files once more: they bring nobody back.
    let rebuilt = shop.build();
    let server = shop.serve();
    assert_eq!(server.doors().live.load().served.as_ref().unwrap().generation(), rebuilt.generation);
    assert_eq!(said(&server), REFUSED, "after a rebuild from the same files");
    server.shutdown();
    let store = Store::open(shop.data()).unwrap();
    let first = *store.manifests().unwrap().first().unwrap();
    assert!(first < rebuilt.generation, "it can be rolled back to");
    store.rollback(Some(first)).unwrap();
    let server = shop.serve();
    assert_eq!(server.doors().live.load().served.as_ref().unwrap().generation(), first);
    assert_eq!(said(&server), REFUSED, "after a rollback to a generation that knows them");
    server.shutdown();

    shop.1 = 0;
    // Log segments go whole seconds after they were written.
    std::thread::sleep(Duration::from_millis(1_100));
    shop.build();
    for key in &keys {
        assert_eq!(shop.holding(&key.to_bytes()[..FINGERPRINT]), Vec::<std::path::PathBuf>::new(), "{key}");
    }
    for trace in TRACES {
        assert_eq!(shop.holding(trace.as_bytes()), Vec::<std::path::PathBuf>::new(), "{trace}");
    }
    assert!(!shop.holding(b"pen").is_empty(), "the others are still there");
    assert_eq!(said(&shop.serve()), REFUSED, "and after the purge");
}

#[test]
fn what_is_held_is_exported_and_explained_and_the_audit_trail_tells() {
    let shop = Shop::new();
    shop.build();
    let hasher = shop.loaded().key_hasher(false).unwrap();
    shop.feed(&hasher);
    let server = shop.serve();
    let answer = planner(&server, "GET", "/api/v1/profiles?source=crm&uid=c7781", "");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.body.contains("c7781") && !answer.body.contains(IFA), "no raw identifier");
    let held = answer.json();
    let profile = &held["profiles"][0];
    let identifier = json!({"type": "crm", "hash": hasher.key("crm", "c7781").to_string()});
    assert!(profile["identifiers"].as_array().unwrap().contains(&identifier), "{held}");
    assert_eq!(profile["traits"], json!([{"trait": "plan", "value": "zebra-plan", "sources": ["crm"]}]));
    assert_eq!(profile["events"][0]["properties"]["product"], "zebra-product");
    assert_eq!(held["since_the_generation"][0]["properties"]["product"], "zebra-live");
    assert_eq!(profile["audiences"], json!([{"id": "acme/known", "kind": "target"}]));
    assert_eq!(held["objections"], json!([]));

    let explained = planner(&server, "GET", "/api/v1/explain?source=crm&uid=c7781&what=known", "").json();
    assert_eq!((&explained["status"], &explained["audiences"][0]["member"]), (&json!("matched"), &json!(true)));
    assert_eq!(explained["since_the_generation"], 1);
    assert!(explained["audiences"][0]["changes"].is_object(), "{explained}");
    let explained = planner(&server, "GET", "/api/v1/explain?source=ifa&uid=unseen&what=everyone", "");
    assert_eq!(explained.error_code(), "invalid_argument", "no advertising id has that form");
    let explained = planner(&server, "GET", &format!("/api/v1/explain?source=ifa&uid={IFA}&what=everyone"), "").json();
    assert_eq!(explained["campaign"]["verdict"], "target", "{explained}");
    for path in ["/api/v1/profiles", "/api/v1/profiles?source=crm", "/api/v1/explain?source=crm&uid=c7781"] {
        assert_eq!(planner(&server, "GET", path, "").error_code(), "invalid_argument", "{path}");
    }
    let unknown = planner(&server, "GET", "/api/v1/explain?source=crm&uid=c7781&what=nothing", "");
    assert_eq!((unknown.status, unknown.body.contains("c7781")), (400, false), "{unknown:?}");

    let body = json!({"eids": [{"source": "crm", "uid": "c7781"}]}).to_string();
    planner(&server, "DELETE", "/api/v1/profiles", &body);
    let held = planner(&server, "GET", "/api/v1/profiles?source=crm&uid=c7781", "").json();
    assert_eq!(held["objections"].as_array().map(Vec::len), Some(3), "{held}");
    assert_eq!(held["objections"][0]["deleted"], true);
    let explained = planner(&server, "GET", "/api/v1/explain?source=crm&uid=c7781&what=everyone", "").json();
    assert_eq!((&explained["status"], &explained["campaign"]["reason"]), (&json!("blocked"), &json!("objected")));
    server.shutdown();
    let mut trail = Vec::new();
    let mut log = vaglio::log::ControlLog::open(&shop.data().join("log/control")).unwrap();
    log.catch_up(&mut |_, record| {
        if let vaglio::log::Control::Audited(entry) = record {
            trail.push(format!("{} {}", entry.who, entry.what));
        }
        Ok(())
    })
    .unwrap();
    let expected = ["export", "explain", "explain", "explain", "delete", "export", "explain"]
        .map(|what| format!("loopback {what}"));
    assert_eq!(trail, expected);
}
