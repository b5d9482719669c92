//! Exports to an object store, against the stand-in that tests of sources use (`tests/s3_stand_in.sh`).
//!
//! Where python3 or the package registry is missing the test says so and passes; `VAGLIO_REQUIRE_S3=1` makes that a failure.

use crate::scene::{NO, Scene, ask};
use object_store::aws::AmazonS3Builder;
use object_store::{ObjectStoreExt, path::Path};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use vaglio::build::exports::{Format, Place};

/// The stand-in; ends with the test.
struct StandIn(Child);

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn script() -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/s3_stand_in.sh"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn start() -> Option<(StandIn, u16)> {
    script().arg("install").status().ok().filter(|status| status.success())?;
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().port();
    let stand_in = StandIn(script().args(["serve", &port.to_string()]).spawn().ok()?);
    let patience = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > patience {
            return None;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Some((stand_in, port))
}

#[test]
fn exports_to_an_object_store() {
    let Some((_stand_in, port)) = start() else {
        assert!(std::env::var_os("VAGLIO_REQUIRE_S3").is_none(), "no S3 stand-in");
        return writeln!(std::io::stderr(), "skipped: exports to s3, no stand-in").unwrap();
    };
    let endpoint = format!("http://127.0.0.1:{port}");
    let inside = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::inside", "--ignored", "--nocapture"])
        .envs([("AWS_ENDPOINT_URL", endpoint.as_str()), ("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("VAGLIO_S3_PORT", &port.to_string())])
        .status()
        .unwrap();
    assert!(inside.success(), "see above");
}

#[test]
#[ignore = "started by `exports_to_an_object_store` with the stand-in's environment"]
fn inside() {
    create_bucket(std::env::var("VAGLIO_S3_PORT").unwrap().parse().unwrap());
    let store = AmazonS3Builder::from_env().with_bucket_name("exports").build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let read = |address: &str| {
        let path = Path::from(address.strip_prefix("s3://exports/").unwrap());
        runtime.block_on(async { store.get(&path).await.unwrap().bytes().await.unwrap() })
    };
    let scene = Scene::new();
    let place = Place::parse("s3://exports/to/partner").unwrap();
    let mut delta = ask(Format::Csv);
    delta.delta = true;
    let report = scene.export_to("gold", &delta, &place).unwrap();
    let file = &report.files[0];
    assert!(file.name.starts_with("s3://exports/to/partner/acme_gold-"), "{}", file.name);
    let bytes = read(&file.name);
    assert_eq!(
        (bytes.len() as u64, crate::scene::hex(std::str::from_utf8(&bytes).unwrap())),
        (file.bytes, file.sha256.clone())
    );
    let rows = csv::Reader::from_reader(&bytes[..]).into_records().map(|row| {
        let row = row.unwrap();
        (row[0].to_owned(), row[1].to_owned())
    });
    assert_eq!(rows.collect::<BTreeSet<_>>(), scene.expected("gold", &NO));
    assert!(
        scene.export_to("gold", &delta, &place).unwrap().files.is_empty(),
        "it was acknowledged, so it is remembered"
    );

    // More than a part: 8 MiB and over.
    let long = "x".repeat(400);
    let rows: String = (0..30_000).map(|n| format!("{{\"cookie\":\"{n}-{long}\",\"plan\":\"gold\"}}\n")).collect();
    std::fs::write(scene.path().join("web.ndjson"), rows).unwrap();
    scene.build();
    let report = scene.export_to("gold", &ask(Format::Ndjson), &place).unwrap();
    let bytes = read(&report.files[0].name);
    assert!(bytes.len() > 9 << 20 && bytes.len() as u64 == report.files[0].bytes);
    assert_eq!(crate::scene::hex(std::str::from_utf8(&bytes).unwrap()), report.files[0].sha256);

    let nowhere = Place::parse("s3://no-such-bucket/x").unwrap();
    let error = scene.export_to("gold", &delta, &nowhere).unwrap_err().to_string();
    assert!(error.contains("s3://no-such-bucket/x/acme_gold"), "{error}");
    let again = scene.export_to("gold", &delta, &nowhere).unwrap_err().to_string();
    assert!(again.contains("no-such-bucket"), "what was not acknowledged is not remembered: {again}");
}

/// A bucket is made by a bare PUT: the store's client cannot.
fn create_bucket(port: u16) {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!(
        "PUT /exports HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\nConnection: close\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
