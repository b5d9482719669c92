//! Sessions and the page at the planner's port, over real HTTP: signing in and out, what a cookie opens and what it does not,
//! and what another web page cannot have a browser do.

#![allow(clippy::unwrap_used)] // a test fails by panicking

#[path = "../doors/world.rs"]
#[allow(dead_code, reason = "shared with the doors' tests")]
mod world;

mod page;

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use vaglio::access::{Credential, CredentialStore, Entry, Key, Origin, Role, Who};
use vaglio::schema::{Clock, Timestamp};
use vaglio::server::Server;
use world::{World, wait_until};

/// What came back, as it came.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(is, _)| is.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The session that it sets, as a header of a request.
    fn cookie(&self) -> String {
        let set = self.header("set-cookie").unwrap_or_else(|| panic!("{self:?}"));
        format!("cookie: theme=dark; {}\r\n", set.split(';').next().unwrap())
    }
}

fn ask(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let host = if headers.contains("host: ") { String::new() } else { format!("host: {address}\r\n") };
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\n{host}{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| panic!("{all:?}"));
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: all[end + 4..].to_vec() }
}

fn hand_out(world: &World, role: Role, owner: &str, expires: Option<Timestamp>) -> Key {
    let key = Key::random().unwrap();
    let (id, sha256) = (key.id().to_owned(), key.hash());
    let (caller, revoked, comment, mtls, origin) = (None, None, None, None, Origin::Made);
    let (owner, created) = (owner.to_owned(), Timestamp(0));
    let made = Credential { id, sha256, role, owner, caller, created, expires, revoked, comment, mtls, origin };
    let add = |all: &mut vaglio::access::Credentials| all.add(made, Timestamp(0)).map(|()| ((), Entry::default()));
    CredentialStore::of(&world.data()).change(&Who::command_line(), add).unwrap();
    key
}

fn sign_in(server: &Server, key: &str) -> Answer {
    let body = json!({ "key": key }).to_string();
    ask(server.addresses().planner, "POST", "/api/v1/session", "content-type: application/json\r\n", &body)
}

fn whoami(server: &Server, headers: &str) -> Answer {
    ask(server.addresses().planner, "GET", "/api/v1/whoami", headers, "")
}

