//! Sound input for every entry: mutations of it come further than random bytes do.

use prost::Message;
use roaring::RoaringBitmap;
use vaglio::log::{AuditEntry, Control, Identifier, Link, Log, Record, Said, Settings, Stay, Value};
use vaglio::schema::{BlockKey, ProfileKey, Scope};
use vaglio::snapshot::bitmaps::write_bitmaps;
use vaglio::snapshot::blocked::write_blocked;
use vaglio::snapshot::caps::{Impression, write_caps};
use vaglio::snapshot::columns::Sections;
use vaglio::snapshot::columns::data::{ColumnData, EventData, ListData, PropData, TraitData};
use vaglio::snapshot::filter::write_filter;
use vaglio::snapshot::flips::write_flips;
use vaglio::snapshot::keys::write_keys;
use vaglio::snapshot::{Flip, ForwardWriter, IdentitiesWriter};
use vaglio::wire::artf::RtbRequest;
use vaglio::wire::v2::BidRequest;
use vaglio::wire::v2::bid_request::{Data, Deal, Device, Eid, Imp, Pmp, Regs, Segment, User, eid::Uid, regs, user};

const PROFILES: u32 = 150;

/// Sound inputs of an entry.
pub fn seeds(entry: &str) -> Vec<Vec<u8>> {
    let texts = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    match entry {
        "rule" => texts(&RULES),
        "rule_tree" => texts(&TREES),
        "definitions" => texts(&[DEFINITIONS]),
        "config" => texts(&[vaglio::config::DEFAULT_YAML, "server: { http: 127.0.0.1:1 }\nas_of: 1998-07-01\n"]),
        "csv" => texts(&[CSV]),
        "ndjson" => texts(&[NDJSON]),
        "lookup_json" | "decide_json" => texts(&[QUESTION]),
        "events_json" => texts(&[EVENTS]),
        "openrtb_json" => texts(&OPENRTB),
        "openrtb_proto" => vec![bid_request().encode_to_vec()],
        "artf" => vec![mutations().encode_to_vec(), RtbRequest::default().encode_to_vec()],
        "prebid_js" => texts(&[PAGE]),
        "identities" => vec![written(|out| {
            let entries = (0..PROFILES).map(|n| (key(n), n));
            IdentitiesWriter::write(entries, out).expect("a vector takes everything");
        })],
        "filter" => vec![written(|out| write_filter((0..PROFILES).map(key), out).expect("as above"))],
        "forward" => vec![forward()],
        "flips" => vec![flips()],
        "caps" => vec![written(|out| {
            let shown =
                (0..400u32).map(|n| Impression { ordinal: n * 3, campaign: n % 9, time: 1_700_000_000 + i64::from(n) });
            write_caps(out, &shown.collect::<Vec<_>>()).expect("as above");
        })],
        "token" => texts(&[TOKEN]),
        "bitmaps" => vec![written(|out| {
            let sets = [(0..PROFILES).collect(), (0..PROFILES).step_by(3).collect(), RoaringBitmap::new()];
            write_bitmaps(out, PROFILES, &sets).expect("as above");
        })],
        "columns" => vec![columns()],
        "keys" => vec![written(|out| {
            let starts: Vec<u32> = (0..=PROFILES).collect();
            write_keys(&starts, (0..PROFILES).map(|n| (key(n), 1)), out).expect("as above");
        })],
        "live_facts" => vec![live_facts()],
        "objections" => vec![written(|out| {
            let mut entries: Vec<(ProfileKey, u8)> = (0..PROFILES).map(|n| (key(n), 1 + (n % 3) as u8)).collect();
            entries.sort_unstable();
            write_blocked(&entries, out).expect("as above");
        })],
        "consent" => CONSENTS.iter().map(|(said, text)| [&said[..], text.as_bytes()].concat()).collect(),
        "record" => records().into_iter().map(|record| written(|out| record.encode(out).expect("as above"))).collect(),
        "control" => {
            controls().into_iter().map(|control| written(|out| control.encode(out).expect("as above"))).collect()
        }
        "change" => changes(),
        "segment" => segments(),
        _ => Vec::new(),
    }
}

