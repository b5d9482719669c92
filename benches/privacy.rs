//! What a decision on consent strings costs, next to the crate `iab_gpp` on the same strings.
//!
//! `cargo bench --bench privacy`

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::str::FromStr;
use vaglio::config::{Privacy, PrivacyDuty};
use vaglio::privacy::{Policy, Signals};

/// A CMP's string of 2026: 900 vendors in bit fields, disclosed vendors.
fn fields() -> String {
    string(900, |vendor| vendor % 7 != 0, false)
}

/// As above in ranges, 300 of them.
fn ranges() -> String {
    string(900, |vendor| vendor % 3 != 0, true)
}

/// The longest: every vendor that there can be, as far as 16 KiB go.
fn longest() -> String {
    string(30_000, |vendor| vendor % 2 == 0, false)
}

/// A TCF 2.3 string with consent for all purposes and for these vendors.
fn string(most: u32, has: impl Fn(u32) -> bool, as_ranges: bool) -> String {
    let put = |out: &mut String, value: u64, width: usize| out.push_str(&format!("{value:0width$b}"));
    let vendors = |out: &mut String| {
        put(out, most.into(), 16);
        put(out, as_ranges.into(), 1);
        if !as_ranges {
            return (1..=most).for_each(|vendor| put(out, has(vendor).into(), 1));
        }
        let starts: Vec<u32> = (1..=most).filter(|&vendor| has(vendor) && (vendor == 1 || !has(vendor - 1))).collect();
        put(out, starts.len() as u64, 12);
        for start in starts {
            let end = (start..=most).take_while(|&vendor| has(vendor)).last().unwrap_or(start);
            put(out, 1, 1);
            put(out, start.into(), 16);
            put(out, end.into(), 16);
        }
    };
    let mut core = String::new();
    for (value, width) in
        [(2, 6), (1, 36), (1, 36), (31, 12), (7, 12), (1, 6), (131, 12), (90, 12), (5, 6), (1, 1), (0, 13)]
    {
        put(&mut core, value, width);
    }
    put(&mut core, 0xff_e000, 24);
    put(&mut core, 0x40_0000, 24);
    put(&mut core, 0, 13);
    vendors(&mut core);
    vendors(&mut core);
    put(&mut core, 0, 12);
    let mut disclosed = "001".to_owned();
    vendors(&mut disclosed);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let base64url = |bits: &str| -> String {
        let sextets = bits.as_bytes().chunks(6);
        let value = |six: &[u8]| (0..6).fold(0, |value, at| value << 1 | usize::from(six.get(at) == Some(&b'1')));
        sextets.map(|six| char::from(alphabet[value(six)])).collect()
    };
    format!("{}.{}", base64url(&core), base64url(&disclosed))
}

fn decisions(bench: &mut Criterion) {
    let policy = Policy::new(&Privacy { tcf_vendor_id: Some(755), ..Privacy::default() });
    let mut group = bench.benchmark_group("tcf");
    for (name, text) in [("fields", fields()), ("ranges", ranges()), ("longest", longest())] {
        let name = format!("{name}, {} bytes", text.len());
        group.bench_function(format!("vaglio: {name}"), |bench| {
            bench.iter(|| {
                let signals = Signals { gdpr: Some(true), tcf: black_box(&text), ..Signals::default() };
                policy.permission(&signals, PrivacyDuty::Required)
            });
        });
        group.bench_function(format!("iab_gpp: {name}"), |bench| {
            bench.iter(|| iab_gpp::sections::tcfeuv2::TcfEuV2::from_str(black_box(&text)).is_ok());
        });
    }
    group.finish();
    let mut group = bench.benchmark_group("gpp");
    let text = "DBABLA~BVVqAAAAAmA.QA";
    group.bench_function("vaglio: usnat", |bench| {
        bench.iter(|| {
            let signals = Signals { gpp: black_box(text), gpp_sid: Some(&[7]), ..Signals::default() };
            policy.permission(&signals, PrivacyDuty::Required)
        });
    });
    group.bench_function("iab_gpp: usnat", |bench| {
        bench.iter(|| {
            let read = iab_gpp::v1::GPPString::from_str(black_box(text)).map(|string| string.decode_all_sections());
            read.is_ok_and(|sections| sections.iter().all(Result::is_ok))
        });
    });
    group.finish();
    bench.bench_function("no strings", |bench| {
        bench.iter(|| policy.permission(black_box(&Signals::default()), PrivacyDuty::Required));
    });
}

criterion_group!(benches, decisions);
criterion_main!(benches);
