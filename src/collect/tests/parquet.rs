//! Parquet files: every type that is read, structs, lists, and what is refused.

use super::*;
use ::parquet::arrow::ArrowWriter;
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float64Array, Int64Array, ListArray, RecordBatch,
    StringArray, StructArray, TimestampMicrosecondArray, TimestampMillisecondArray, UInt64Array,
};
use arrow_schema::{DataType, Field};
use std::sync::Arc;

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn events_come_the_same_as_from_text() {
    let at = TimestampMillisecondArray::from(vec![1_793_527_200_000, 1_793_527_200_999, 1_793_577_600_500])
        .with_timezone("UTC");
    let what: DictionaryArray<Int32Type> = ["purchase", "view", "buy"].into_iter().collect();
    let bytes = parquet(vec![
        ("unused", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("id", Arc::new(StringArray::from(vec![Some("e1"), Some("e2"), None]))),
        ("user", Arc::new(StringArray::from(vec!["u1", "u1", "u2"]))),
        ("at", Arc::new(at)),
        ("what", Arc::new(what)),
        ("amount", Arc::new(Float64Array::from(vec![Some(9.5), Some(7.0), None]))),
        ("page", Arc::new(StringArray::from(vec![Some("shop"), Some("home"), Some("")]))),
    ]);
    let (rows, report) = World::new(EVENTS).file("web.parquet", bytes).collect().unwrap();
    assert_eq!(rows, event_rows());
    assert_eq!(report.sources[0].rows, 3);
}

const PROFILES: &str = "
  - name: lake
    kind: profiles
    path: lake*.parquet
    ids: [{ column: ids.crm, type: crm }]
    time: { column: changed }
    traits:
      - { column: likes, kind: tags }
      - { column: vip, kind: flag }
      - { column: born, kind: date }
      - { column: seen, kind: date }
      - { column: visits, kind: number }
";

fn profiles(vip: ArrayRef) -> Vec<u8> {
    let crm: ArrayRef = Arc::new(UInt64Array::from(vec![Some(u64::MAX), Some(2), Some(3)]));
    let ids = StructArray::try_new(
        vec![Field::new("crm", DataType::UInt64, true)].into(),
        vec![crm],
        Some(vec![true, true, false].into()),
    )
    .unwrap();
    let mut likes = arrow_array::builder::ListBuilder::new(arrow_array::builder::StringBuilder::new());
    likes.append_value([Some("a"), Some("b"), None, Some("a")]);
    likes.append_null();
    likes.append_value([Some("c")]);
    let likes: ListArray = likes.finish();
    // 2026-11-01T22:30:00Z is still the first in London and already the second nowhere near Rome: 23:30 there.
    let seen = TimestampMicrosecondArray::from(vec![1_793_572_200_000_000; 3]).with_timezone("UTC");
    parquet(vec![
        ("ids", Arc::new(ids)),
        // A wall-clock time: noon in Rome.
        ("changed", Arc::new(TimestampMicrosecondArray::from(vec![1_793_534_400_000_000; 3]))),
        ("likes", Arc::new(likes)),
        ("vip", vip),
        ("born", Arc::new(Date32Array::from(vec![Some(11_016), None, Some(0)]))),
        ("seen", Arc::new(seen)),
        ("visits", Arc::new(Int64Array::from(vec![Some(7), None, Some(1)]))),
    ])
}

#[test]
fn every_type_has_its_meaning() {
    let world = World::new(PROFILES)
        .with("build: { max_rejected_share: 1.0 }")
        .file("lake.parquet", profiles(Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))));
    let (rows, report) = world.collect().unwrap();
    let mut expected = vec![
        format!(
            "({}) @1793530800 profile likes=a likes=b vip=true born=day11016 seen=day20758 visits=7",
            key("crm", "18446744073709551615")
        ),
        format!("({}) @1793530800 profile vip=false seen=day20758", key("crm", "2")),
    ];
    expected.sort();
    assert_eq!(rows, expected);
    let rejected = &report.sources[0].rejected_rows[0];
    assert_eq!(
        (rejected.reason.as_str(), rejected.examples[0].line),
        ("no identifier", 3),
        "a null struct has no fields"
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    let binary: ArrayRef = Arc::new(arrow_array::BinaryArray::from_vec(vec![b"a", b"b", b"c"]));
    let error = World::new(PROFILES).file("lake.parquet", profiles(binary)).error();
    assert!(
        error.contains("column `vip` of lake.parquet is of type Binary, which cannot be read; expected text"),
        "{error}"
    );
    let whole = profiles(Arc::new(BooleanArray::from(vec![true; 3])));
    for wrong in [&whole[..whole.len() - 9], &whole[..0], b"not parquet at all"] {
        let error = World::new(PROFILES).file("lake.parquet", wrong).error();
        assert!(error.contains("source `lake`: lake.parquet cannot be read as Parquet"), "{error}");
        assert!(error.contains("copy it again; nothing was published"), "{error}");
    }
    let other = parquet(vec![("likes", Arc::new(StringArray::from(vec!["a"])) as ArrayRef)]);
    let error = World::new(PROFILES).file("lake.parquet", other).error();
    assert!(error.contains("lake.parquet: no column `ids.crm`; there are `likes`"), "{error}");
}
