//! `/api/v1/exports`: who may, what is refused, and how far an export is.

use crate::client::{Answer, Client, request};
use crate::scene::Scene;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use vaglio::access::{Access, Credential, Credentials, Key, Role};
use vaglio::decide::Answering;
use vaglio::live::Keeper;
use vaglio::log::{AuditEntry, Control, Which, control_directory, read};
use vaglio::planner::{Planner, Standing, serve};
use vaglio::schema::{Offset, Timestamp};
use vaglio::snapshot::Store;
use vaglio::telemetry::metrics::{Metrics, Names};

struct Shows(Arc<Access>, Option<Arc<Answering>>);

impl Standing for Shows {
    fn access(&self) -> Arc<Access> {
        Arc::clone(&self.0)
    }

    fn answering(&self) -> Option<Arc<Answering>> {
        self.1.clone()
    }
}

struct Port {
    address: SocketAddr,
    _runtime: Runtime,
}

fn start(scene: &Scene, keys: &[(&Key, Role, &str)]) -> Port {
    let loaded = scene.loaded();
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
            origin: vaglio::access::Origin::Made,
        };
        credentials.add(made, Timestamp(0)).unwrap();
    }
    let answering = Answering::new(scene.view().serving().clone());
    let planner = Planner {
        metrics: Metrics::new(Names {
            statuses: Vec::new(),
            decisions: Vec::new(),
            doors: Vec::new(),
            codes: Vec::new(),
            sheds: Vec::new(),
            denials: Vec::new(),
            sources: Vec::new(),
        }),
        standing: Box::new(Shows(Arc::new(Access::with(&loaded.config, &credentials)), Some(Arc::new(answering)))),
        intake: None,
        objections: None,
        keeper: Arc::new(
            Keeper::open(loaded.clone(), Store::open(scene.data()).unwrap(), Arc::default(), Arc::default()).unwrap(),
        ),
        views: vaglio::planner::Views::default(),
        definitions: Default::default(),
        builds: None,
        seeing: Default::default(),
        sessions: Default::default(),
        exports: vaglio::planner::exports::Exports::default(),
        loaded,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(serve(listener, Arc::new(planner)));
    Port { address, _runtime: runtime }
}

impl Port {
    fn ask(&self, method: &str, path: &str, key: Option<&Key>, body: Option<&Value>) -> Answer {
        let authorization = key.map_or_else(String::new, |key| format!("authorization: Bearer {}\r\n", key.text()));
        let body = body.map(Value::to_string).unwrap_or_default();
        let head = request(method, path, &authorization, "");
        let head = head.replace("content-length: 0", &format!("content-length: {}", body.len()));
        let mut client = Client::connect(self.address);
        client.send_bytes(&[head.as_bytes(), body.as_bytes()].concat());
        client.receive().unwrap()
    }

    fn export(&self, key: Option<&Key>, body: &Value) -> Answer {
        self.ask("POST", "/api/v1/exports", key, Some(body))
    }