fn records() -> [Record<'static>; 5] {
    let identifier = |n| Identifier { key: key(n), id_type: "crm".into() };
    let properties = vec![
        ("amount".into(), Value::Number(12.5)),
        ("day".into(), Value::Date(20_000)),
        ("new".into(), Value::Flag(true)),
        ("colours".into(), Value::Tags(vec!["red".into(), "blue".into()])),
    ];
    let traits = vec![("plan".into(), Some(Value::Text("gold".into()))), ("age".into(), None)];
    [
        Said::Event { name: "purchase".into(), properties },
        Said::Traits(traits),
        Said::Membership { list: "acme/vip".into(), stay: Stay::Minutes(90) },
        Said::Link,
        Said::Consent(false),
    ]
    .map(|said| Record {
        id: 77,
        time: 1_793_000_000,
        received: 1_793_000_060,
        keys: [1, 2].map(identifier).into(),
        said,
    })
}

fn controls() -> [Control; 6] {
    let (keys, time) = (vec![BlockKey(7), BlockKey(8)], 1_793_000_000);
    [
        Control::Objection { keys: keys.clone(), scope: Scope::Marketing, time, until: Some(time + 60) },
        Control::Deletion { keys, time, until: None },
        Control::Credentials("{}".to_owned()),
        Control::Audit { time, who: "9f3a01bc".to_owned(), what: "export".to_owned(), subject: BlockKey(7) },
        Control::Audited(Box::new(AuditEntry {
            number: 1,
            time,
            who: "9f3a01bc".to_owned(),
            owner: Some("acme".to_owned()),
            what: "publish".to_owned(),
            object: "audience acme/vip".to_owned(),
            subject: Some(BlockKey(7)),
            before: None,
            after: Some("2".to_owned()),
            link: Link::FIRST,
        })),
        Control::Anchor { number: 1, link: Link::FIRST },
    ]
}

/// A sealed one, one that is written, one whose end is torn.
fn segments() -> Vec<Vec<u8>> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let settings = Settings { segment_bytes: 1 << 20, reserve_bytes: 0 };
    let (mut log, _) = Log::open(directory.path(), settings).expect("the temporary directory is writable");
    for batch in [&["one", "two", "three"][..], &["the last"]] {
        log.append(batch).expect("as above");
        log.sync().expect("as above");
    }
    let read = |kind: &str| std::fs::read(directory.path().join(format!("{:020}.{kind}", 0))).expect("as above");
    let open = read("open");
    log.seal().expect("as above");
    let torn = open[..open.len() - 27].to_vec();
    vec![read("log"), open, torn]
}

/// Shaped as one of ours.
const TOKEN: &str =
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ.AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

/// What applies, and a string.
const CONSENTS: [([u8; 4], &str); 5] = [
    ([9, 2, 0, 0x01], "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"),
    (
        [9, 2, 27, 0x81],
        "CQBmxQAQBmxQAAKA5AENBCFsAP_gAAAAAAqIGMQBAAGAAgALAAqABgAFQALgAfgBBAEYAKMAVYAtgCCAEIAMUAZ4A-ACTAErALMAWgBDgC8wGPgMkAZYA.YAAAAAAAAAAA.IGPQCQABgAIABIACgAJgAYAC",
    ),
    ([4, 6, 7, 0x40], "DBABrGA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~BVVqCACA~1YNN"),
    ([9, 7, 3, 0x80], "DBABLA~BVQqAAAAAgA.QA"),
    ([8, 6, 0, 0xc2], "1YNN"),
];

