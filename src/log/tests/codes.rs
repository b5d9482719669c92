//! Records as bytes: what is written is read back, and nothing else is.

use super::*;
use crate::log::{control, record};
use crate::schema::ProfileKey;
use proptest::prelude::*;
use smallvec::SmallVec;
use std::borrow::Cow;

type Text = Cow<'static, str>;

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![Just(String::new()), "[a-z_]{1,12}", "\\PC{0,20}"].prop_map(Cow::Owned)
}

fn instant() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 1_700_000_000..1_900_000_000_i64, 1 => any::<i64>()]
}

fn value() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        any::<bool>().prop_map(Value::Flag),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::Number),
        any::<i32>().prop_map(Value::Date),
        text().prop_map(Value::Text),
        prop::collection::vec(text(), 1..5).prop_map(Value::Tags),
    ]
}

fn said() -> impl Strategy<Value = Said<'static>> {
    let stay = prop_oneof![any::<u32>().prop_map(Stay::Minutes), Just(Stay::ByDefault), Just(Stay::Ends)];
    prop_oneof![
        (text(), prop::collection::vec((text(), value()), 0..6))
            .prop_map(|(name, properties)| Said::Event { name, properties }),
        prop::collection::vec((text(), prop::option::of(value())), 0..6).prop_map(Said::Traits),
        (text(), stay).prop_map(|(list, stay)| Said::Membership { list, stay }),
        Just(Said::Link),
        any::<bool>().prop_map(Said::Consent),
    ]
}

pub(super) fn records() -> impl Strategy<Value = Record<'static>> {
    let identifier = (any::<u128>(), text()).prop_map(|(key, id_type)| Identifier { key: ProfileKey(key), id_type });
    let keys = prop::collection::vec(identifier, 1..4).prop_map(SmallVec::from_vec);
    (any::<u128>(), instant(), instant(), keys, said()).prop_map(|(id, time, received, keys, said)| Record {
        id,
        time,
        received,
        keys,
        said,
    })
}

pub(super) fn controls() -> impl Strategy<Value = Control> {
    let keys = || prop::collection::vec((0..6_u128).prop_map(BlockKey), 1..3);
    let scope = prop_oneof![Just(Scope::Marketing), Just(Scope::Profiling), Just(Scope::All)];
    let time = || 1_700_000_000..1_800_000_000_i64;
    prop_oneof![
        (keys(), scope, time(), prop::option::of(time())).prop_map(|(keys, scope, time, until)| Control::Objection {
            keys,
            scope,
            time,
            until
        }),
        (keys(), time(), prop::option::of(time())).prop_map(|(keys, time, until)| Control::Deletion {
            keys,
            time,
            until
        }),
        "\\PC{0,40}".prop_map(Control::Credentials),
        (time(), 0..3_u32, 1..4_u32, "\\PC{0,40}").prop_map(|(time, part, more, text)| Control::Definitions {
            time,
            part,
            parts: part + more,
            text
        }),
        (time(), "[a-z]{1,8}", "[a-z]{1,8}", any::<u128>()).prop_map(|(time, who, what, subject)| Control::Audit {
            time,
            who,
            what,
            subject: BlockKey(subject)
        }),
        entries().prop_map(|entry| Control::Audited(Box::new(entry))),
        (0..5_u64, link()).prop_map(|(number, link)| Control::Anchor { number, link }),
    ]
}

fn link() -> impl Strategy<Value = Link> {
    any::<u8>().prop_map(|byte| Link([byte; 32]))
}