    /// Waits for the end of one that was accepted.
    #[track_caller]
    fn end(&self, key: Option<&Key>, accepted: &Answer) -> Value {
        assert_eq!(accepted.status, 202, "{accepted:?}");
        let path = format!("/api/v1/exports/{}", accepted.json()["id"].as_str().unwrap());
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            let shown = self.ask("GET", &path, key, None).json();
            if shown["state"] != "running" {
                return shown;
            }
            assert!(Instant::now() < patience, "{shown}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn gold(format: &str) -> Value {
    json!({ "audience": "acme/gold", "format": format, "destination": "partner" })
}

#[test]
fn an_export_is_accepted_watched_and_in_the_audit_trail() {
    let scene = Scene::new();
    let port = start(&scene, &[]);
    let mut body = gold("csv");
    body["ids"] = json!(["IFA"]);
    body["comment"] = json!("for the autumn campaign");
    let done = port.end(None, &port.export(None, &body));
    assert_eq!((&done["state"], &done["progress"]), (&json!("done"), &json!(1.0)), "{done}");
    assert_eq!(done["report"]["identifiers"]["ifa"]["exported"], 17);
    assert_eq!(done["report"]["profiles"], json!({ "exported": 17, "not_exportable": 10 }));
    let name = done["report"]["files"][0]["name"].as_str().unwrap();
    assert!(!name.contains('/'), "a name in the destination: {name}");
    let (_, rows) = crate::formats::csv(scene.out().join(name).to_str().unwrap());
    assert_eq!(rows.len(), 17);
    let listed = port.ask("GET", "/api/v1/exports", None, None).json();
    assert_eq!(listed["exports"], json!([done]));
    let over = port.ask("DELETE", &format!("/api/v1/exports/{}", done["id"].as_str().unwrap()), None, None);
    assert_eq!(over.status, 409, "{over:?}");

    let mut trail: Vec<AuditEntry> = Vec::new();
    read(&control_directory(&scene.data()), Offset(0), Which::All, &mut |_, bytes| {
        if let Control::Audited(entry) = Control::decode(bytes)? {
            trail.push(*entry);
        }
        Ok(())
    })
    .unwrap();
    let said: Vec<&str> = trail.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(said, ["export", "export end"]);
    assert!(trail.iter().all(|entry| entry.object == "audience acme/gold to partner"));
    assert!(trail[0].after.as_ref().unwrap().ends_with("for the autumn campaign"));
    assert!(trail[1].after.as_ref().unwrap().contains("17 identifiers written"), "{trail:?}");
}

#[test]
fn what_cannot_be_is_refused_at_its_place() {
    let scene = Scene::new();
    let port = start(&scene, &[]);
    for (change, status, field) in [
        (json!({ "destination": "nowhere" }), 400, "/destination"),
        (json!({ "destination": "theirs" }), 400, "/destination"),
        (json!({ "destination": "/tmp" }), 400, "/destination"),
        (json!({ "ids": ["maid"] }), 400, "/ids"),
        (json!({ "format": "suppression" }), 400, "/format"),
        (json!({ "format": "roaring", "delta": true }), 400, "/delta"),
        (json!({ "include_objectors": true }), 400, "/include_objectors"),
        (json!({ "expires_days": 0 }), 400, "/expires_days"),
        (json!({ "format": "xml" }), 400, ""),
        (json!({ "more": 1 }), 400, ""),
        (json!({ "audience": "acme/nobody" }), 404, ""),
        (json!({ "audience": "acme/few" }), 409, ""),
        (json!({ "audience": "acme/one" }), 409, ""),
    ] {
        let mut body = gold("csv");
        change.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
        let refused = port.export(None, &body);
        assert_eq!(refused.status, status, "{change}: {refused:?}");
        assert!(refused.headers.contains("application/problem+json"), "{refused:?}");
        if !field.is_empty() {
            assert_eq!(refused.json()["errors"][0]["field"], field, "{refused:?}");
        }
    }
    assert!(!scene.out().exists());
    for method in ["GET", "DELETE"] {
        assert_eq!(port.ask(method, "/api/v1/exports/7", None, None).status, 404);
        assert_eq!(port.ask(method, "/api/v1/exports/%ff", None, None).status, 404);
    }
}

#[test]
fn tenants_do_not_see_each_other() {
    let scene = Scene::new();
    let [all, acme, globex, planner] = [(); 4].map(|()| Key::random().unwrap());
    let keys = [
        (&all, Role::Operator, "*"),
        (&acme, Role::Approver, "acme"),
        (&globex, Role::Approver, "globex"),
        (&planner, Role::Planner, "acme"),
    ];
    let port = start(&scene, &keys);
    assert_eq!(port.export(None, &gold("csv")).status, 401);
    assert_eq!(port.export(Some(&planner), &gold("csv")).status, 403);
    let mine = port.export(Some(&acme), &json!({ "audience": "gold", "format": "csv", "destination": "partner" }));
    let done = port.end(Some(&acme), &mine);
    assert_eq!(done["state"], "done");
    let path = format!("/api/v1/exports/{}", done["id"].as_str().unwrap());
    assert_eq!(port.ask("GET", &path, Some(&all), None).json()["report"], done["report"]);
    for method in ["GET", "DELETE"] {
        let (theirs, none) = (
            port.ask(method, &path, Some(&globex), None),
            port.ask(method, "/api/v1/exports/none", Some(&globex), None),
        );
        assert_eq!((theirs.status, &theirs.body), (404, &none.body));
    }
    let listed = |key: &Key| port.ask("GET", "/api/v1/exports", Some(key), None).json();
    assert_eq!(listed(&globex), json!({ "exports": [], "destinations": ["theirs"] }));
    assert_eq!(listed(&acme)["destinations"], json!(["partner"]));
    assert_eq!(listed(&all)["destinations"], json!(["partner", "theirs"]));

    let foreign = port.export(Some(&globex), &gold("csv"));
    let absent =
        port.export(Some(&globex), &json!({ "audience": "acme/nil9", "format": "csv", "destination": "partner" }));
    assert_eq!((foreign.status, absent.status), (404, 404));
    assert_eq!(foreign.body.replace("gold", "nil9"), absent.body);
    // Shared means used in rules: those who are in it leave the house by their owner's key alone.
    let shared = json!({ "audience": "globex/theirs", "format": "csv", "destination": "partner" });
    assert_eq!(port.export(Some(&acme), &shared).status, 404);
    assert_eq!(port.export(Some(&globex), &shared).status, 400, "another owner's destination");
    let objectors =
        json!({ "audience": "leave", "format": "suppression", "destination": "partner", "include_objectors": true });
    assert_eq!(port.export(Some(&acme), &objectors).status, 403);
    let all_of_them = json!({ "audience": "acme/leave", "format": "suppression", "destination": "partner", "include_objectors": true });
    assert_eq!(port.end(Some(&all), &port.export(Some(&all), &all_of_them))["state"], "done");
}

#[test]
fn one_at_a_time_goes_to_a_destination_and_can_be_broken_off() {
    let scene = Scene::new();
    // A source that goes on until somebody writes to it: an export stays under way as long as the test wants.
    let pipe = scene.path().join("crm.csv");
    std::fs::remove_file(&pipe).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let port = start(&scene, &[]);
    let first = port.export(None, &gold("csv"));
    assert_eq!(first.status, 202, "{first:?}");
    let second = port.export(None, &gold("meta"));
    assert_eq!((second.status, second.json()["code"].as_str()), (409, Some("conflict")), "{second:?}");
    let path = format!("/api/v1/exports/{}", first.json()["id"].as_str().unwrap());
    assert_eq!(port.ask("GET", &path, None, None).json()["state"], "running");
    assert_eq!(port.ask("DELETE", &path, None, None).status, 202);
    let text: String = (0..60).map(|n| format!("C{n},{},,,gold\n", crate::scene::email(n))).collect();
    let feed = std::thread::spawn(move || {
        // The header is looked at first, then the whole is read; whoever opens the pipe finds a writer.
        for _ in 0..50 {
            let _ = std::fs::write(&pipe, format!("customer,email,phone,ifa,plan\n{text}"));
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let ended = port.end(None, &first);
    assert_eq!(ended["state"], "cancelled", "{ended}");
    assert!(ended["report"].is_null() && ended["message"].as_str().unwrap().contains("cancelled"));
    let left = std::fs::read_dir(scene.out()).map(|entries| entries.count()).unwrap_or(0);
    assert_eq!(left, 0, "nothing is left");
    let _ = feed;
}
