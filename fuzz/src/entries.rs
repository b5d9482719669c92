//! What outside bytes can reach, one function an entry. Each must return: no panic, no endless loop, no unbounded memory.
//! Shared by the fuzz targets here and by the bounded run in `tests/fuzz_smoke.rs`. Longer than 400 lines because every entry is
//! in it.

use prost::Message;
use serde_json::value::{RawValue, to_raw_value};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use vaglio::audiences::definitions::canonical;
use vaglio::audiences::versions::parts::Parts;
use vaglio::audiences::versions::{Change, Versions};
use vaglio::audiences::{definitions, parse, print, tree};
use vaglio::collect::collect;
use vaglio::config::{Config, Loaded, Privacy, PrivacyDuty, load::from_text};
use vaglio::hooks::call::Call;
use vaglio::hooks::token::Tokens;
use vaglio::hooks::{Doors, artf, decide_json, lookup_json, prebid_js as page};
use vaglio::log::frame::{Header, Piece, Pieces};
use vaglio::log::{self, Control, Log, Record, Which};
use vaglio::privacy::{Policy, Signals};
use vaglio::schema::{Declarations, KeyHasher, ProfileKey, Timestamp, Use};
use vaglio::snapshot::bitmaps::Bitmaps;
use vaglio::snapshot::blocked::Blocked;
use vaglio::snapshot::columns::{Columns, EventColumn, ListColumn, PropColumn, TraitColumn};
use vaglio::snapshot::consents::Consents;
use vaglio::snapshot::keys::Keys;
use vaglio::snapshot::{Caps, Filter, Flips, Forward, Identities, LiveFacts};
use vaglio::telemetry::progress::{Mode, Progress};
use vaglio::wire::artf::{RtbRequest, RtbResponse};
use vaglio::wire::openrtb::json::{What, read, splice};
use vaglio::wire::openrtb::message::view;
use vaglio::wire::v2::BidRequest;

/// An entry: its name, and what it does with bytes.
pub type Entry = (&'static str, fn(&[u8]));

/// Every entry.
pub const ENTRIES: [Entry; 29] = [
    ("rule", rule),
    ("rule_tree", rule_tree),
    ("definitions", read_definitions),
    ("config", config),
    ("csv", csv),
    ("ndjson", ndjson),
    ("lookup_json", lookup),
    ("decide_json", decide),
    ("events_json", events),
    ("openrtb_json", openrtb),
    ("openrtb_proto", openrtb_proto),
    ("artf", propose),
    ("prebid_js", prebid_js),
    ("identities", identities),
    ("filter", filter),
    ("forward", forward),
    ("flips", flips),
    ("caps", caps),
    ("token", token),
    ("bitmaps", bitmaps),
    ("columns", columns),
    ("keys", keys),
    ("live_facts", live_facts),
    ("objections", objections),
    ("consent", consent),
    ("record", record),
    ("control", control),
    ("change", change),
    ("segment", segment),
];

/// Runs an entry by its name.
pub fn run(name: &str, bytes: &[u8]) {
    let entry = ENTRIES.iter().find(|(known, _)| *known == name).expect("the entry is listed");
    entry.1(bytes);
}

/// The rule language: what is read is printed and read back as the same.
fn rule(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match parse(&text, "acme") {
        Ok(parsed) => {
            let printed = print(&parsed.expr);
            let again = parse(&printed, "acme").map(|again| again.expr);
            assert_eq!(again.as_ref().ok(), Some(&parsed.expr), "{printed}");
        }
        Err(diagnostics) => assert!(!diagnostics.is_empty()),
    }
}

/// A rule as a tree: what is read is a rule whose own tree is read as the same.
fn rule_tree(bytes: &[u8]) {
    let Ok(raw) = RawValue::from_string(String::from_utf8_lossy(bytes).into_owned()) else { return };
    match tree::read(&raw, "acme") {
        Ok(reading) => {
            let own = to_raw_value(&tree::Tree::of(&reading.parsed.expr)).expect("a tree is JSON");
            let again = tree::read(&own, "acme").map(|again| again.parsed.expr);
            assert_eq!(again.as_ref().ok(), Some(&reading.parsed.expr), "{}", reading.text);
        }
        Err(misfits) => assert!(!misfits.is_empty()),
    }
}

/// Definition files, with every finding drawn.
fn read_definitions(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let files = [(PathBuf::from("fuzz.yaml"), text)];
    let checked = definitions::check(&files, &Declarations::default(), &jiff::tz::TimeZone::UTC);
    for finding in checked.findings.iter().take(20) {
        finding.render(&files[0].1, false);
    }
}

/// The configuration.
fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = from_text(&text, Path::new("/nowhere/vaglio.yaml"), std::iter::empty()) {
        assert_eq!(error.exit_code(), 2);
        assert!(!error.to_string().is_empty());
    }
}

