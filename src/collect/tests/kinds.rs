//! What each kind of source says, value by value.

use super::*;
use proptest::prelude::*;

const PROFILES: &str = r#"
  - name: crm
    kind: profiles
    path: crm*
    ids:
      - { column: id, type: crm }
      - { column: mail, type: email }
      - { column: tel, type: phone, hashed: true }
      - { column: ifa, type: IFA }
    time: { column: changed, format: "%d/%m/%Y" }
    retention_days: 365
    traits:
      - { column: age, kind: number }
      - { column: spend, kind: number, format: "," }
      - { column: vip, kind: flag, map: { gold: "true", none: "false" } }
      - { column: region, kind: category, map: { "1": north, "?": "" }, values: [north, south] }
      - { column: likes, trait: interests, kind: tags, separator: ";", retention_days: 30 }
      - { column: born, kind: date, format: "%d.%m.%Y" }
"#;

const HEADER: &str = "id,mail,tel,ifa,changed,age,spend,vip,region,likes,born\n";

fn profile(row: &str) -> (Vec<String>, SourceReport) {
    let permit = PROFILES.replace("retention_days: 365", "retention_days: 365\n    max_rejected_share: 1.0");
    let world = World::new(&permit).file("crm.csv", format!("{HEADER}{row}\n"));
    let (rows, mut report) = world.collect().unwrap();
    (rows, report.sources.remove(0))
}

/// `reason/column` of every rejected row and value.
fn reasons(groups: &[Rejects]) -> Vec<String> {
    let mut reasons: Vec<_> =
        groups.iter().map(|group| format!("{}/{}", group.reason, group.column.as_deref().unwrap_or("-"))).collect();
    reasons.sort();
    reasons
}

