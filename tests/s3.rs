//! Sources in an object store, against a stand-in that the test starts itself (`s3_stand_in.sh`).
//!
//! Where python3 or the package registry is missing the test says so and passes; `VAGLIO_REQUIRE_S3=1` makes that a
//! failure. The environment of a process can only be set from outside, so the test proper runs in a child process.
#![cfg(feature = "lake")]
#![allow(clippy::unwrap_used)] // a test fails by panicking

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use object_store::aws::AmazonS3Builder;
use object_store::{ObjectStoreExt, PutPayload, path::Path};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vaglio::collect::{CollectReport, collect};
use vaglio::config::load::from_text;
use vaglio::error::Result;
use vaglio::schema::KeyHasher;
use vaglio::telemetry::progress::{Mode, Progress};

const BUCKET: &str = "vaglio-test";
const ROWS: i64 = 300_000;

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

/// The stand-in and its port, or why there is none.
fn start() -> std::result::Result<(StandIn, u16), String> {
    let installed = script().arg("install").stderr(Stdio::inherit()).status().map_err(|error| error.to_string())?;
    if !installed.success() {
        return Err(
            "tests/s3_stand_in.sh install failed (python3 with venv, and a package registry, are needed)".into()
        );
    }
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().port();
    let child = script().args(["serve", &port.to_string()]).spawn().map_err(|error| error.to_string())?;
    let stand_in = StandIn(child);
    let patience = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > patience {
            return Err("the stand-in did not listen within a minute".into());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok((stand_in, port))
}

#[test]
fn sources_in_an_object_store() {
    let (_stand_in, port) = match start() {
        Ok(started) => started,
        Err(why) if std::env::var_os("VAGLIO_REQUIRE_S3").is_some() => panic!("no S3 stand-in: {why}"),
        // Past libtest's capture, so that a skipped test is seen.
        Err(why) => return writeln!(std::io::stderr(), "skipped: sources in s3, no stand-in: {why}").unwrap(),
    };
    let endpoint = format!("http://127.0.0.1:{port}");
    let inside = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "inside", "--ignored", "--nocapture"])
        .envs([("AWS_ENDPOINT_URL", endpoint.as_str()), ("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("VAGLIO_S3_PORT", &port.to_string())])
        .status()
        .unwrap();
    assert!(inside.success(), "see above");
}

#[test]
#[ignore = "started by `sources_in_an_object_store` with the stand-in's environment"]
fn inside() {
    let port: u16 = std::env::var("VAGLIO_S3_PORT").unwrap().parse().unwrap();
    create_bucket(port);
    let store = AmazonS3Builder::from_env().with_bucket_name(BUCKET).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (name, bytes) in objects() {
        runtime.block_on(store.put(&Path::from(name), PutPayload::from(bytes))).unwrap();
    }

    let (ids, report) = read("crm/part-*").unwrap();
    assert_eq!((ids, report.sources[0].files), (4, 2), "the glob does not reach into folders");
    assert_eq!(read("crm/**/part-3.csv").unwrap().0, 1);
    assert_eq!(read("big/rows.csv.zst").unwrap().0, ROWS as u64, "streamed");
    let (ids, report) = read("big/rows.parquet").unwrap();
    assert_eq!((ids, report.sources[0].rejected), (ROWS as u64, 0), "read in ranges");
    let age = Instant::now().elapsed().as_secs() as i64 + report.as_of.0 - report.sources[0].newest.0;
    assert!((0..600).contains(&age), "the newest object is {age} s old");

    let error = |pattern: &str| read(pattern).unwrap_err().to_string();
    let nothing = error("nowhere/*.csv");
    assert!(nothing.contains("no file matches s3://vaglio-test/nowhere/*.csv"), "{nothing}");
    let cut = error("cut/rows.csv.gz");
    assert!(cut.contains("s3://vaglio-test/cut/rows.csv.gz is truncated or is not gzip"), "{cut}");
    let lacking = error("crm/other.csv");
    assert!(lacking.contains("s3://vaglio-test/crm/other.csv: no column `id`"), "{lacking}");
    let elsewhere = read_url("s3://no-such-bucket/*.csv").unwrap_err().to_string();
    assert!(elsewhere.contains("cannot list s3://no-such-bucket/*.csv") && elsewhere.contains("AWS_ENDPOINT_URL"));
}

fn objects() -> Vec<(&'static str, Vec<u8>)> {
    let rows: String = (0..ROWS).map(|row| format!("user-{row},{}\n", row % 90)).collect();
    let big = format!("id,age\n{rows}");
    let gzip = |text: &str| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    let mut cut = gzip(&big);
    cut.truncate(cut.len() / 2);
    vec![
        ("crm/part-1.csv", b"id,age\na,1\nb,2\n".to_vec()),
        ("crm/part-2.csv.gz", gzip("id,age\nc,1\nd,2\n")),
        ("crm/deep/part-3.csv", b"id,age\ne,1\n".to_vec()),
        ("crm/other.csv", b"user,age\na,1\n".to_vec()),
        ("big/rows.csv.zst", zstd::encode_all(big.as_bytes(), 1).unwrap()),
        ("big/rows.parquet", parquet()),
        ("cut/rows.csv.gz", cut),
    ]
}

/// More than one block of ranges, in several row groups.
fn parquet() -> Vec<u8> {
    let ids: ArrayRef =
        Arc::new((0..ROWS).map(|row| Some(format!("user-{:030}", row * 7_919))).collect::<StringArray>());
    let ages: ArrayRef = Arc::new((0..ROWS).map(|row| Some(row % 90)).collect::<Int64Array>());
    let batch = RecordBatch::try_from_iter([("id", ids), ("age", ages)]).unwrap();
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_max_row_group_row_count(Some(100_000))
        .set_dictionary_enabled(false)
        .build();
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert!(bytes.len() > 8 << 20, "{} bytes", bytes.len());
    bytes
}

/// A bucket is made by a bare PUT: the store's client cannot.
fn create_bucket(port: u16) {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = format!(
        "PUT /{BUCKET} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\nConnection: close\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn read(pattern: &str) -> Result<(u64, CollectReport)> {
    read_url(&format!("s3://{BUCKET}/{pattern}"))
}

/// How many identifiers, and the report.
fn read_url(url: &str) -> Result<(u64, CollectReport)> {
    let text = format!(
        "sources: [{{ name: crm, kind: profiles, path: \"{url}\", ids: [{{ column: id, type: crm }}], \
         traits: [{{ column: age, kind: number }}] }}]"
    );
    let loaded = from_text(&text, std::path::Path::new("vaglio.yaml"), std::iter::empty())?;
    let mut ids = 0;
    let report = collect(&loaded, &KeyHasher::new([7; 16]), &Progress::new(Mode::Silent), &mut |batch| {
        ids += batch.keys.len() as u64;
        Ok(())
    })?;
    Ok((ids, report))
}
