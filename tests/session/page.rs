//! The page: its policy, its files, what falls back to it, and what does not.

use super::{Answer, ask};
use crate::world::World;
use std::collections::BTreeSet;
use std::io::Read;
use std::net::SocketAddr;
use vaglio::console;

const BROWSER: &str = "accept: text/html,application/xhtml+xml,*/*;q=0.8\r\naccept-encoding: gzip, deflate, br\r\n";

fn get(address: SocketAddr, path: &str, headers: &str) -> Answer {
    ask(address, "GET", path, headers, "")
}

#[test]
fn the_page_has_a_strict_policy_and_a_nonce_of_its_own() {
    let world = World::new("");
    let server = world.ready();
    let at = server.addresses().planner;
    let mut nonces = BTreeSet::new();
    for path in ["/", "/audiences/telco/haters", "/campaigns", "/nothing/like/that"] {
        let page = get(at, path, BROWSER);
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")), "{path}");
        assert_eq!(page.header("cache-control"), Some("no-cache"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin"));
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        let policy = page.header("content-security-policy").unwrap();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        for part in ["default-src 'none';", "script-src 'self';", "frame-ancestors 'none'", "form-action 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
        assert!(page.text().contains(&format!("nonce=\"{nonce}\"")) && !page.text().contains(console::NONCE));
        assert!(nonces.insert(nonce), "used twice");
        let head = ask(at, "HEAD", path, BROWSER, "");
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert!(head.header("content-security-policy").is_some());
    }
    assert_eq!(ask(at, "POST", "/", BROWSER, "").status, 405);
    server.shutdown();
}

#[test]
fn a_link_of_another_page_leads_to_the_page_and_to_nothing_else() {
    let world = World::new("");
    let server = world.ready();
    let at = server.addresses().planner;
    let foreign = format!("{BROWSER}host: evil.test\r\nsec-fetch-site: cross-site\r\n");
    for (path, status) in
        [("/", 200), ("/audiences", 200), ("/api/v1/whoami", 403), ("/api/v1/openapi.json", 403), ("/metrics", 403)]
    {
        assert_eq!(get(at, path, &foreign).status, status, "{path}");
    }
    assert_eq!(ask(at, "POST", "/audiences", &foreign, "").status, 403);
    server.shutdown();
}

#[test]
fn what_only_programs_ask_for_stays_a_problem() {
    let world = World::new("");
    let server = world.ready();
    let at = server.addresses().planner;
    for (path, headers) in [
        ("/api/v1/nothing", BROWSER),
        ("/api", BROWSER),
        ("/metrics/nothing", BROWSER),
        ("/assets/nothing.js", BROWSER),
        ("/audiences", "accept: application/json\r\n"),
        ("/audiences", ""),
        ("/.vite/manifest.json", ""),
        ("/.gitignore", ""),
        ("/index.html.gz", ""),
        ("/favicon.svg.gz", ""),
        ("/assets/../index.html", ""),
        ("/assets/%2e%2e/.gitignore", ""),
    ] {
        let answer = get(at, path, headers);
        assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some("not_found")), "{path}");
    }
    assert_eq!(ask(at, "DELETE", "/audiences", BROWSER, "").status, 404);
    server.shutdown();
}

#[test]
fn its_files_are_kept_for_ever_and_sent_compressed() {
    let world = World::new("");
    let server = world.ready();
    let at = server.addresses().planner;
    let Some(index) = console::index() else {
        let page = get(at, "/", "");
        assert!(page.text().contains("make console") && page.text().contains("/api/v1/openapi.json"), "{page:?}");
        return;
    };
    let script = index.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    let file = get(at, script, "accept-encoding: gzip\r\n");
    assert_eq!((file.status, file.header("content-encoding")), (200, Some("gzip")));
    assert_eq!(file.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(file.header("vary"), Some("accept-encoding"));
    let plain = get(at, script, "");
    assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&*file.body).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    let tag = file.header("etag").unwrap();
    assert_ne!(Some(tag), plain.header("etag"));
    let again = get(at, script, &format!("accept-encoding: gzip\r\nif-none-match: \"x\", W/{tag}\r\n"));
    assert_eq!((again.status, again.body.len()), (304, 0));
    let head = ask(at, "HEAD", script, "accept-encoding: gzip\r\n", "");
    let length = file.body.len().to_string();
    assert_eq!((head.body.len(), head.header("content-length")), (0, Some(length.as_str())));
    let icon = get(at, "/favicon.svg", "");
    assert_eq!((icon.status, icon.header("content-type")), (200, Some("image/svg+xml")));
    assert_eq!(icon.header("cache-control"), Some("no-cache"));
    server.shutdown();
}