#[test]
fn a_profile_row_is_harmonised() {
    let tel = "EObwtHBUqDNZR33LNSMdtt5cafsYFuGmuY4ZLenlue4=";
    let ifa = "123E4567-E89B-12D3-A456-426614174000";
    let (rows, report) =
        profile(&format!(r#" 7 , User@Example.com,{tel},{ifa},15/11/2026, 42 ,"1234,5",gold,1,a; b;a;;c,29.02.2000"#));
    let mail = key("email", "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ=");
    let keys = [key("crm", "7"), mail, key("phone", tel), key("ifa", &ifa.to_lowercase())].join(" ");
    // Local midnight in Rome is 23:00 UTC of the day before.
    let traits = "age=42 spend=1234.5 vip=true region=north interests=a interests=b interests=c born=day11016";
    assert_eq!(rows, [format!("({keys}) @1794697200 profile {traits}")]);
    assert_eq!((report.accepted, report.rejected_values.len(), report.expired_values), (1, 0, 0));
}

#[test]
fn a_row_of_very_many_tags_takes_no_longer_than_its_bytes() {
    let tags: String = (0..120_000).map(|n| format!("{n:x};")).collect();
    let (rows, report) = profile(&format!("7,,,,15/11/2026,,,,,{tags},"));
    assert_eq!((rows.len(), report.accepted), (1, 1));
    assert_eq!(rows[0].matches("interests=").count(), 120_000);
}

#[test]
fn empty_is_unknown_and_what_a_map_empties_too() {
    let (rows, report) = profile("7,,, ,15/11/2026,,  ,,?,;,");
    assert_eq!(rows, [format!("({}) @1794697200 profile", key("crm", "7"))]);
    assert_eq!(report.rejected_values, []);
}

#[test]
fn a_bad_value_leaves_the_row_and_is_counted() {
    let (rows, report) =
        profile("7,nobody,xx,00000000-0000-0000-0000-000000000000,15/11/2026,old,1.5,maybe,west,x,2000-02-29");
    assert_eq!(rows, [format!("({}) @1794697200 profile interests=x", key("crm", "7"))]);
    let expected = [
        "all-zero advertising id, ignored/ifa",
        "not Base64 of a SHA-256/tel",
        "not a date in the configured format/born",
        "not a flag (true/false, yes/no, 1/0)/vip",
        "not a number/age",
        "not a number/spend",
        "not an e-mail address/mail",
        "value not among the permitted values/region",
    ];
    assert_eq!(reasons(&report.rejected_values), expected);
    let age = report.rejected_values.iter().find(|group| group.column.as_deref() == Some("age")).unwrap();
    assert_eq!((age.examples[0].line, age.examples[0].value.as_str()), (2, "3 characters: letters"));
}

#[test]
fn a_bad_identifier_or_time_rejects_the_row() {
    for (row, reason) in [
        (",,,,15/11/2026,1,,,,,", "no identifier/-"),
        (",nobody,,,15/11/2026,1,,,,,", "no valid identifier/mail"),
        (",,,00000000-0000-0000-0000-000000000000,15/11/2026,1,,,,,", "no valid identifier/ifa"),
        ("7,,,,,1,,,,,", "no time/changed"),
        ("7,,,,2026-11-15,1,,,,,", "not a time in the configured format/changed"),
        ("7,,,,15/11/1926,1,,,,,", "time outside 1970 to 2106/changed"),
        ("7,,,,15/11/2026,1,,,,", "not as many fields as the header/-"),
    ] {
        let (rows, report) = profile(row);
        assert_eq!((rows.len(), reasons(&report.rejected_rows)), (0, vec![reason.to_owned()]), "{row}");
    }
}

#[test]
fn what_is_past_retention_is_not_handed_on() {
    let (rows, report) = profile("7,,,,01/01/2025,42,,,,x,");
    assert_eq!((rows.len(), report.expired, report.rejected), (0, 1, 0), "the row");
    let (rows, report) = profile("7,,,,01/10/2026,42,,,,x,");
    assert_eq!((report.expired_values, report.accepted), (1, 1), "the trait kept for 30 days");
    assert!(rows[0].ends_with("profile age=42"), "{}", rows[0]);
}

#[test]
fn lists_name_audiences_and_types_by_row() {
    let world = World::new(
        "
  - name: lists
    kind: memberships
    path: lists.csv
    max_rejected_share: 1.0
    ids: [{ column: id, type: $kind }]
    time: { column: at, format: unix }
    membership: { audience_column: audience, ttl_minutes_column: ttl, remove_column: gone }
  - { name: fixed, kind: memberships, path: fixed.ndjson, ids: [{ column: id, type: crm }], membership: { audience: acme/vip } }
  - { name: ids, kind: links, path: ids.csv, ids: [{ column: a, type: crm }, { column: b, type: ifa }], level: device }
",
    )
    .file(
        "lists.csv",
        "kind,id,at,audience,ttl,gone
CRM,u1,1790000000,acme/vip,60,
crm,u2,1790000000,acme/vip,0,yes
crm,u3,1790000000,acme/other,,no
crm,u3,1790000000,other,,no
crm,u3,1790000000,,,no
crm,u3,1790000000,acme/vip,-1,
crm,u3,1790000000,acme/vip,,perhaps
passport,u3,1790000000,acme/vip,,
",
    )
    .file("fixed.ndjson", "{\"id\": 77}\n")
    .file("ids.csv", "a,b\nu1,123e4567-e89b-12d3-a456-426614174000\nu2,\nu3,nonsense\n");
    let permit = |world: World| World {
        sources: world.sources.replace("level: device", "level: device, max_rejected_share: 1.0"),
        ..world
    };
    let (rows, report) = permit(world).collect().unwrap();
    let fixed = rows.iter().find(|row| row.contains(&key("crm", "77"))).unwrap();
    assert!(fixed.ends_with("+acme/vip None"), "{fixed}");
    let lists: Vec<_> = rows.iter().filter(|row| row.contains("@1790000000")).cloned().collect();
    let mut expected = vec![
        format!("({}) @1790000000 +acme/vip Some(60)", key("crm", "u1")),
        format!("({}) @1790000000 -acme/vip None", key("crm", "u2")),
        format!("({}) @1790000000 +acme/other None", key("crm", "u3")),
    ];
    expected.sort();
    assert_eq!(lists, expected);
    let expected = [
        "no audience/audience",
        "no valid identifier/id",
        "not a flag (true/false, yes/no, 1/0)/gone",
        "not a whole number of minutes/ttl",
        "not an audience (owner/id)/audience",
    ];
    assert_eq!(reasons(&report.sources[0].rejected_rows), expected);
    assert_eq!(reasons(&report.sources[0].rejected_values), ["identifier type not declared by any source/id"]);
    assert_eq!(report.sources[2].accepted, 1);
    let expected = ["fewer than two identifiers to link/-", "fewer than two identifiers to link/b"];
    assert_eq!(reasons(&report.sources[2].rejected_rows), expected);
}

#[test]
fn whoever_objects_is_heard_even_without_a_readable_time() {
    let world = World::new(
        "
  - name: consents
    kind: consents
    path: consents.csv
    max_rejected_share: 1.0
    ids: [{ column: id, type: crm }]
    time: { column: at }
    consent: { column: what, map: { stop: objection_all, ok: consent } }
",
    )
    .file(
        "consents.csv",
        "id,at,what
u1,2026-11-01T10:00:00Z,stop
u2,long ago,stop
u3,,refusal
u4,,ok
u5,2026-11-01T10:00:00Z,perhaps
u6,2026-11-01T10:00:00Z,
u7,2001-01-01T00:00:00Z,objection_marketing
u8,2026-11-01T10:00:00Z,objection_profiling
",
    );
    let (rows, report) = world.collect().unwrap();
    let said = |user: &str| {
        rows.iter().find(|row| row.contains(&key("crm", user))).map(|row| row.split(' ').next_back().unwrap())
    };
    let expected = ["ObjectAll", "ObjectAll", "Refusal", "", "", "", "ObjectMarketing", "ObjectProfiling"];
    for (user, expected) in expected.into_iter().enumerate() {
        assert_eq!(said(&format!("u{}", user + 1)).unwrap_or_default(), expected, "u{}", user + 1);
    }
    let expected = ["no time/at", "not a kind of consent/what", "nothing said about consent/what"];
    assert_eq!(reasons(&report.sources[0].rejected_rows), expected);
    assert_eq!(reasons(&report.sources[0].rejected_values), ["no time/at", "not a time in the configured format/at"]);
}

#[test]
fn json_values_keep_their_types_and_columns_may_be_paths() {
    let world = World::new(
        "
  - name: app
    kind: profiles
    path: app.ndjson
    ids: [{ column: user.id, type: crm }]
    traits:
      - { column: user.age, trait: age, kind: number }
      - { column: likes, kind: tags }
      - { column: plan, kind: category, map: { \"3\": premium } }
      - { column: push, kind: flag }
      - { column: never, kind: flag }
",
    )
    .file(
        "app.ndjson",
        r#"{"user":{"id":9007199254740993,"age":41.5},"likes":["a","b|c"],"plan":3,"push":true}
{"user":{"id":"x","age":"12"},"likes":"a|b","plan":{"x":1},"push":"no"}
"#,
    );
    let (rows, report) = world.collect().unwrap();
    let find =
        |id: &str| rows.iter().find(|row| row.contains(&key("crm", id))).unwrap().split(" profile ").nth(1).unwrap();
    assert_eq!(find("9007199254740993"), "age=41.5 likes=a likes=b likes=c plan=premium push=true");
    assert_eq!(find("x"), "age=12 likes=a likes=b push=false");
    assert_eq!(reasons(&report.sources[0].rejected_values), ["an object or list where one value is expected/plan"]);
    assert_eq!(report.sources[0].absent_columns, ["never"]);
}

#[test]
fn many_files_arrive_in_bounded_batches_with_their_source() {
    let mut world = World::new(EVENTS);
    for part in 0..5 {
        let rows: String =
            (0..7_000).map(|row| format!("e{part}-{row},u{row},2026-11-01T10:00:00Z,view,,p{}\n", row % 7)).collect();
        world = world.file(&format!("web{part}.csv"), format!("id,user,at,what,amount,page\n{rows}"));
    }
    let (mut rows, mut texts) = (0, 0);
    let report = collect(&world.loaded(), &KeyHasher::new(SECRET), &Progress::new(Mode::Silent), &mut |batch| {
        assert!(batch.rows.len() <= 16 * 1024);
        texts += batch.text.len();
        rows += batch.rows.len();
        Ok(())
    })
    .unwrap();
    assert_eq!((rows, report.sources[0].accepted, report.sources[0].files), (35_000, 35_000, 5));
    assert!(texts < 1_000, "equal texts share a range: {texts} bytes");
}

#[test]
fn a_sink_that_fails_stops_the_readers() {
    let rows: String = (0..200_000).map(|row| format!(",u{row},2026-11-01T10:00:00Z,view,,p\n")).collect();
    let world = World::new(EVENTS).file("web.csv", format!("id,user,at,what,amount,page\n{rows}"));
    let full = || crate::error::Error::internal("the sink is full");
    let outcome = collect(&world.loaded(), &KeyHasher::new(SECRET), &Progress::new(Mode::Silent), &mut |_| Err(full()));
    assert_eq!(outcome.unwrap_err().to_string(), "the sink is full");
}

#[test]
fn real_people_are_all_accepted() {
    let folder = std::env::var("VAGLIO_DATA_DIR").unwrap_or_else(|_| "../shared/data".to_owned());
    let path = std::path::Path::new(&folder).join("census/people.csv.gz");
    let Ok(path) = path.canonicalize() else {
        // Past libtest's capture, so that a skipped test is seen.
        writeln!(std::io::stderr(), "skipped: the census is not in {folder} (set VAGLIO_DATA_DIR)").unwrap();
        return;
    };
    let world = World::new(&format!(
        "
  - name: census
    kind: profiles
    path: {}
    ids: [{{ column: crm_id, type: crm }}, {{ column: cookie, type: pubcid.org }}, {{ column: ifa, type: ifa }}, {{ column: email, type: email }}]
    traits: [{{ column: age, kind: number }}, {{ column: education, kind: category }}, {{ column: weeks_worked, kind: number }}]
",
        path.display()
    ));
    let (mut rows, mut keys, mut ages) = (0, 0, 0.0);
    let report = collect(&world.loaded(), &KeyHasher::new(SECRET), &Progress::new(Mode::Silent), &mut |batch| {
        rows += batch.rows.len();
        keys += batch.keys.len();
        let numbers = batch.cells.iter().filter(|(number, _)| *number == 0);
        ages += numbers.map(|(_, cell)| if let Cell::Number(age) = cell { *age } else { 0.0 }).sum::<f64>();
        Ok(())
    })
    .unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(
        &mut flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()),
        &mut text,
    )
    .unwrap();
    // No field of this file is quoted before the fifth column.
    let fields = || text.lines().skip(1).map(|line| line.split(',').take(5).collect::<Vec<_>>());
    assert_eq!(rows, fields().count());
    assert_eq!(keys, fields().map(|row| row[..4].iter().filter(|id| !id.is_empty()).count()).sum::<usize>());
    assert_eq!(ages, fields().map(|row| row[4].parse::<f64>().unwrap()).sum::<f64>());
    assert_eq!((report.sources[0].rejected, report.sources[0].rejected_values.len()), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Any table of events, written by a CSV writer, is what a naive reading of the table says.
    #[test]
    fn events_read_as_the_naive_reader_reads_them(
        table in prop::collection::vec(("[a-c]{0,2}", 0i64..4_000_000_000, "(view|purchase|fly|)", "[0-9]{0,3}x?", "[a-z ,\"\n]{0,4}"), 1..30)
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["id", "user", "at", "what", "amount", "page"]).unwrap();
        let mut expected = Vec::new();
        for (user, second, what, amount, page) in &table {
            let at = crate::schema::Timestamp(*second).to_string();
            writer.write_record(["", user, &at, what, amount, page]).unwrap();
            let what = match what.as_str() { "view" => "view", "purchase" => "buy", _ => continue };
            if user.is_empty() { continue }
            let amount = amount.parse::<f64>().ok().filter(|_| what == "buy").map_or(String::new(), |n| format!(" amount={n}"));
            let page = if page.trim().is_empty() { String::new() } else { format!(" page={}", page.trim()) };
            expected.push(format!("({}) @{second} {what}{amount}{page}", key("crm", user)));
        }
        expected.sort();
        let permit = EVENTS.replace("event_id: id", "event_id: id\n    max_rejected_share: 1.0");
        let world = World::new(&permit).file("web.csv", writer.into_inner().unwrap());
        let (rows, report) = world.collect().unwrap();
        prop_assert_eq!(&rows, &expected);
        let counts = &report.sources[0];
        prop_assert_eq!(counts.rows, table.len() as u64);
        prop_assert_eq!(counts.rejected + counts.accepted + counts.expired, counts.rows);
    }
}

#[test]
fn the_documented_sources_are_valid() {
    let text = include_str!("../../../docs/sources.md");
    let blocks = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let yaml = blocks.collect::<String>();
    let loaded = from_text(&yaml, std::path::Path::new("vaglio.yaml"), std::iter::empty()).unwrap();
    assert_eq!(loaded.config.sources.len(), 5);
    for at in 0..5 {
        super::super::plan::Plan::new(&loaded, at).map(|_| ()).unwrap();
    }
}
