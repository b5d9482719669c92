//! The fold from batches to opened sections.

use super::deletions::Deletions;
use super::facts::{self, FactInputs};
use super::fold::Fold;
use super::index::{IndexInputs, OfDoors};
use super::provenance::Provenance;
use crate::collect::batch::RowKey;
use crate::collect::{Batch, Cell, ConsentKind, Row, RowKind};
use crate::config::{LinkLevel, Loaded};
use crate::log::Blocklist;
use crate::schema::{KeyHasher, Offset, ProfileKey, Timestamp};
use crate::snapshot::blocked::Blocked;
use crate::snapshot::columns::{Columns, TraitColumn};
use crate::snapshot::consents::Consents;
use crate::snapshot::identities::{BLOCKED_MARKETING, Identities};
use crate::snapshot::keys::Keys;
use crate::snapshot::{LiveFacts, Plane, Store};
use crate::telemetry::progress::{Mode, Progress};
use std::collections::BTreeMap;

const CONFIG: &str = "
data_dir: data
sources:
  - name: crm
    kind: profiles
    path: crm.csv
    priority: 10
    ids: [{ column: crm, type: crm }, { column: ifa, type: ifa }]
    traits: [{ column: plan, kind: category }]
  - name: web
    kind: events
    path: web.csv
    ids: [{ column: ifa, type: ifa }]
    time: { column: time }
    event: { names: [purchase] }
    properties: [{ column: amount, kind: number }]
  - name: lists
    kind: memberships
    path: lists.csv
    ids: [{ column: ifa, type: ifa }]
    membership: { audience_column: audience }
  - name: consents
    kind: consents
    path: consents.csv
    ids: [{ column: ifa, type: ifa }]
    consent: { column: what }
";

fn loaded(directory: &std::path::Path) -> Loaded {
    crate::config::load::from_text(CONFIG, &directory.join("vaglio.yaml"), std::iter::empty()).unwrap()
}

fn id_type(loaded: &Loaded, name: &str) -> u16 {
    loaded.id_types.iter().position(|id_type| id_type.name == name).unwrap() as u16
}

/// A batch of one source under construction.
struct Rows<'a> {
    batch: Batch,
    loaded: &'a Loaded,
    hasher: &'a KeyHasher,
}

impl<'a> Rows<'a> {
    fn of(source: u16, loaded: &'a Loaded, hasher: &'a KeyHasher) -> Self {
        Rows { batch: Batch { source, ..Batch::default() }, loaded, hasher }
    }

    fn row(&mut self, kind: RowKind, time: i64, ids: &[(&str, &str)], cells: &[(u16, Cell)]) {
        let (keys_start, cells_start) = (self.batch.keys.len() as u32, self.batch.cells.len() as u32);
        for (source, uid) in ids {
            let id_type = id_type(self.loaded, source);
            self.batch.keys.push(RowKey { key: self.hasher.key(source, uid), id_type });
        }
        self.batch.cells.extend_from_slice(cells);
        let (keys_end, cells_end) = (self.batch.keys.len() as u32, self.batch.cells.len() as u32);
        self.batch.rows.push(Row { kind, time, keys_start, keys_end, cells_start, cells_end });
    }

    fn text(&mut self, text: &str) -> Cell {
        let start = self.batch.text.len() as u32;
        self.batch.text.push_str(text);
        Cell::Text { start, len: text.len() as u32 }
    }
}

