//! Wrong input: each has its message, which says what to do.

use super::*;

const HEADER: &str = "id,user,at,what,amount,page\n";
const GOOD: &str = "e1,u1,2026-11-01T10:00:00Z,view,,home\n";

fn events(name: &str, content: impl AsRef<[u8]>) -> World {
    World::new(EVENTS).file(name, content)
}

#[track_caller]
fn assert_error(world: &World, parts: &[&str]) {
    let error = world.error();
    for part in parts {
        assert!(error.contains(part), "expected `{part}` in:\n{error}");
    }
}

#[test]
fn no_file() {
    assert_error(&World::new(EVENTS), &["source `web`: no file matches web*", "check the path"]);
}

#[test]
fn an_unknown_format() {
    assert_error(
        &events("web.xlsx", "x"),
        &["the format of web.xlsx is not known", ".csv, .ndjson or .jsonl", "narrow the path"],
    );
}

#[test]
fn missing_columns_are_told_all_at_once_before_anything_is_read() {
    let world =
        events("web1.csv", "id,usr,at,event_name,amount,page\n").file("web2.csv", "id;user;at;what;amount;page\n");
    let error = world.error();
    for part in [
        "nothing was read",
        "web1.csv: no column `user`; there are `id`, `usr`, `at`",
        "help: did you mean `usr`?",
        "web1.csv: no column `what`",
        "web2.csv: no column `page`",
        "help: the columns look separated by ';': set `delimiter` in the source",
    ] {
        assert!(error.contains(part), "expected `{part}` in:\n{error}");
    }
    assert_error(&events("web.csv", format!("user,{HEADER}")), &["the column `user` stands there twice", "rename one"]);
}

#[test]
fn an_empty_source() {
    for (name, content) in [("web.csv", ""), ("web.csv", HEADER), ("web.ndjson", ""), ("web.ndjson", "\n\n")] {
        let parts = ["source `web` has no rows", "run the export again"];
        assert_error(&events(name, content), &parts);
    }
    let (rows, _) = events("web1.csv", format!("{HEADER}{GOOD}")).file("web2.csv", "").collect().unwrap();
    assert_eq!(rows.len(), 1, "one empty part among others is none of our business");
}

#[test]
fn truncated_and_false_packings() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(format!("{HEADER}{}", GOOD.repeat(10_000)).as_bytes()).unwrap();
    let gzip = packer.finish().unwrap();
    let advice = "copy it again; nothing was published";
    let cut = events("web.csv.gz", &gzip[..gzip.len() - 20]);
    assert_error(&cut, &["source `web`: web.csv.gz is truncated or is not gzip", advice]);
    assert_error(&events("web.csv.gz", HEADER), &["web.csv.gz is truncated or is not gzip", advice]);
    let zstd = zstd::encode_all(format!("{HEADER}{}", GOOD.repeat(10_000)).as_bytes(), 1).unwrap();
    let cut = events("web.csv.zst", &zstd[..zstd.len() - 20]);
    assert_error(&cut, &["web.csv.zst is truncated or is not zstd", advice]);
}

#[test]
fn binary_garbage() {
    let garbage: Vec<u8> = (0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let header = events("web.csv", &garbage).error();
    assert!(header.contains("header cannot be read") || header.contains("no column `user`"), "{header}");
    let mut after_header = HEADER.as_bytes().to_vec();
    after_header.extend(&garbage);
    assert_error(
        &events("web.csv", after_header),
        &["source `web`:", "rows rejected (", "raise its `max_rejected_share`"],
    );
    assert_error(&events("web.ndjson", garbage), &["rows rejected (100.0 %", "x not UTF-8 text, first at web.ndjson:"]);
}

#[test]
fn too_many_rejected_rows_are_listed_without_their_values() {
    let bad = "e1,jane@example.com,yesterday,view,,\n,,2026-11-01T10:00:00Z,view,,\n";
    let world = events("web.csv", format!("{HEADER}{}{bad}{bad}", GOOD.repeat(16)));
    let error = world.error();
    for part in [
        "source `web`: 4 of 20 rows rejected (20.0 %, at most 5.0 % permitted)",
        "2 x no identifier, first at web.csv:19",
        "2 x not a time in the configured format in `at`, first at web.csv:18 (9 characters: letters)",
        "to go on regardless, raise its `max_rejected_share`",
    ] {
        assert!(error.contains(part), "expected `{part}` in:\n{error}");
    }
    assert!(!error.contains("yesterday") && !error.contains("jane"), "{error}");
    let world =
        events("web.csv", format!("{HEADER}{}{bad}{bad}", GOOD.repeat(16))).with("build: { max_rejected_share: 0.2 }");
    assert_eq!(world.collect().unwrap().1.sources[0].rejected, 4, "permitted");
}

#[test]
fn long_lines_cost_themselves_only() {
    let long = "x".repeat(5_000);
    let csv = format!("{HEADER}{GOOD}e,{long},,,,\n{GOOD}e,\"{GOOD}{}", GOOD.repeat(30));
    let permissive = |name: &str, content: String| {
        events(name, content).with("build: { max_rejected_share: 1.0, max_row_bytes: 1000 }").collect().unwrap().1
    };
    let report = permissive("web.csv", csv);
    let counts = &report.sources[0];
    assert_eq!((counts.rows, counts.accepted, counts.rejected), (34, 32, 2));
    assert_eq!(counts.rejected_rows[0].examples.iter().map(|example| example.line).collect::<Vec<_>>(), [3, 5]);
    let json = format!(
        "{{\"user\":\"u\",\"what\":\"view\",\"at\":\"2026-11-01T10:00:00Z\"}}\n{long}\n[1]\n\"x\"\n{{\"user\":\n"
    );
    let counts = &permissive("web.ndjson", json).sources[0];
    assert_eq!((counts.rows, counts.accepted, counts.rejected), (5, 1, 4));
    assert_eq!(counts.rejected_rows[0].reason, "not a JSON object");
}

#[test]
fn times_from_the_future_are_mistakes_unless_the_clock_is_frozen() {
    let future = format!("{HEADER}{GOOD}e2,u1,2099-01-01T00:00:00Z,view,,\n");
    assert_eq!(events("web.csv", &future).collect().unwrap().1.sources[0].accepted, 2);
    let mut world = events("web.csv", &future).with("build: { max_rejected_share: 1.0 }");
    world.head = world.head.replace("as_of: 2026-11-20T00:00:00Z", "");
    let report = world.collect().unwrap().1;
    assert_eq!(report.sources[0].rejected_rows[0].reason, "time more than a day in the future");
}

#[test]
fn stale_sources_are_flagged_and_the_report_reads_back() {
    let sources = EVENTS.replace("kind: events", "kind: events\n    max_age: 1 day");
    let mut world = World::new(&sources).file("web.csv", format!("{HEADER}{GOOD}{GOOD}").repeat(1));
    world.head = world.head.replace("2026-11-20", "2105-11-20");
    let (_, report) = world.collect().unwrap();
    assert!(report.sources[0].stale);
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<CollectReport>(&json).unwrap(), report);
    let table = report.to_string();
    assert!(
        table.starts_with("source  files          rows      accepted    rejected     expired  newest file\n"),
        "{table}"
    );
    assert!(table.contains("web         1             2             2           0           0  20"), "{table}");
    assert!(table.ends_with("Z STALE\n"), "{table}");
}
