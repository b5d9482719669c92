//! Every shape, read by somebody else's reader.

use crate::scene::{Id, NO, Scene, ask, hex};
use roaring::RoaringBitmap;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use vaglio::build::exports::{Format, Report};
use vaglio::schema::{AudienceId, ProfileKey};
use vaglio::snapshot::keys::Keys;

/// The lines of a CSV file: header, then cells.
pub fn csv(file: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    (header, rows)
}

fn ids(rows: &[Vec<String>]) -> BTreeSet<Id> {
    let ids: BTreeSet<Id> = rows.iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    assert_eq!(ids.len(), rows.len(), "each once");
    ids
}

#[test]
fn plain_files_hold_what_a_naive_reading_finds() {
    let scene = Scene::new();
    let expected = scene.expected("gold", &NO);
    let report = scene.export("gold", &ask(Format::Csv)).unwrap();
    let (header, rows) = csv(&report.files[0].name);
    assert_eq!(header, ["type", "identifier"]);
    assert_eq!(ids(&rows), expected);
    assert_eq!((report.files.len(), report.files[0].entries), (1, rows.len() as u64));
    assert!(report.files[0].name.contains("/acme_gold-000001-") && report.files[0].name.ends_with("-full.csv"));
    counts(&report);

    let again = scene.export("gold", &ask(Format::Csv)).unwrap();
    assert_eq!(again.files[0].sha256, report.files[0].sha256, "the same sources give the same file");

    let report = scene.export("gold", &ask(Format::Ndjson)).unwrap();
    let text = fs::read_to_string(&report.files[0].name).unwrap();
    let lines = text.lines().map(|line| {
        let line: BTreeMap<String, String> = serde_json::from_str(line).unwrap();
        assert_eq!(line.keys().collect::<Vec<_>>(), ["identifier", "type"]);
        vec![line["type"].clone(), line["identifier"].clone()]
    });
    assert_eq!(ids(&lines.collect::<Vec<_>>()), expected);
}

/// 20 customers of plan gold and 10 visitors; three customers said no.
fn counts(report: &Report) {
    assert_eq!((report.members, report.withheld.objecting, report.withheld.refusing), (30, 2, 1));
    assert_eq!((report.profiles.exported, report.profiles.not_exportable), (27, 0));
    let by = |name: &str| report.identifiers[name];
    assert_eq!((by("crm").identifiers, by("crm").exported), (17, 17));
    assert_eq!((by("email").identifiers, by("email").exported), (27, 27));
    assert_eq!((by("ifa").exported, by("ifa").not_exportable), (17, 1), "the door's device");
    assert_eq!((by("pubcid.org").exported, by("pubcid.org").not_exportable), (10, 2), "of a source that may not");
    assert_eq!(report.sources_left_out, ["counted"]);
    assert!(report.notes.iter().any(|note| note.starts_with("3 identifiers are in no source")), "{:?}", report.notes);
}

#[cfg(feature = "lake")]
#[test]
fn parquet_holds_the_same() {
    use arrow_array::cast::AsArray;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let scene = Scene::new();
    let report = scene.export("gold", &ask(Format::Parquet)).unwrap();
    let file = fs::File::open(&report.files[0].name).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut rows = Vec::new();
    for batch in reader.map(Result::unwrap) {
        let column = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        let (types, texts) = (column("type"), column("identifier"));
        rows.extend((0..batch.num_rows()).map(|at| vec![types.value(at).to_owned(), texts.value(at).to_owned()]));
    }
    assert_eq!(ids(&rows), scene.expected("gold", &NO));
}

/// What each column is to hold: SHA-256 of an address, of a number, devices.
fn column(rows: &[Vec<String>], at: usize) -> BTreeSet<String> {
    rows.iter().map(|row| row[at].clone()).filter(|cell| !cell.is_empty()).collect()
}