#[test]
fn batches_become_sections_that_answer() {
    let directory = tempfile::tempdir().unwrap();
    let loaded = loaded(directory.path());
    let hasher = KeyHasher::new([7; 16]);
    let mut crm = Rows::of(0, &loaded, &hasher);
    let (gold, basic) = (crm.text("gold"), crm.text("basic"));
    crm.row(RowKind::Profile, 5, &[("crm", "1"), ("ifa", "a")], &[(0, gold)]);
    crm.row(RowKind::Profile, 5, &[("crm", "2")], &[(0, basic)]);
    crm.row(RowKind::Link { level: LinkLevel::Person }, 5, &[("crm", "2"), ("ifa", "b")], &[]);
    crm.row(RowKind::Link { level: LinkLevel::Household }, 5, &[("crm", "2"), ("crm", "1")], &[]);
    let mut web = Rows::of(1, &loaded, &hasher);
    let number = loaded.declarations.find_event("purchase").unwrap().0;
    let purchase = RowKind::Event { event: number as u16, id: Some(9) };
    web.row(purchase, 60, &[("ifa", "a")], &[(0, Cell::Number(12.5))]);
    web.row(purchase, 60, &[("ifa", "a")], &[(0, Cell::Number(12.5))]);
    let mut lists = Rows::of(2, &loaded, &hasher);
    lists.batch.lists = vec!["acme/vip".to_owned(), "acme/unknown".to_owned()];
    let vip = |list| RowKind::Membership { list, remove: false, ttl_minutes: None };
    lists.row(vip(0), 30, &[("ifa", "b")], &[]);
    lists.row(vip(1), 30, &[("ifa", "b")], &[]);
    let mut consents = Rows::of(3, &loaded, &hasher);
    consents.row(RowKind::Consent { what: ConsentKind::ObjectMarketing }, 1, &[("ifa", "stranger")], &[]);
    consents.row(RowKind::Consent { what: ConsentKind::Refusal }, 1, &[("ifa", "a")], &[]);

    let mut fold = Fold::new(&loaded);
    for rows in [crm, web, lists, consents] {
        fold.add(&rows.batch).unwrap();
    }
    let blocklist = Blocklist::new(Timestamp(100));
    let store = Store::open(&loaded.config.data_dir).unwrap();
    let _lock = store.lock("test").unwrap();
    let inputs = IndexInputs {
        loaded: &loaded,
        hasher: &hasher,
        lists: &BTreeMap::from([("acme/vip".to_owned(), None)]),
        now: Timestamp(100),
        facts: FactInputs { before: LiveFacts::default(), log: None, from: Offset(0) },
        blocklist: &blocklist,
        store: &store,
        progress: &Progress::new(Mode::Silent),
    };
    let deletions = Deletions::new(&blocklist, &hasher, inputs.now);
    let live = facts::fold(&inputs, &inputs.facts, &deletions, &mut fold).unwrap();
    let indexed = fold.write(&inputs, &serde_json::json!([]), OfDoors { deleted_rows: 0, live }).unwrap();
    assert_eq!((indexed.profiles, indexed.bid_ids), (2, 3), "two with a profile, one that objects");
    assert_eq!(indexed.provenance.unknown_lists, BTreeMap::from([("acme/unknown".to_owned(), 1)]));
    assert_eq!(indexed.provenance.repeated_events, BTreeMap::from([("purchase".to_owned(), 1)]));
    assert_eq!(indexed.provenance.identity.household_links, 1);

    let sections = store.open_sections(&indexed.sections).unwrap();
    let open = |name: &str| sections.section(name).unwrap();
    let identities = Identities::open(open("identities")).unwrap();
    let ordinal = |source, uid| identities.find(hasher.key(source, uid));
    let (a, b) = (ordinal("ifa", "a").unwrap(), ordinal("ifa", "b").unwrap());
    assert_ne!(a, b);
    assert_eq!(ordinal("crm", "1"), None, "it does not occur at bid time");
    assert_eq!(ordinal("ifa", "stranger"), Some(BLOCKED_MARKETING));
    let keys = Keys::open(open("keys")).unwrap();
    let of_a: Vec<ProfileKey> = keys.of(a).map(|(key, _)| key).collect();
    let mut expected = [hasher.key("crm", "1"), hasher.key("ifa", "a")];
    expected.sort();
    assert_eq!(of_a, expected);
    assert_eq!(Consents::open(open("consents"), 2).unwrap().of(a), 4);
    assert_eq!(Blocked::open(open("blocked")).unwrap().scope(hasher.key("ifa", "stranger")), 1);
    let columns = Columns::open(open("traits"), open("events"), open("memberships")).unwrap();
    assert!(matches!(columns.traits(), [(name, TraitColumn::Category { .. })] if name == "plan"));
    assert_eq!(columns.events()[number].1.rows_of(a).len(), 1, "a repeated event id counts once");
    assert_eq!(columns.lists()[0].1.until(b), Some(u32::MAX));
    assert_eq!(columns.seeds()[a as usize], (expected[0].0 >> 96) as u32);
    assert_eq!(Provenance::open(open("provenance")).unwrap(), indexed.provenance);
    assert!(indexed.sections.iter().any(|section| section.name == "consents" && section.plane == Plane::Bid));
}
