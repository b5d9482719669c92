//! A planner's port over a generation of the small world: no server, no bid doors.

use crate::client::{Answer, Client, request};
use crate::world::World;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use vaglio::access::{Access, Credential, Credentials, Key, Origin, Role};
use vaglio::build::What;
use vaglio::decide::Answering;
use vaglio::live::Keeper;
use vaglio::lookup::ServingSnapshot;
use vaglio::planner::see::Seeing;
use vaglio::planner::{Planner, Standing, View, Views, serve};
use vaglio::schema::Timestamp;
use vaglio::snapshot::{Planes, Store};
use vaglio::telemetry::metrics::{Metrics, Names};

/// Beside those of the world: one that everybody may use, and a rival's that rests on it.
const SHARED: &str = "  - { id: shared, kind: target, owner: acme, share: all, rule: age >= 30 }
  - { id: peek, kind: target, owner: rival, rule: in audience acme/shared and plan = gold }\n";

struct Stands(Arc<Access>, Arc<Answering>);

impl Standing for Stands {
    fn access(&self) -> Arc<Access> {
        Arc::clone(&self.0)
    }

    fn answering(&self) -> Option<Arc<Answering>> {
        Some(Arc::clone(&self.1))
    }
}

pub struct Port {
    world: World,
    address: SocketAddr,
    view: View,
    _runtime: Runtime,
}

/// A key that nobody else has.
pub fn key() -> Key {
    Key::random().unwrap()
}

impl Port {
    /// Over a world of so many people, for keys of roles and owners.
    pub fn start(people: u32, keys: &[(&Key, Role, &str)]) -> Port {
        let world = World::new(people);
        let append = |file: &str, at: &str, text: &str| {
            let path = world.path().join(file);
            let whole = std::fs::read_to_string(&path).unwrap();
            std::fs::write(path, whole.replacen(at, &format!("{text}{at}"), 1)).unwrap();
        };
        append("audiences.yaml", "campaigns:", SHARED);
        append("vaglio.yaml", "sources:", "protection: { floor: 100, questions_per_hour: 50 }\n");
        let manifest = world.build(What::Full).unwrap();
        let loaded = world.loaded();
        let (store, hasher) = (Store::open(&loaded.config.data_dir).unwrap(), loaded.key_hasher(false).unwrap());
        let open = || {
            let snapshot = store.open_snapshot(manifest.generation, Planes::All, Some(&hasher)).unwrap();
            ServingSnapshot::new(snapshot).unwrap()
        };
        let mut credentials = Credentials::default();
        for (key, role, owner) in keys {
            let made = Credential {
                id: key.id().to_owned(),
                sha256: key.hash(),
                role: *role,
                owner: (*owner).to_owned(),
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
        let access = Arc::new(Access::with(&loaded.config, &credentials));
        let view = View::of(open(), loaded.zone()).unwrap();
        let planner = Planner {
            metrics: metrics(),
            standing: Box::new(Stands(access, Arc::new(Answering::new(open())))),
            intake: None,
            objections: None,
            keeper: Arc::new(Keeper::open(loaded.clone(), store.clone(), Arc::default(), Arc::default()).unwrap()),
            views: Views::default(),
            definitions: Default::default(),
            exports: Default::default(),
            seeing: Seeing::default(),
            sessions: Default::default(),
            builds: None,
            loaded,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(serve(listener, Arc::new(planner)));
        Port { world, address, view, _runtime: runtime }
    }

    /// The same generation as the port looks at.
    pub fn view(&self) -> &View {
        &self.view
    }

    pub fn raw_identifiers(&self) -> Vec<String> {
        self.world.raw_identifiers()
    }

    pub fn ask(&self, path: &str, key: Option<&Key>, body: &Value) -> Answer {
        let mut client = Client::connect(self.address);
        client.send(&text(path, &authorization(key), body));
        client.receive().unwrap()
    }

    pub fn get(&self, path: &str, key: Option<&Key>) -> Answer {
        let mut client = Client::connect(self.address);
        client.send(&request("GET", &format!("/api/v1/{path}"), &authorization(key), ""));
        client.receive().unwrap()
    }

    /// The answer to whoever may ask everything.
    pub fn ok(&self, path: &str, body: Value) -> Value {
        let answer = self.ask(path, None, &body);
        assert_eq!(answer.status, 200, "{body}: {answer:?}");
        answer.json()
    }

    /// Everything that comes back, in lines.
    pub fn ask_lines(&self, path: &str, body: &Value) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let headers = "accept: application/x-ndjson\r\nconnection: close\r\n";
        stream.write_all(text(path, headers, body).as_bytes()).unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        let _ = stream.shutdown(Shutdown::Both);
        all
    }
}

fn authorization(key: Option<&Key>) -> String {
    key.map(|key| format!("authorization: Bearer {}\r\n", key.text())).unwrap_or_default()
}

fn text(path: &str, headers: &str, body: &Value) -> String {
    request("POST", &format!("/api/v1/{path}"), headers, &body.to_string())
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