fn csv(bytes: &[u8]) {
    read_source("csv", bytes);
}

fn ndjson(bytes: &[u8]) {
    read_source("ndjson", bytes);
}

/// A file of events with every kind of column.
fn read_source(extension: &str, bytes: &[u8]) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join(format!("rows.{extension}"));
    std::fs::write(&path, bytes).expect("the temporary directory is writable");
    let loaded = source(directory.path(), extension);
    let mut rows = 0;
    let read = collect(&loaded, &hasher(), &Progress::new(Mode::Silent), &mut |batch| {
        rows += batch.rows.len() as u64;
        Ok(())
    });
    if let Ok(report) = read {
        assert_eq!(report.sources[0].accepted, rows);
    }
}

fn source(directory: &Path, extension: &str) -> Loaded {
    let text = format!(
        "as_of: 2026-11-01
build: {{ max_row_bytes: 4096, threads: 1 }}
sources:
  - name: rows
    kind: events
    path: rows.{extension}
    max_rejected_share: 1
    ids: [{{ column: id, type: crm }}, {{ column: email, type: email }}, {{ column: ifa, type: ifa }}]
    time: {{ column: time }}
    event: {{ column: event, names: [buy, view] }}
    event_id: n
    properties: [{{ column: amount, kind: number }}, {{ column: brand, kind: category }}, {{ column: new, kind: flag }}]
"
    );
    from_text(&text, &directory.join("vaglio.yaml"), std::iter::empty()).expect("the configuration is valid")
}

fn hasher() -> KeyHasher {
    KeyHasher::new([7; 16])
}

fn doors() -> &'static Arc<Doors> {
    static DOORS: OnceLock<Arc<Doors>> = OnceLock::new();
    DOORS.get_or_init(|| Doors::new(&Config { as_of: Some(Timestamp(0)), ..Config::default() }))
}

fn lookup(bytes: &[u8]) {
    answered(lookup_json::answer(doors(), bytes, &Call::local()).ok());
}

fn decide(bytes: &[u8]) {
    answered(decide_json::answer(doors(), bytes, &Call::local()).ok());
}

/// Lines of the events door: a record that can be read, or a reason.
fn events(bytes: &[u8]) {
    const WORDS: &str =
        "ingest: { ids: [{ type: crm }, { type: email }, { type: ifa }], traits: [{ trait: t, kind: tags }],
  events: [{ names: [e], properties: [{ name: p, kind: number }] }] }";
    static LOADED: OnceLock<Loaded> = OnceLock::new();
    let read = || from_text(WORDS, Path::new("/nowhere/vaglio.yaml"), std::iter::empty()).expect("it is sound");
    for line in vaglio::planner::events::checked(bytes, LOADED.get_or_init(read), &hasher(), Timestamp(2_000_000_000)) {
        match line {
            Ok(record) if record.is_empty() => {}
            Ok(record) => drop(vaglio::log::Record::decode(&record).expect("what was encoded is decoded")),
            Err(reason) => assert!(!reason.is_empty()),
        }
    }
}

/// What a page posts: what is answered held a bid request, for serde_json too where that can tell.
fn prebid_js(bytes: &[u8]) {
    let answer = page::answer(doors(), bytes, &Call::local()).ok();
    let value: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    assert!(answer.is_none() || value.is_none_or(|value| value["ortb2"].is_object()));
    answered(answer.and_then(|answer| answer.body).map(|body| body.whole().into()));
}

fn answered(answer: Option<Vec<u8>>) {
    if let Some(answer) = answer {
        serde_json::from_slice::<serde_json::Value>(&answer).expect("an answer is JSON");
    }
    no_panic_was_caught();
}

fn no_panic_was_caught() {
    let panics = doors().metrics.panics.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(panics, 0, "a panic was caught at the door");
}

