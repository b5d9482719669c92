//! What outside bytes can reach, one function an entry. Each must return: no panic, no endless loop, no unbounded memory.
//! Shared by the fuzz targets here and by the bounded run in `tests/fuzz_smoke.rs`.

mod audiences;
mod doors;
mod log;
mod snapshot;
mod sources;

use vaglio::schema::KeyHasher;

/// An entry: its name, and what it does with bytes.
pub type Entry = (&'static str, fn(&[u8]));

/// Every entry.
pub const ENTRIES: [Entry; 29] = [
    ("rule", audiences::rule),
    ("rule_tree", audiences::rule_tree),
    ("definitions", audiences::read_definitions),
    ("config", sources::config),
    ("csv", sources::csv),
    ("ndjson", sources::ndjson),
    ("lookup_json", doors::lookup),
    ("decide_json", doors::decide),
    ("events_json", doors::events),
    ("openrtb_json", doors::openrtb),
    ("openrtb_proto", doors::openrtb_proto),
    ("artf", doors::propose),
    ("prebid_js", doors::prebid_js),
    ("identities", snapshot::identities),
    ("filter", snapshot::filter),
    ("forward", snapshot::forward),
    ("flips", snapshot::flips),
    ("caps", snapshot::caps),
    ("token", doors::token),
    ("bitmaps", snapshot::bitmaps),
    ("columns", snapshot::columns),
    ("keys", snapshot::keys),
    ("live_facts", snapshot::live_facts),
    ("objections", snapshot::objections),
    ("consent", doors::consent),
    ("record", log::record),
    ("control", log::control),
    ("change", audiences::change),
    ("segment", log::segment),
];

/// Runs an entry by its name.
pub fn run(name: &str, bytes: &[u8]) {
    let entry = ENTRIES.iter().find(|(known, _)| *known == name).expect("the entry is listed");
    entry.1(bytes);
}

fn hasher() -> KeyHasher {
    KeyHasher::new([7; 16])
}

/// Reads that nobody uses would be optimised away.
fn seen<T>(value: T) {
    std::hint::black_box(value);
}
