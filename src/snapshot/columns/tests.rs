//! What is written reads back; damaged bytes are refused or read within bounds.

use super::data::{EventData, ListData, PropData, TraitData};
use super::*;
use proptest::prelude::*;

fn world() -> ColumnData {
    let ordinals = 65_540u32;
    let sparse = |at: u32| at.is_multiple_of(9_973) || at > 65_530;
    let names = || vec!["Lazio".to_owned(), "Lombardia".to_owned(), "Sicilia".to_owned()];
    let codes: Vec<u32> = (0..ordinals).map(|at| if sparse(at) { at % 4 } else { 0 }).collect();
    let starts = std::iter::once(0).chain((0..ordinals).scan(0, |end, at| {
        *end += u32::from(sparse(at)) * 2;
        Some(*end)
    }));
    let starts: Vec<u32> = starts.collect();
    let tags = (0..starts[ordinals as usize] / 2).flat_map(|_| [0, 2]).collect();
    let rows: Vec<u32> = (0..ordinals).filter(|at| sparse(*at)).flat_map(|at| [at, at]).collect();
    let number = |values: fn(u32) -> f64| (0..ordinals).map(values).collect::<Vec<f64>>();
    ColumnData {
        ordinals,
        seeds: (0..ordinals).collect(),
        traits: vec![
            (
                "birthday".into(),
                TraitData::Date((0..ordinals).map(|at| if sparse(at) { at as i32 } else { i32::MIN }).collect()),
            ),
            ("flag".into(), TraitData::Flag((0..ordinals).map(|at| (at % 3) as u8).collect())),
            (
                "price".into(),
                TraitData::Number(number(|at| if at % 2 == 0 { f64::NAN } else { f64::from(at % 60_000) / 100.0 })),
            ),
            ("ratio".into(), TraitData::Number(number(|at| 1.0 / f64::from(at + 1)))),
            ("region".into(), TraitData::Category { codes: codes.clone(), dictionary: names() }),
            ("tags".into(), TraitData::Tags { starts, codes: tags, dictionary: names() }),
        ],
        events: vec![(
            "purchase".into(),
            EventData {
                times: (0..rows.len() as u32).collect(),
                properties: vec![
                    ("online".into(), PropData::Flag(rows.iter().map(|at| (at % 3) as u8).collect())),
                    (
                        "shop".into(),
                        PropData::Category { codes: rows.iter().map(|at| at % 4).collect(), dictionary: names() },
                    ),
                    ("value".into(), PropData::Number(rows.iter().map(|at| f64::from(*at) * 1.5).collect())),
                ],
                ordinals: rows,
            },
        )],
        lists: vec![("acme/vip".into(), ListData { ordinals: vec![3, 65_535, 65_536], until: vec![7, u32::MAX, 9] })],
    }
}

#[test]
fn what_is_written_reads_back() {
    let data = world();
    let sections = Sections::encode(&data).unwrap();
    let columns = sections.open().unwrap();
    assert_eq!((columns.ordinals(), columns.blocks(), columns.block_len(1)), (65_540, 2, 4));
    for ((name, expected), (found, column)) in data.traits.iter().zip(columns.traits()) {
        assert_eq!(name, found);
        for at in 0..data.ordinals as usize {
            match (expected, column) {
                (TraitData::Flag(values), TraitColumn::Flag { known, yes }) => {
                    let bit = |words: &[u64]| words[at / 64] >> (at % 64) & 1 == 1;
                    assert_eq!((values[at] != 0, values[at] == 2), (bit(known), bit(yes)));
                }
                (TraitData::Category { codes, .. }, TraitColumn::Category(read, _)) => {
                    assert_eq!(codes[at], read.get(at))
                }
                (TraitData::Number(values), TraitColumn::Number(read)) => {
                    assert_eq!(Some(values[at]).filter(|value| !value.is_nan()), read.get(at));
                }
                (TraitData::Date(days), TraitColumn::Date(read)) => {
                    assert_eq!(Some(days[at]).filter(|day| *day != i32::MIN), read.get(at));
                }
                (TraitData::Tags { starts, codes, .. }, TraitColumn::Tags(read)) => {
                    assert_eq!(codes[starts[at] as usize..starts[at + 1] as usize], read.of(at as u32));
                }
                _ => panic!("{name} changed its kind"),
            }
        }
    }
    let (_, purchases) = &data.events[0];
    let column = &columns.events()[0].1;
    assert_eq!(column.times, purchases.times);
    for ordinal in [0, 9_973, 65_531, 65_539, 1] {
        let rows: Vec<usize> =
            (0..purchases.ordinals.len()).filter(|row| purchases.ordinals[*row] == ordinal).collect();
        assert_eq!(column.rows_of(ordinal).collect::<Vec<_>>(), rows);
    }
    let list = &columns.lists()[0].1;
    assert_eq!([3, 65_535, 65_536, 4].map(|at| list.until(at)), [Some(7), Some(u32::MAX), Some(9), None]);
}

