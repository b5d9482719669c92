//! A Prebid Server with its module `scope3.rtd`, built from the published Go module, asks our door during an auction.
//! Minutes to build: only under `make conformance`.

use super::client::{Client, request};
use super::world::{World, wait_until};
use super::{run, set, skip, sources, workplace};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const MODULE: &str = "github.com/prebid/prebid-server/v3";
const KEY: &str = "a-key-that-prebid-server-shows-us";

/// The program, and the files it wants beside it.
fn built() -> Result<(PathBuf, PathBuf), String> {
    let from = sources("prebid-server");
    let program = workplace("prebid-server").join("prebid-server");
    run(Command::new("go").args(["build", "-o"]).arg(&program).arg(MODULE).current_dir(&from))?;
    let module = run(Command::new("go").args(["list", "-m", "-f", "{{.Dir}}", MODULE]).current_dir(&from))?;
    Ok((program, Path::new(module.trim()).join("static")))
}

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that was free a moment ago.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Starts it in a directory of its own. What it would fetch from elsewhere goes to a proxy that is not there.
fn start(program: &Path, files: &Path, config: &str, at: SocketAddr) -> Running {
    let directory = workplace("prebid-server-run");
    let link = directory.join("static");
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(files, &link).unwrap();
    std::fs::write(directory.join("pbs.yaml"), config).unwrap();
    let log = std::fs::File::create(directory.join("log")).unwrap();
    let nowhere = format!("http://{}", free());
    let mut command = Command::new(program);
    command.current_dir(&directory).envs([("HTTP_PROXY", &nowhere), ("HTTPS_PROXY", &nowhere)]);
    let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let running = Running(child);
    wait_until("Prebid Server listens", || std::net::TcpStream::connect(at).is_ok());
    running
}

/// A bidder that never bids.
fn bidder() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let (mut length, mut line) = (0, String::new());
            while reader.read_line(&mut line).unwrap() > 2 {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            reader.read_exact(&mut vec![0; length]).unwrap();
            let no_bid = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            reader.get_mut().write_all(no_bid.as_bytes()).unwrap();
        }
    });
    address
}

fn config(at: SocketAddr, vaglio: SocketAddr) -> String {
    let (admin, bidder) = (free().port(), bidder());
    format!(
        "host: 127.0.0.1
port: {port}
admin_port: {admin}
external_url: http://{at}
gdpr: {{ enabled: false, default_value: \"0\", timeouts_ms: {{ init_vendorlist_fetches: 1 }} }}
currency_converter: {{ fetch_interval_seconds: 0 }}
adapters: {{ appnexus: {{ endpoint: \"http://{bidder}/\" }} }}
{hooks}",
        port = at.port(),
        hooks = std::fs::read_to_string(sources("prebid-server").join("hooks.yaml"))
            .unwrap()
            .replace("https://vaglio.example", &format!("http://{vaglio}"))
            .replace("YOUR-KEY", KEY),
    )
}

/// The `ext` of an auction's answer.
fn auction(at: SocketAddr, uid: &str) -> Value {
    let eids = json!([{"source": "id.test", "uids": [{"id": uid}]}]);
    let body = json!({
        "id": "auction-1",
        "imp": [{
            "id": "imp-1",
            "banner": {"format": [{"w": 300, "h": 250}]},
            "ext": {"prebid": {"bidder": {"appnexus": {"placement_id": 1}}}},
        }],
        "site": {"page": "https://news.example/sport", "publisher": {"id": "p"}},
        "user": {"id": uid, "eids": eids},
        "tmax": 2000,
    });
    let mut client = Client::connect(at);
    let close = "content-type: application/json\r\nconnection: close\r\n";
    client.send(&request("POST", "/openrtb2/auction", close, &body.to_string()));
    let answer = client.receive().unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["ext"].clone()
}

fn segments(ext: &Value) -> Vec<&str> {
    let all = ext["scope3"]["segments"].as_array();
    let mut all: Vec<&str> = all.into_iter().flatten().map(|segment| segment.as_str().unwrap()).collect();
    all.sort_unstable();
    all
}

#[test]
fn an_auction_of_prebid_server_is_answered_with_our_words() {
    if !set("VAGLIO_CONFORMANCE_PREBID_SERVER") {
        return skip("Prebid Server", "`make conformance` builds and runs it");
    }
    let (program, files) = built().unwrap();
    let sha256: String = Sha256::digest(KEY).iter().map(|byte| format!("{byte:02x}")).collect();
    let world = World::new(&format!(
        "prebid: {{ enabled: true }}
public: {{ owners: [] }}
callers:
  - name: prebid
    credentials: [{{ sha256: {sha256} }}]
    owners: [acme]
    external_ids: {{ acme/odd: x9 }}
"
    ));
    let vaglio = world.ready();
    let at = free();
    let _running = start(&program, &files, &config(at, vaglio.addresses().http), at);

    let gamer = auction(at, "gamer");
    assert_eq!(segments(&gamer), ["560", "ok-everyone", "ok-upgrade", "x9"]);
    let expected = json!({ "560": "true", "ok-everyone": "true", "ok-upgrade": "true", "x9": "true" });
    assert_eq!(gamer["prebid"]["targeting"], expected);
    // From its cache.
    assert_eq!(segments(&auction(at, "gamer")), ["560", "ok-everyone", "ok-upgrade", "x9"]);

    assert_eq!(segments(&auction(at, "hater")), ["560", "ok-everyone"], "in target, and to be left alone");
    assert_eq!(segments(&auction(at, "somebody")), ["ok-everyone"], "nobody we know");
    let objector = auction(at, "objector");
    assert_eq!(objector["scope3"], Value::Null);
    assert_eq!(objector["prebid"]["targeting"], Value::Null);
    // What docs/prebid.md warns of: an empty answer comes out of that cache as one empty word.
    assert_eq!(segments(&auction(at, "objector")), [""]);
}