/// A JSON bid request: serde_json says what is one, and that new entries of `user.data` come behind the old ones.
fn openrtb(bytes: &[u8]) {
    use serde_json::{Value, from_slice, json};
    let value: Option<Value> = from_slice(bytes).ok().filter(Value::is_object);
    let enrich = read(bytes, What::Enrich);
    // Longer ones may hold more than is read; and serde_json's limits (numbers, halves of surrogate pairs) are not JSON's.
    if bytes.len() < 2_000 {
        assert_eq!(enrich.is_ok(), read(bytes, What::Decide).is_ok(), "both walk over the whole body");
        assert!(enrich.is_ok() || value.is_none(), "serde_json accepts it");
    }
    let (Ok((_, place)), Some(mut expected)) = (enrich, value) else { return };
    let mut out = Vec::new();
    splice(bytes, &place, br#"{"id":"new"},{}"#, &mut out);
    if place.is_nowhere() {
        assert_eq!(bytes, out);
        return;
    }
    let user = &mut expected["user"];
    let data = user["data"].take();
    user["data"] =
        data.as_array().cloned().unwrap_or_default().into_iter().chain([json!({"id":"new"}), json!({})]).collect();
    assert_eq!(from_slice::<Value>(&out).expect("what was spliced is JSON"), expected);
}

/// A protobuf bid request is read as what it says, however its fields were put together.
fn openrtb_proto(bytes: &[u8]) {
    let Ok(request) = BidRequest::decode(bytes) else { return };
    let again = BidRequest::decode(&request.encode_to_vec()[..]).expect("what was decoded can be encoded");
    assert_eq!(view(&again), view(&request));
}

/// An ARTF request is refused, or answered with a message that has everything that older clients require.
fn propose(bytes: &[u8]) {
    let Ok(request) = RtbRequest::decode(bytes) else { return };
    if let Ok(answer) = artf::answer(doors(), &request, &Call::local()) {
        let answer = RtbResponse::decode(&answer.message.0[..]).expect("an answer is a message");
        assert_eq!(answer.id.as_deref(), Some(request.id()));
        assert!(answer.mutations.iter().all(|it| it.intent.is_some() && it.op.is_some() && it.path.is_some()));
    }
    no_panic_was_caught();
}

fn key(n: u64) -> ProfileKey {
    ProfileKey(u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

fn identities(bytes: &[u8]) {
    if let Ok(identities) = Identities::open(bytes) {
        (0..200).for_each(|n| seen(identities.find(key(n))));
        (0..64).for_each(|n| identities.prefetch(key(n)));
        identities.false_match_probability();
    }
}

fn filter(bytes: &[u8]) {
    if let Ok(filter) = Filter::open(bytes) {
        (0..200).for_each(|n| seen(filter.may_contain(key(n))));
    }
}

/// Ordinals that are there, at the edges of groups, and that are not.
fn ordinals() -> impl Iterator<Item = u32> {
    (0..300).chain([65_535, 65_536, 1 << 20, u32::MAX - 1, u32::MAX])
}

fn forward(bytes: &[u8]) {
    let Ok(forward) = Forward::open(bytes) else { return };
    let mut audiences = Vec::new();
    for ordinal in ordinals() {
        audiences.clear();
        forward.prefetch_group(ordinal);
        forward.prefetch_profile(ordinal);
        forward.read(ordinal, &mut audiences);
        assert!(audiences.iter().all(|audience| *audience < forward.audiences()), "audiences that are there");
    }
}

fn flips(bytes: &[u8]) {
    if let Ok(flips) = Flips::open(bytes) {
        ordinals().for_each(|ordinal| seen(flips.of(ordinal).count()));
    }
}

fn caps(bytes: &[u8]) {
    if let Ok(caps) = Caps::open(bytes) {
        ordinals().for_each(|ordinal| seen(caps.of(ordinal).count()));
    }
}

/// No text is taken for a token that was not made here.
fn token(bytes: &[u8]) {
    let tokens = Tokens::new(&hasher(), &vaglio::audiences::Catalogue::default());
    let text = String::from_utf8_lossy(bytes);
    assert!(tokens.read(&text, Timestamp(0), 3_600).is_err());
}

fn bitmaps(bytes: &[u8]) {
    aligned(bytes, |bytes| {
        if let Ok(bitmaps) = Bitmaps::open(bytes) {
            (0..bitmaps.len().min(64) as u32 + 1).for_each(|audience| seen(bitmaps.get(audience)));
        }
    });
}

/// Three sections from one input: the first two bytes say where they are cut.
fn columns(bytes: &[u8]) {
    let Some((cuts, bytes)) = bytes.split_at_checked(4) else { return };
    let cut = |at: usize| usize::from(u16::from_le_bytes([cuts[at], cuts[at + 1]]));
    let first = cut(0).min(bytes.len());
    let second = cut(2).clamp(first, bytes.len());
    aligned(&bytes[..first], |traits| {
        aligned(&bytes[first..second], |events| {
            aligned(&bytes[second..], |lists| {
                if let Ok(columns) = Columns::open(traits, events, lists) {
                    read_columns(&columns);
                }
            });
        });
    });
}

fn read_columns(columns: &Columns<'_>) {
    let there: Vec<u32> = ordinals().filter(|ordinal| *ordinal < columns.ordinals()).collect();
    let blocks = columns.blocks().min(4);
    for (_, column) in columns.traits() {
        there.iter().for_each(|ordinal| read_trait(column, *ordinal));
    }
    for (_, column) in columns.events() {
        (0..blocks).for_each(|block| read_events(column, block));
        there.iter().for_each(|ordinal| seen(column.rows_of(*ordinal)));
    }
    for (_, list) in columns.lists() {
        let list: &ListColumn<'_> = list;
        (0..blocks).for_each(|block| seen(list.members(block).0.len()));
        there.iter().for_each(|ordinal| seen(list.until(*ordinal)));
    }
}

fn read_trait(column: &TraitColumn<'_>, ordinal: u32) {
    let at = ordinal as usize;
    match column {
        TraitColumn::Flag { known, yes } => seen((known.get(at / 64), yes.get(at / 64))),
        TraitColumn::Category(codes, dictionary) => seen(dictionary.get(codes.get(at) as usize)),
        TraitColumn::Number(numbers) => seen(numbers.get(at)),
        TraitColumn::Date(days) => seen(days.get(at)),
        TraitColumn::Tags(tags) => seen(tags.of(ordinal)),
    }
}

fn read_events(column: &EventColumn<'_>, block: usize) {
    let rows = column.rows(block);
    for row in rows.clone().take(100).chain(rows.last()) {
        seen((column.times.get(row), column.lows.get(row)));
        for at in 0.. {
            match column.property(at) {
                Some(PropColumn::Flag(codes)) => seen(codes.get(row)),
                Some(PropColumn::Category(codes, dictionary)) => seen(dictionary.get(codes.get(row) as usize)),
                Some(PropColumn::Number(numbers)) => seen(numbers.get(row)),
                None => break,
            }
        }
    }
}

fn keys(bytes: &[u8]) {
    aligned(bytes, |bytes| {
        if let Ok(keys) = Keys::open(bytes) {
            let there = ordinals().filter(|ordinal| *ordinal < keys.profiles());
            there.for_each(|ordinal| seen((keys.of(ordinal).count(), keys.least(ordinal))));
        }
    });
}

/// The frames add up, and what is in them is a record or refused.
fn live_facts(bytes: &[u8]) {
    if let Ok(facts) = LiveFacts::open(bytes) {
        assert_eq!(facts.iter().count() as u64, facts.len());
        facts.iter().for_each(|(_, record)| seen(Record::decode(record).is_ok()));
    }
}

fn objections(bytes: &[u8]) {
    aligned(bytes, |bytes| {
        if let Ok(blocked) = Blocked::open(bytes) {
            (0..100).for_each(|n| seen(blocked.scope(key(n))));
            seen(blocked.iter().count());
        }
        if let Ok(consents) = Consents::open(bytes, bytes.len() as u32) {
            ordinals().for_each(|ordinal| seen(consents.of(ordinal)));
        }
    });
}

/// Consent strings: the same bytes as a TCF string, a GPP string and a US privacy string. The first bytes say what applies.
fn consent(bytes: &[u8]) {
    let Some((said, bytes)) = bytes.split_at_checked(4) else { return };
    let text = String::from_utf8_lossy(bytes);
    let sections = [i32::from(said[0] % 40) - 2, i32::from(said[1]), i32::from(said[2]) << 20];
    let flag = |bit: u8| match said[3] >> bit & 3 {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    let policy = Policy::new(&Privacy { tcf_vendor_id: Some(1 + u16::from(said[2])), ..Privacy::default() });
    for gpp_sid in [None, Some(&sections[..usize::from(said[3] >> 6)])] {
        for (tcf, gpp, us_privacy) in [(&*text, "", ""), ("", &*text, ""), ("", "", &*text), (&*text, &*text, &*text)] {
            let signals = Signals { gdpr: flag(0), tcf, gpp, gpp_sid, us_privacy, gpc: flag(2), ..Signals::default() };
            let permission = policy.permission(&signals, PrivacyDuty::Required);
            let denied = permission.first_denied(&Use::ALL).is_some();
            assert_eq!(denied, Use::ALL.iter().any(|&one| !permission.allows(one)));
        }
    }
}

/// A record of the events log: what is read has one encoding.
fn record(bytes: &[u8]) {
    if let Ok(record) = Record::decode(bytes) {
        let mut again = Vec::new();
        record.encode(&mut again).expect("what was read can be written");
        assert_eq!(again, bytes);
    }
}

/// A record of the control log: as above.
fn control(bytes: &[u8]) {
    if let Ok(control) = Control::decode(bytes) {
        let mut again = Vec::new();
        control.encode(&mut again).expect("what was read can be written");
        assert_eq!(again, bytes);
    }
}

/// A change of the catalogue: what is read is cut into records and comes back, and its texts are canonical after one writing.
fn change(bytes: &[u8]) {
    let Ok(change) = Change::read(&String::from_utf8_lossy(bytes)) else { return };
    let Ok(records) = change.records(Timestamp(0)) else { return };
    let mut parts = Parts::default();
    let back = records.iter().filter_map(|record| parts.take(record).expect("it was read before")).next();
    assert_eq!(back.as_ref().map(|(_, change)| change), Some(&change));
    for item in &change.items {
        let text = item.text.as_deref().unwrap_or("");
        if let Some(once) = canonical::item(item.kind, &item.id, text) {
            assert_eq!(canonical::item(item.kind, &item.id, &once), Some(once.clone()), "{text:?}");
        }
    }
    let mut versions = Versions::default();
    assert_eq!(versions.apply(Timestamp(0), change.clone()), change.number > 0);
    assert!(!versions.apply(Timestamp(0), change));
}

/// A log segment, looked at, and found in a directory: it is refused, or what is repaired is read.
fn segment(bytes: &[u8]) {
    let Ok(header) = Header::read(bytes) else { return };
    let mut pieces = Pieces::new(bytes, header.first);
    let mut payloads = Vec::new();
    while let Ok(Some(piece)) = pieces.advance() {
        match piece {
            Piece::Record(payload) => payloads.push(payload),
            Piece::Mark => {}
            Piece::End(footer) => assert_eq!(footer.records, payloads.len() as u64),
        }
    }
    seen(pieces.was_durable());
    let directory = tempfile::tempdir().expect("a temporary directory");
    for kind in ["log", "open"] {
        let path = directory.path().join(kind);
        std::fs::create_dir(&path).expect("the temporary directory is writable");
        std::fs::write(path.join(format!("{:020}.{kind}", header.first)), bytes).expect("as above");
        let settings = log::Settings { segment_bytes: 1 << 20, reserve_bytes: 0 };
        let Ok((log, recovery)) = Log::open(&path, settings) else { continue };
        let mut told = Vec::new();
        let read = log::read(&path, recovery.oldest, Which::All, &mut |_, payload| {
            told.push(payload.to_vec());
            Ok(())
        });
        assert!(payloads.iter().zip(&told).all(|(payload, told)| payload == told), "the records that are there");
        assert!(kind == "log" || read.is_ok_and(|end| end == log.end() && told.len() == payloads.len()));
    }
}

/// Reads that nobody uses would be optimised away.
fn seen<T>(value: T) {
    std::hint::black_box(value);
}

/// Sections lie at multiples of 64, as a mapping's do.
fn aligned(bytes: &[u8], read: impl FnOnce(&[u8])) {
    let mut buffer = vec![0; bytes.len() + 64];
    let start = buffer.as_ptr().align_offset(64).min(64);
    buffer[start..start + bytes.len()].copy_from_slice(bytes);
    read(&buffer[start..start + bytes.len()]);
}
