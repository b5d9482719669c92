//! Reading a bid request of 2.5 KB (made up, and the longest of the real ones where they are) and putting two entries into
//! its `user.data`, beside what merely looking at its bytes costs.
//!
//! `cargo bench --bench openrtb`

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[path = "openrtb/lazy.rs"]
#[allow(dead_code, reason = "reading the fields is what is measured")]
mod lazy;
#[path = "../tests/openrtb_scan/obvious.rs"]
#[allow(dead_code, reason = "shared with the tests, which use all of it")]
mod obvious;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::de::IgnoredAny;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use vaglio::wire::openrtb::json::{What, read, splice};

const MADE_UP: &[u8] = include_bytes!("openrtb/request.json");
const ENTRIES: &[u8] = br#"{"id":"vaglio","name":"vaglio","segment":[{"id":"560"},{"id":"561"},{"id":"610"}],"ext":{"segtax":4}},{"id":"vaglio","name":"vaglio","segment":[{"id":"a17"},{"id":"b2"}]}"#;

/// The longest real request.
fn real() -> Option<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("VAGLIO_DATA_DIR").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let file = std::fs::File::open(folder.join("openrtb/requests.ndjson.gz")).ok()?;
    let lines = BufReader::new(flate2::read::MultiGzDecoder::new(file)).split(b'\n').map(Result::unwrap);
    lines.max_by_key(Vec::len)
}

fn measure(c: &mut Criterion, name: &str, body: &[u8]) {
    let mut group = c.benchmark_group(format!("{name}/{}", body.len()));
    group.throughput(Throughput::Bytes(body.len() as u64));
    let mut out = Vec::with_capacity(2 * body.len() + ENTRIES.len());
    group.bench_function("copy", |b| {
        b.iter(|| {
            out.clear();
            out.extend_from_slice(black_box(body));
            out.len()
        });
    });
    group.bench_function("utf8", |b| b.iter(|| std::str::from_utf8(black_box(body)).is_ok()));
    group.bench_function("serde_json/ignore", |b| {
        b.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(body)).is_ok());
    });
    group.bench_function("serde_json/raw", |b| b.iter(|| lazy::read(black_box(body))));
    group.bench_function("scan/enrich", |b| b.iter(|| read(black_box(body), What::Enrich).unwrap()));
    group.bench_function("scan/decide", |b| b.iter(|| read(black_box(body), What::Decide).unwrap()));
    group.bench_function("scan/enrich_and_splice", |b| {
        b.iter(|| {
            let (request, place) = read(black_box(body), What::Enrich).unwrap();
            out.clear();
            splice(body, &place, ENTRIES, &mut out);
            (request.eids.len(), out.len())
        });
    });
    group.finish();
}

fn openrtb(c: &mut Criterion) {
    measure(c, "made_up", MADE_UP);
    match real() {
        Some(body) => measure(c, "real", &body),
        None => eprintln!("SKIPPED: the real requests are not there (set VAGLIO_DATA_DIR)"),
    }
}

criterion_group!(benches, openrtb);
criterion_main!(benches);