fn of(expected: &BTreeSet<Id>, id_type: &str, shape: impl Fn(&str) -> String) -> BTreeSet<String> {
    expected.iter().filter(|(known, _)| known == id_type).map(|(_, text)| shape(text)).collect()
}

/// What was hashed already is the same bytes, written otherwise.
fn address(text: &str) -> String {
    use base64::Engine;
    if text.contains('@') {
        return hex(text);
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn partners_get_the_hashes_they_look_for() {
    let scene = Scene::new();
    let expected = scene.expected("gold", &NO);
    let report = scene.export("gold", &ask(Format::Meta)).unwrap();
    let (header, rows) = csv(&report.files[0].name);
    assert_eq!(header, ["email", "phone", "madid"]);
    assert_eq!(column(&rows, 0), of(&expected, "email", address));
    assert_eq!(column(&rows, 1), of(&expected, "phone", |number| hex(&number[1..])));
    assert_eq!(column(&rows, 2), of(&expected, "ifa", str::to_owned));
    assert_eq!(report.identifiers["crm"].not_in_format, 17);
    assert!(report.files[0].name.ends_with("-full-meta.csv"));

    let report = scene.export("gold", &ask(Format::Google)).unwrap();
    assert_eq!(report.files.len(), 2, "devices are a list of their own");
    let (header, rows) = csv(&report.files[0].name);
    assert_eq!(header, ["Email", "Phone"]);
    assert_eq!(column(&rows, 0), of(&expected, "email", address));
    assert_eq!(column(&rows, 1), of(&expected, "phone", hex));
    let (header, rows) = csv(&report.files[1].name);
    assert_eq!((header, column(&rows, 0)), (vec!["Mobile Device ID".to_owned()], of(&expected, "ifa", str::to_owned)));

    let mut only = ask(Format::Tiktok);
    only.ids = vec!["email".to_owned(), "ifa".to_owned()];
    let report = scene.export("gold", &only).unwrap();
    let (header, rows) = csv(&report.files[0].name);
    assert_eq!(header, ["Email_SHA256", "Phone_SHA256", "MAID_SHA256"]);
    assert_eq!(column(&rows, 0), of(&expected, "email", address));
    assert_eq!((column(&rows, 1).len(), column(&rows, 2)), (0, of(&expected, "ifa", hex)));
    assert_eq!(report.identifiers.keys().collect::<Vec<_>>(), ["email", "ifa"]);
}

#[test]
fn a_bitmap_comes_with_what_its_ordinals_stand_for() {
    let scene = Scene::new();
    let report = scene.export("gold", &ask(Format::Roaring)).unwrap();
    let bitmap = RoaringBitmap::deserialize_from(fs::File::open(&report.files[0].name).unwrap()).unwrap();
    let view = scene.view();
    let members = view.members(view.catalogue().number(&AudienceId::new("acme", "gold")).unwrap()).unwrap();
    assert!(bitmap.is_subset(&members) && bitmap.len() == 27 && members.len() == 30);
    let (header, rows) = csv(&report.files[1].name);
    assert_eq!(header, ["ordinal", "type", "profile_key"]);
    let snapshot = view.serving().snapshot();
    let keys = Keys::open(snapshot.section("keys").unwrap()).unwrap();
    let mut said: BTreeMap<u32, BTreeSet<ProfileKey>> = BTreeMap::new();
    for row in &rows {
        let key = ProfileKey(u128::from_str_radix(&row[2], 16).unwrap());
        said.entry(row[0].parse().unwrap()).or_default().insert(key);
    }
    assert_eq!(said.keys().copied().collect::<RoaringBitmap>(), bitmap);
    for (ordinal, said) in said {
        assert_eq!(said, keys.of(ordinal).map(|(key, _)| key).collect());
    }
    let text = fs::read(&report.files[2].name).unwrap();
    let told: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!((told["members"].as_u64(), told["generation"].as_u64()), (Some(27), Some(1)));
    assert_eq!(told["bitmap"]["sha256"].as_str(), Some(report.files[0].sha256.as_str()));
}