/// Of any place in a chain: it need not fit.
pub(super) fn entries() -> impl Strategy<Value = AuditEntry> {
    let text = || "[a-z ]{0,8}";
    let told = (1_700_000_000..1_800_000_000_i64, text(), prop::option::of(text()), text(), text());
    let values = (prop::option::of(any::<u128>()), prop::option::of(text()), prop::option::of(text()));
    (1..5_u64, told, values, link()).prop_map(|(number, told, values, link)| {
        let ((time, who, owner, what, object), (subject, before, after)) = (told, values);
        let subject = subject.map(BlockKey);
        AuditEntry { number, time, who, owner, what, object, subject, before, after, link }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_record_is_read_back_and_no_part_of_it(record in records()) {
        let mut bytes = vec![7];
        record.encode(&mut bytes).unwrap();
        let bytes = &bytes[1..];
        let read = Record::decode(bytes).unwrap();
        prop_assert_eq!(format!("{:?}", read), format!("{:?}", record));
        prop_assert!((0..bytes.len()).all(|length| Record::decode(&bytes[..length]).is_err()), "a part");
        prop_assert!(Record::decode(&[bytes, &[0]].concat()).is_err(), "something left over");
    }

    #[test]
    fn a_control_record_is_read_back_and_no_part_of_it(control in controls()) {
        let mut bytes = Vec::new();
        control.encode(&mut bytes).unwrap();
        prop_assert_eq!(Control::decode(&bytes).unwrap(), control);
        prop_assert!((0..bytes.len()).all(|length| Control::decode(&bytes[..length]).is_err()), "a part");
        bytes.push(0);
        prop_assert!(Control::decode(&bytes).is_err(), "something left over");
    }

    #[test]
    fn whatever_is_read_has_one_encoding(mut bytes in prop::collection::vec(any::<u8>(), 0..80), kind in 1..8_u8) {
        if let Some(first) = bytes.first_mut() {
            *first = kind;
        }
        let mut again = Vec::new();
        if let Ok(record) = Record::decode(&bytes) {
            record.encode(&mut again).unwrap();
            prop_assert_eq!(&again, &bytes);
        }
        again.clear();
        if let Ok(control) = Control::decode(&bytes) {
            control.encode(&mut again).unwrap();
            prop_assert_eq!(&again, &bytes);
        }
    }
}

fn event(keys: usize, properties: Vec<(Text, Value<'static>)>) -> Record<'static> {
    let identifier = |n| Identifier { key: ProfileKey(n as u128), id_type: "crm".into() };
    let said = Said::Event { name: "buy".into(), properties };
    Record { id: 1, time: 2, received: 3, keys: (0..keys).map(identifier).collect(), said }
}

#[test]
fn what_is_out_of_bounds_is_not_written() {
    let entry = |value| vec![(Cow::from("x"), value)];
    let of = |length| Value::Text("x".repeat(length).into());
    let many = |number: usize, length| (0..number).map(|_| (Cow::from("x"), of(length))).collect();
    for (what, record) in [
        ("no keys", event(0, Vec::new())),
        ("too many keys", event(record::bytes::MOST_KEYS + 1, Vec::new())),
        ("too many properties", event(1, many(257, 1))),
        ("too long a text", event(1, entry(of(4097)))),
        ("too much in all", event(1, many(20, 4000))),
        ("not a number", event(1, entry(Value::Number(f64::NAN)))),
        ("no tags", event(1, entry(Value::Tags(Vec::new())))),
    ] {
        let mut bytes = vec![1, 2];
        assert!(record.encode(&mut bytes).is_err(), "{what}");
        assert_eq!(bytes, [1, 2], "{what}");
    }
    let mut bytes = Vec::new();
    event(record::bytes::MOST_KEYS, many(256, 100)).encode(&mut bytes).unwrap();
    Record::decode(&bytes).unwrap();
    for (what, control) in [
        ("no keys", Control::Deletion { keys: Vec::new(), time: 0, until: None }),
        ("too long", Control::Credentials("x".repeat(control::bytes::LONGEST_CREDENTIALS + 1))),
        (
            "too many keys",
            Control::Deletion { keys: vec![BlockKey(1); control::bytes::MOST_KEYS + 1], time: 0, until: None },
        ),
    ] {
        assert!(control.encode(&mut bytes).is_err(), "{what}");
    }
}

/// The bytes of `docs/format.md`: what is written today must be read tomorrow.
#[test]
fn the_bytes_are_those_of_the_format() {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut bytes = Vec::new();
    event(1, vec![("n".into(), Value::Number(1.5)), ("new".into(), Value::Flag(true))]).encode(&mut bytes).unwrap();
    let expected = ["01", "01000000000000000000000000000000", "06", "01", "01", "00000000000000000000000000000000"];
    let properties = "03627579".to_owned() + "02" + "016e03000000000000f83f" + "036e657702";
    assert_eq!(hex(&bytes), expected.concat() + "0363726d" + &properties);
    bytes.clear();
    let until = Some(-1);
    Control::Objection { keys: vec![BlockKey(2)], scope: Scope::Profiling, time: 64, until }
        .encode(&mut bytes)
        .unwrap();
    assert_eq!(hex(&bytes), "01010200000000000000000000000000000002".to_owned() + "8001" + "0101");
}