/// A bid request with something in every place that is read.
fn bid_request() -> BidRequest {
    let said = |text: &str| Some(text.to_owned());
    let eid = |source: &str| {
        let uids = vec![Uid { id: said("gamer"), atype: Some(1) }, Uid::default()];
        Eid { source: said(source), uids }
    };
    let deal = |id: &str, guar| Deal { id: said(id), guar };
    let pmp = Pmp { private_auction: Some(true), deals: vec![deal("deal-1", None), deal("deal-2", Some(1))] };
    let data = Data {
        id: said("vaglio"),
        segment: vec![Segment { id: said("560"), ..Default::default() }],
        ..Default::default()
    };
    let older = user::Ext { consent: said("CPx"), eids: vec![eid("b.test")] };
    let signals = regs::Ext { gdpr: Some(false), us_privacy: said("1YNN"), gpc: said("0") };
    BidRequest {
        id: said("r1"),
        imp: vec![Imp { id: said("1"), pmp: Some(pmp) }, Imp::default()],
        device: Some(Device { ifa: said("AB-CD"), lmt: Some(false), ..Default::default() }),
        user: Some(User { eids: vec![eid("id.test")], data: vec![data], ext: Some(older), ..Default::default() }),
        tmax: Some(80),
        regs: Some(Regs { gpp_sid: vec![-1], ext: Some(signals), ..Default::default() }),
        test: Some(true),
    }
}

fn mutations() -> RtbRequest {
    RtbRequest {
        lifecycle: Some(1),
        id: Some("x1".to_owned()),
        tmax: Some(50),
        bid_request: Some(bid_request()),
        applicable_intents: vec![1, 2, 3],
        ..Default::default()
    }
}

const RULES: [&str; 6] = [
    "age between 25 and 44 and region in (Lombardia, Lazio) and did device_broken within 7 days",
    "not (in audience haters or did purchase where category = \"phone\" and price > 9.5 within 90 days)",
    "at least 2 of (a, b is known, tags has any (x, y)) and in sample 10% of \"holdout\"",
    "last did buy with sum of price >= 100 between 3 and 30 days ago or never did buy since 2026-01-01",
    "did view on at least 3 different days and did view with at least 2 different brand today",
    "name contains \"a\" and name starts with \"b\" and name matches any of (\"c*\", \"d\") # why",
];

const TREES: [&str; 2] = [
    r#"{"is":"all","of":[{"is":"trait","name":"age","test":{"op":"between","from":18,"to":{"date":"2026-11-30"}}},{"is":"not","of":{"is":"audience","id":"acme/vip"}},{"is":"at_least","n":1,"of":[{"is":"sample","percent":10.5,"name":"x"}]}]}"#,
    r#"{"is":"any","of":[{"is":"event","name":"buy","where":[{"name":"p","test":{"op":"in","values":["a",2,true]}}],"pick":"last","count":{"op":"sum","property":"p","compare":">=","value":3},"when":{"op":"between_ago","from":"7 days","to":"30 days"}},{"is":"everyone"}]}"#,
];

const EVENTS: &str = r#"{"id":"1","time":"2026-11-20T11:59:00Z","type":"event","eids":[{"source":"crm","uid":"c"}],"name":"e","props":{"p":1.5}}
{"id":"2","time":"2026-11-20T11:59:00.5+01:00","type":"trait","eids":[{"source":"email","uid":"a@b.example"}],"traits":{"t":["x","y"]}}
{"id":"3","time":"2026-11-20T11:59:00Z","type":"membership","eids":[{"source":"crm","uid":"\u0061"}],"audience":"acme/vip","ttl_minutes":9}
{"id":"4","time":"2026-11-20T11:59:00Z","type":"link","eids":[{"source":"crm","uid":"c"},{"source":"ifa","uid":"6D92078A-8246-4BA4-AE5B-76104861E7DC"}]}
{"id":"5","time":"2026-11-20T11:59:00Z","type":"exposure","eids":[{"source":"crm","uid":"c"}],"campaign":"acme/a","kind":"click","channel":"web"}
{"id":"6","time":"2026-11-20T11:59:00Z","type":"objection","eids":[{"source":"crm","uid":"c"}],"scope":"all"}
"#;

const PAGE: &str = r#"{"orgId":"acme","ortb2":{"site":{"page":"https://news.example/"},"user":{"id":"u",
"ext":{"eids":[{"source":"id.test","uids":[{"id":"\u0061b"}]}]}},"imp":[{"id":"top"}],"regs":{"ext":{"gdpr":0}}},
"bidders":["index","a\"b",null],"timestamp":1763640000000,"source":"prebid-rtd"}"#;