#[test]
fn numbers_are_stored_as_small_integers_where_exact() {
    let data = world();
    let sections = Sections::encode(&data).unwrap();
    let columns = sections.open().unwrap();
    let number = |name: &str| match &columns.traits()[columns.find_trait(name).unwrap()].1 {
        TraitColumn::Number(numbers) => *numbers,
        _ => panic!("{name} is no number"),
    };
    assert!(matches!(number("price"), Numbers::Frame(Codes::U16(_), _)));
    assert!(matches!(number("ratio"), Numbers::Raw(_)));
}

#[test]
fn data_that_breaks_its_promises_is_refused() {
    let mut writer = TraitsWriter::new(Vec::new(), 2, &[1, 2]).unwrap();
    assert!(writer.add("short", &TraitData::Flag(vec![1])).is_err());
    assert!(writer.add("code", &TraitData::Category { codes: vec![0, 1], dictionary: vec![] }).is_err());
    let mut writer = EventsWriter::new(Vec::new(), 2).unwrap();
    let unsorted = EventData { ordinals: vec![1, 0], times: vec![1, 1], properties: vec![] };
    assert!(writer.add("unsorted", &unsorted).is_err());
    let beyond = EventData { ordinals: vec![2], times: vec![1], properties: vec![] };
    assert!(writer.add("beyond", &beyond).is_err());
}

#[test]
fn sections_of_different_snapshots_are_refused() {
    let mut data = world();
    let one = Sections::encode(&data).unwrap();
    data.ordinals = 65_541;
    let other = EventsWriter::new(Vec::new(), 65_541).unwrap().finish().unwrap();
    assert!(Columns::open(&one.traits, &other, &one.memberships).is_err());
    assert!(Columns::open(&[], &one.events, &one.memberships).is_err());
    assert!(Columns::open(&one.events, &one.traits, &one.memberships).is_err());
}

/// Touches every value a reader can reach.
fn read_everything(columns: &Columns) {
    for ordinal in (0..columns.ordinals()).step_by(4_099).chain([u32::MAX]) {
        for (_, column) in columns.traits() {
            match column {
                TraitColumn::Flag { .. } => {}
                TraitColumn::Category(codes, dictionary) => {
                    let _ = dictionary.get(codes.get(ordinal as usize) as usize);
                }
                TraitColumn::Number(numbers) => drop(numbers.get(ordinal as usize)),
                TraitColumn::Date(days) => drop((days.get(ordinal as usize), days.code_range(-5, 70_000))),
                TraitColumn::Tags(tags) => drop(tags.of(ordinal)),
            }
        }
        for (_, column) in columns.events() {
            let _ = column.rows_of(ordinal).map(|row| column.times[row]).max();
        }
        for (_, column) in columns.lists() {
            let _ = column.until(ordinal);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damaged_bytes_never_panic(seed in any::<u64>(), cut in 0usize..200_000, flips in 1usize..8) {
        let whole = damaged_world();
        for part in 0..3 {
            let mut sections = whole.clone();
            let bytes = [&mut sections.traits, &mut sections.events, &mut sections.memberships].into_iter().nth(part).unwrap();
            let mut state = seed;
            for _ in 0..flips {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Mostly the directory and trailer at the end, where damage is worst.
                let span = if state & 1 == 0 { bytes.len() } else { bytes.len().min(3_000) };
                let at = bytes.len() - 1 - (state >> 8) as usize % span;
                bytes[at] ^= 1 << (state >> 3 & 7);
            }
            if let Ok(columns) = sections.open() {
                read_everything(&columns);
            }
            let bytes = [&mut sections.traits, &mut sections.events, &mut sections.memberships].into_iter().nth(part).unwrap();
            let mut shorter = bytes[..bytes.len().saturating_sub(cut + 1)].to_vec();
            std::mem::swap(bytes, &mut shorter);
            prop_assert!(sections.open().is_err());
        }
    }
}

fn damaged_world() -> Sections {
    static WORLD: std::sync::OnceLock<Sections> = std::sync::OnceLock::new();
    WORLD.get_or_init(|| Sections::encode(&world()).unwrap()).clone()
}