#[test]
fn a_key_is_exchanged_for_a_cookie_that_opens_the_same() {
    let world = World::new("");
    let (operator, planner) =
        (hand_out(&world, Role::Operator, "*", None), hand_out(&world, Role::Planner, "acme", None));
    let server = world.ready();
    let address = server.addresses().planner;
    assert_eq!(whoami(&server, "").status, 401, "there are keys, so people are told apart");

    let entered = sign_in(&server, operator.text());
    assert_eq!((entered.status, &entered.json()["role"]), (200, &json!("operator")));
    let set = entered.header("set-cookie").unwrap();
    let (pair, attributes) = set.split_once("; ").unwrap();
    let token = pair.strip_prefix("vaglio_session=").unwrap();
    assert_eq!(token.len(), 43, "256 bits");
    assert_eq!(attributes, "HttpOnly; SameSite=Strict; Path=/; Max-Age=604800");
    assert!(!entered.text().contains(token) && entered.header("cache-control") == Some("no-store"));
    let cookie = entered.cookie();
    assert_eq!(whoami(&server, &cookie).json(), entered.json());
    assert_eq!(ask(address, "GET", "/api/v1/keys", &cookie, "").status, 200);

    // Two at once, each its own; a key shown beside a cookie wins.
    let other = sign_in(&server, planner.text());
    assert_eq!((&other.json()["owner"], &other.json()["role"]), (&json!("acme"), &json!("planner")));
    assert_ne!(other.cookie(), cookie);
    assert_eq!(ask(address, "GET", "/api/v1/keys", &other.cookie(), "").status, 403);
    let both = format!("{cookie}authorization: Bearer {}\r\n", planner.text());
    assert_eq!(whoami(&server, &both).json()["role"], "planner");
    assert_eq!(whoami(&server, &format!("{cookie}authorization: Bearer wrong\r\n")).status, 401);

    // Signing in again begins a session of another name, and ends the one before.
    let body = json!({ "key": operator.text() }).to_string();
    let again = ask(address, "POST", "/api/v1/session", &format!("{cookie}sec-fetch-site: same-origin\r\n"), &body);
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!((whoami(&server, &cookie).status, whoami(&server, &again.cookie()).status), (401, 200));

    // Signing out.
    let own = format!("{}origin: http://{address}\r\n", again.cookie());
    let left = ask(address, "DELETE", "/api/v1/session", &own, "");
    assert_eq!((left.status, left.body.len()), (204, 0));
    assert!(left.header("set-cookie").unwrap().starts_with("vaglio_session=; HttpOnly"), "{left:?}");
    assert!(left.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!((whoami(&server, &again.cookie()).status, whoami(&server, &other.cookie()).status), (401, 200));
    assert_eq!(ask(address, "DELETE", "/api/v1/session", "", "").status, 204, "twice is no harm");

    let bearer = format!("authorization: Bearer {}\r\n", operator.text());
    let trail = ask(address, "GET", "/api/v1/audit?object=session", &bearer, "").json();
    let deeds = trail["entries"].as_array().unwrap().iter().map(|entry| {
        assert!(!entry.to_string().contains(token));
        (entry["what"].as_str().unwrap().to_owned(), entry["who"].as_str().unwrap().to_owned())
    });
    let deed = |what: &str, key: &Key| (what.to_owned(), key.id().to_owned());
    let (entering, leaving) = (deed("sign in", &operator), deed("sign out", &operator));
    assert_eq!(deeds.collect::<Vec<_>>(), [leaving, entering.clone(), deed("sign in", &planner), entering]);
    server.shutdown();
}

#[test]
fn a_session_ends_with_its_key() {
    let world = World::new("");
    let soon = Timestamp(Clock::System.now().0 + 4);
    let (operator, planner, brief) = (
        hand_out(&world, Role::Operator, "*", None),
        hand_out(&world, Role::Planner, "acme", None),
        hand_out(&world, Role::Approver, "acme", Some(soon)),
    );
    let server = world.ready();
    let [one, other, brief] = [operator.text(), planner.text(), brief.text()].map(|key| sign_in(&server, key).cookie());
    assert_eq!((whoami(&server, &other).status, whoami(&server, &brief).status), (200, 200));
    let own = format!("{one}sec-fetch-site: same-origin\r\n");
    let revoked = ask(server.addresses().planner, "DELETE", &format!("/api/v1/keys/{}", planner.id()), &own, "");
    assert_eq!(revoked.status, 200, "{revoked:?}");
    assert_eq!((whoami(&server, &other).status, whoami(&server, &one).status), (401, 200));
    assert_eq!(sign_in(&server, planner.text()).status, 401);
    wait_until("the key expires", || whoami(&server, &brief).status == 401);
    server.shutdown();
    // Nothing of it is on disk: another server knows nobody.
    let server = world.ready();
    assert_eq!(whoami(&server, &one).status, 401);
    server.shutdown();
}

#[test]
fn with_a_cookie_only_our_own_page_changes_anything() {
    let world = World::new("");
    let operator = hand_out(&world, Role::Operator, "*", None);
    let server = world.ready();
    let address = server.addresses().planner;
    let cookie = sign_in(&server, operator.text()).cookie();
    let body = json!({"role": "planner", "owner": "acme"}).to_string();
    for (headers, reads, changes) in [
        (String::new(), 200, 403),
        ("sec-fetch-site: none\r\n".to_owned(), 200, 403),
        ("sec-fetch-site: same-origin\r\n".to_owned(), 200, 201),
        (format!("origin: http://{address}\r\n"), 200, 201),
        ("sec-fetch-site: same-site\r\n".to_owned(), 403, 403),
        ("sec-fetch-site: cross-site\r\n".to_owned(), 403, 403),
        ("origin: http://evil.test\r\n".to_owned(), 403, 403),
        ("origin: http://evil.test\r\nsec-fetch-site: same-origin\r\n".to_owned(), 403, 403),
        (format!("origin: http://127.0.0.1:{}\r\n", address.port() ^ 1), 403, 403),
        ("origin: null\r\n".to_owned(), 403, 403),
    ] {
        let headers = format!("{cookie}{headers}");
        assert_eq!(whoami(&server, &headers).status, reads, "{headers}");
        let changed = ask(address, "POST", "/api/v1/keys", &headers, &body);
        assert_eq!(changed.status, changes, "{headers} {changed:?}");
        if changes == 403 {
            assert_eq!(changed.json()["code"], "permission_denied");
            let left = ask(address, "DELETE", "/api/v1/session", &headers, "");
            assert_eq!(left.status, 403, "nor is anybody signed out by another page");
        }
    }
    // Nor signed in, as somebody else.
    let foreign = "origin: http://evil.test\r\nsec-fetch-site: cross-site\r\n";
    let body = json!({ "key": operator.text() }).to_string();
    assert_eq!(ask(address, "POST", "/api/v1/session", foreign, &body).status, 403);
    server.shutdown();
}

#[test]
fn a_cookie_opens_the_api_and_nothing_else() {
    let world = World::new("");
    let (bidder, ingest) = (hand_out(&world, Role::Bidder, "acme", None), hand_out(&world, Role::Ingest, "acme", None));
    let server = world.ready();
    let at = server.addresses();
    let cookies = [bidder.text(), ingest.text()].map(|key| {
        let entered = sign_in(&server, key);
        assert_eq!(entered.status, 200, "any key may sign in, and sees what it may: {entered:?}");
        entered.cookie()
    });
    for cookie in &cookies {
        for path in ["/api/v1/keys", "/api/v1/audit", "/api/v1/definitions", "/api/v1/generations"] {
            assert_eq!(ask(at.planner, "GET", path, cookie, "").status, 403, "{path}");
        }
        let metrics = |headers: &str| ask(at.planner, "GET", "/metrics", headers, "").status;
        assert_eq!((metrics(cookie), metrics("")), (200, 200), "this machine reads them without a key");
        let bent = format!("{cookie}host: evil.test\r\nsec-fetch-site: same-origin\r\n");
        assert_eq!(metrics(&bent), 403, "and no page under a name that was bent to it");
    }
    // The bid port knows no sessions: a bidder's cookie is not its key.
    let lookup = |headers: &str| ask(at.http, "POST", "/v1/lookup", headers, "{\"eids\":[]}");
    let (keyless, signed_in) = (lookup(""), lookup(&cookies[0]));
    assert_eq!((keyless.status, keyless.text()), (signed_in.status, signed_in.text()));
    server.shutdown();
}

#[test]
fn wrong_keys_are_refused_without_a_word_about_them_and_slowed() {
    let world = World::new("");
    let operator = hand_out(&world, Role::Operator, "*", None);
    let server = world.ready();
    let address = server.addresses().planner;
    for body in ["", "{}", "[]", "{\"key\":7}", "{\"key\":\"x\",\"more\":1}", "vaglio_secret", &"x".repeat(9_000)] {
        let refused = ask(address, "POST", "/api/v1/session", "", body);
        assert_eq!((refused.status, &refused.json()["code"]), (400, &json!("invalid_argument")), "{body}");
        assert!(!refused.text().contains("vaglio_secret"));
    }
    let mut seen = Vec::new();
    while seen.last() != Some(&429) {
        let wrong = if seen.len() % 2 == 0 { format!("vaglio_00000000_{}", "x".repeat(43)) } else { String::new() };
        let refused = sign_in(&server, &wrong);
        assert!(refused.header("set-cookie").is_none() && !refused.text().contains("xxx"), "{refused:?}");
        if refused.status == 429 {
            assert!(refused.header("retry-after").is_some_and(|it| it.parse::<u32>().is_ok()), "{refused:?}");
        }
        seen.push(refused.status);
        assert!(seen.len() < 60, "{seen:?}");
    }
    assert!(seen.len() > 5 && seen[..seen.len() - 1].iter().all(|status| *status == 401), "{seen:?}");
    // Others, and those who signed in before, are not held up; whoever has the key gets in soon.
    let bearer = format!("authorization: Bearer {}\r\n", operator.text());
    assert_eq!(whoami(&server, &bearer).status, 200);
    wait_until("the right key is let in", || sign_in(&server, operator.text()).status == 200);
    server.shutdown();
}

#[test]
fn this_machine_needs_neither_key_nor_session_before_there_are_keys() {
    let world = World::new("");
    let server = world.ready();
    let address = server.addresses().planner;
    assert_eq!(whoami(&server, "").json()["name"], "loopback");
    assert_eq!(whoami(&server, "cookie: vaglio_session=nobodys\r\n").json()["name"], "loopback");
    let body = json!({"role": "operator", "owner": "*"}).to_string();
    let made = ask(address, "POST", "/api/v1/keys", "", &body);
    assert_eq!(made.status, 201, "a change without a cookie needs no proof: {made:?}");
    let cookie = sign_in(&server, made.json()["key"].as_str().unwrap()).cookie();
    assert_eq!(whoami(&server, &cookie).json()["role"], "operator");
    // The name was right for the browser that has the cookie: also behind a proxy of the same machine.
    let behind = format!("{cookie}host: console.acme.test\r\n");
    assert_eq!(whoami(&server, &behind).status, 200);
    server.shutdown();
}

#[test]
fn over_a_proxy_with_tls_the_cookie_is_for_that_host_alone() {
    let world = World::new("");
    let operator = hand_out(&world, Role::Operator, "*", None);
    let server = world.ready();
    let headers = "host: localhost:8443\r\norigin: https://localhost:8443\r\n";
    let body = json!({ "key": operator.text() }).to_string();
    let entered = ask(server.addresses().planner, "POST", "/api/v1/session", headers, &body);
    let set = entered.header("set-cookie").unwrap();
    assert!(
        set.starts_with("__Host-vaglio_session=") && set.ends_with("; Secure") && set.contains("; Path=/;"),
        "{set}"
    );
    assert_eq!(whoami(&server, &entered.cookie()).status, 200);
    // Whoever came without TLS before has two; to sign out of one is not to go on with the other.
    let plain = sign_in(&server, operator.text()).cookie();
    let [first, second] = [&entered.cookie(), &plain].map(|it| it["cookie: ".len()..].trim_end().to_owned());
    let both = format!("cookie: {first}; {second}\r\n{headers}");
    assert_eq!(ask(server.addresses().planner, "DELETE", "/api/v1/session", &both, "").status, 204);
    assert_eq!((whoami(&server, &entered.cookie()).status, whoami(&server, &plain).status), (401, 401));
    server.shutdown();
}