const DEFINITIONS: &str = "\
audiences:
  - { id: phone, name: Need a phone, kind: target, owner: acme, rule: everyone, segment: { taxonomy: 4, id: \"560\" } }
  - { id: vip, owner: acme, kind: target, list: true, ttl: 30 days }
  - id: haters
    owner: acme
    kind: suppress
    rule: |
      not in audience phone
      or did complaint at least 2 times within 60 days
campaigns:
  - id: upgrade
    owner: acme
    status: active
    flight: { from: 2026-11-01, to: 2026-12-31, timezone: Europe/Rome }
    deals: [{ exchange: index, id: deal-123, exclusive: true }]
    include: [phone]
    exclude: [{ audience: haters, hard: true }, vip]
    caps: [{ impressions: 3, per: 24h }, { impressions: 10, per: flight }]
    min_gap: 20m
    group: mobile
groups: { mobile: { at_most: 1, per: 24h } }
";

const CSV: &str = "\
id,email,ifa,time,event,n,amount,brand,new
1,user@example.com,123e4567-e89b-12d3-a456-426614174000,2026-10-01T00:00:00Z,buy,a1,12.5,\"Acme, Inc\",true
2,,,2026-10-02T10:00:00+02:00,view,,,,
";

const NDJSON: &str = "\
{\"id\":1,\"email\":\"user@example.com\",\"time\":\"2026-10-01T00:00:00Z\",\"event\":\"buy\",\"n\":\"a\",\"amount\":1e3,\"new\":true}
{\"id\":\"2\",\"ifa\":null,\"time\":\"2026-10-01T00:00:00Z\",\"event\":\"view\",\"brand\":\"\\u00e9\"}
";

const QUESTION: &str = "{\"eids\":[{\"source\":\"uidapi.com\",\"uid\":\"abc\"}],\"ifa\":\"123e4567-e89b-12d3-a456-426614174000\",\
\"privacy\":{\"gdpr\":1,\"tcf\":\"x\",\"gpp\":\"y\",\"gpp_sid\":[2],\"us_privacy\":\"1YNN\",\"gpc\":0,\"coppa\":\"0\",\"lmt\":true},\
\"tmax_ms\":20,\"campaigns\":[\"acme/upgrade\"],\"channel\":\"web\"}";

const OPENRTB: [&str; 4] = [
    "{\"id\":\"r\",\"tmax\":100,\"imp\":[{\"id\":\"1\",\"pmp\":{\"deals\":[{\"id\":\"d\",\"guar\":1}]}}],\"device\":{\"ifa\":\"x\",\"lmt\":0,\
\"geo\":{\"country\":\"ITA\"}},\"user\":{\"id\":\"u\",\"eids\":[{\"source\":\"a.com\",\"uids\":[{\"id\":\"1\"},{\"id\":2}]}],\"data\":[{\"id\":\"d\",\
\"ext\":{\"segtax\":4}}]},\"regs\":{\"gdpr\":1,\"gpp_sid\":[2],\"ext\":{\"us_privacy\":\"1YNN\"}}}",
    " { \"us\\u0065r\" : { \"data\" : [ ] , \"id\" : \"\\ud83d\\ude00\" } , \"x\" : [ -1.5e+3 , true , null , {} ] } ",
    "{\"user\":null,\"imp\":[]}",
    "{\"user\":{\"data\":null},\"user\":{\"ext\":{\"eids\":[]}}}",
];

fn key(n: u32) -> ProfileKey {
    ProfileKey(u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

fn forward() -> Vec<u8> {
    let order: Vec<u32> = (0..200).rev().collect();
    let mut writer = ForwardWriter::new(Vec::new(), PROFILES, &order).expect("as above");
    for n in 0..PROFILES {
        let audiences: Vec<u32> = (0..200).filter(|audience| (n * 7 + audience * 13) % 11 == 0).collect();
        writer.push((n % 16) as u8, &audiences).expect("as above");
    }
    writer.close().expect("as above")
}

fn flips() -> Vec<u8> {
    let flip =
        |n: u32| Flip { ordinal: n % PROFILES, minute: 29_000_000 + n, audience: n % 9, join: n.is_multiple_of(2) };
    let mut flips: Vec<Flip> = (0..400).map(flip).collect();
    written(|out| write_flips(out, &mut flips).expect("as above"))
}

/// As `LiveFactsWriter` writes them, who needs a store for it.
fn live_facts() -> Vec<u8> {
    let mut frames = Vec::new();
    for n in 0..20u64 {
        let id = Identifier { key: key(n as u32), id_type: "crm".into() };
        let said = if n % 2 == 0 { Said::Link } else { Said::Consent(true) };
        let mut bytes = Vec::new();
        let record = Record { id: n.into(), time: 1_700_000_000, received: 1_700_000_001, keys: vec![id].into(), said };
        record.encode(&mut bytes).expect("as above");
        frames.extend_from_slice(&n.to_le_bytes());
        frames.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        frames.extend_from_slice(&bytes);
    }
    let counts = [20u64.to_le_bytes(), (frames.len() as u64).to_le_bytes()].concat();
    [b"VGLFACTS".as_slice(), &frames, &counts, b"VGLFACTS"].concat()
}

fn columns() -> Vec<u8> {
    let n = PROFILES as usize;
    let texts = || ["a", "b", "c"].map(str::to_owned).to_vec();
    let codes = || (0..n as u32).map(|n| n % 4).collect::<Vec<u32>>();
    let traits = [
        ("age", TraitData::Number((0..n).map(|n| n as f64 / 2.0).collect())),
        ("born", TraitData::Date((0..n as i32).collect())),
        ("plan", TraitData::Category { codes: codes(), dictionary: texts() }),
        ("risk", TraitData::Flag((0..n).map(|n| (n % 3) as u8).collect())),
        (
            "tags",
            TraitData::Tags {
                starts: (0..=n as u32).collect(),
                codes: (0..n as u32).map(|n| n % 3).collect(),
                dictionary: texts(),
            },
        ),
    ];
    let buy = EventData {
        ordinals: (0..PROFILES).collect(),
        times: (0..PROFILES).map(|n| 1_790_000_000 + n).collect(),
        properties: vec![
            ("amount".to_owned(), PropData::Number((0..n).map(|n| n as f64).collect())),
            ("brand".to_owned(), PropData::Category { codes: codes(), dictionary: texts() }),
            ("new".to_owned(), PropData::Flag((0..n).map(|n| (n % 3) as u8).collect())),
        ],
    };
    let vip = ListData { ordinals: vec![1, 5, 9], until: vec![u32::MAX, 1_800_000_000, 7] };
    let data = ColumnData {
        ordinals: PROFILES,
        seeds: (0..PROFILES).collect(),
        traits: traits.map(|(name, data)| (name.to_owned(), data)).to_vec(),
        events: vec![("buy".to_owned(), buy)],
        lists: vec![("acme/vip".to_owned(), vip)],
    };
    let sections = Sections::encode(&data).expect("the data are sound");
    let first = sections.traits.len() as u16;
    let second = first + sections.events.len() as u16;
    [&first.to_le_bytes()[..], &second.to_le_bytes(), &sections.traits, &sections.events, &sections.memberships]
        .concat()
}

fn changes() -> Vec<Vec<u8>> {
    let some = r#"{"number":1,"author":"cli:pat","comment":"c","items":[{"kind":"audience","id":"o/a","state":"draft","text":"id: a\nowner: o\nkind: target\nrule: |-\n  vip # x\n  and vip\ntags: [a, \"1\"]\n"},{"kind":"pressure","id":"o/pressure","state":"published","text":"- { messages: 5, per: 7d }\n"},{"kind":"campaign","id":"o/c","state":"archived","text":null}]}"#;
    vec![some.into(), br#"{"number":2,"author":"a","items":[]}"#.to_vec()]
}
