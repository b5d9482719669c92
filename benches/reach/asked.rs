//! Synthetic columns, what is asked of them, and both as files for others to answer: of `cargo bench --bench reach` and of
//! `tests/reach_peer.rs`. What must not live here: timing.

use roaring::RoaringBitmap;
use std::io::{BufWriter, Write};
use std::path::Path;
use vaglio::audiences::{Catalogue, parse};
use vaglio::evaluate::Plan;
use vaglio::evaluate::survey::{Overlap, Value, Watch};
use vaglio::schema::Timestamp;
use vaglio::snapshot::columns::Columns;
use vaglio::snapshot::columns::data::{ColumnData, EventData, PropData, TraitData};

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;
pub const RULES: u64 = 100;
const REGIONS: u64 = 20;
const SHOPS: u64 = 12;

/// Splitmix64: `state` -> a number that looks random.
pub fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A trait's value; one in ten is not known.
fn draw(at: u32, salt: u64, values: u64) -> Option<u64> {
    let hash = mix(u64::from(at) << 8 | salt);
    (!hash.is_multiple_of(10)).then_some((hash >> 32) % values)
}

fn names(letter: char, count: u64) -> Vec<String> {
    (0..count).map(|at| format!("{letter}{at:02}")).collect()
}

pub fn world(profiles: u32) -> ColumnData {
    let all = || 0..profiles;
    let number = |salt, values| all().map(|at| draw(at, salt, values).map_or(f64::NAN, |value| value as f64)).collect();
    let codes = |salt, values| all().map(|at| draw(at, salt, values).map_or(0, |value| value as u32 + 1)).collect();
    let traits = vec![
        ("age".to_owned(), TraitData::Number(number(1, 100))),
        ("income".to_owned(), TraitData::Number(number(2, 10_000))),
        ("region".to_owned(), TraitData::Category { codes: codes(3, REGIONS), dictionary: names('r', REGIONS) }),
        ("vip".to_owned(), TraitData::Flag(all().map(|at| draw(at, 4, 2).map_or(0, |yes| yes as u8 + 1)).collect())),
    ];
    let mut data = EventData::default();
    for ordinal in all() {
        let hash = mix(u64::from(ordinal) << 4 | 9);
        let ago = |row| (mix(hash ^ row) % (180 * DAY as u64)) as u32;
        let mut times: Vec<u32> = (0..hash % 11).map(|row| NOW as u32 - ago(row)).collect();
        times.sort_unstable();
        data.ordinals.extend(times.iter().map(|_| ordinal));
        data.times.extend(times);
    }
    let row = |at: usize, salt: u64, values: u64| mix(at as u64 ^ salt << 40) % values;
    let rows = 0..data.times.len();
    let amounts = rows.clone().map(|at| row(at, 1, 20_000) as f64 / 100.0).collect();
    let shops = rows.map(|at| row(at, 2, SHOPS) as u32 + 1).collect();
    data.properties = vec![
        ("amount".to_owned(), PropData::Number(amounts)),
        ("shop".to_owned(), PropData::Category { codes: shops, dictionary: names('s', SHOPS) }),
    ];
    let seeds = all().map(|at| mix(at.into()) as u32).collect();
    ColumnData { ordinals: profiles, seeds, traits, lists: Vec::new(), events: vec![("purchase".to_owned(), data)] }
}

/// A rule, and the same as a condition in SQL. A test of an unknown value is false here, so it is made so there.
pub type Question = (&'static str, String, String);

fn of_trait(seed: u64) -> (String, String) {
    let value = |values| mix(seed ^ 77) % values;
    let (rule, sql) = match seed % 4 {
        0 => (
            format!("age between {} and {}", value(60), value(60) + 25),
            format!("age BETWEEN {} AND {}", value(60), value(60) + 25),
        ),
        1 => (format!("income >= {}", value(10_000)), format!("income >= {}", value(10_000))),
        2 => {
            let (a, b) = (value(REGIONS), mix(seed ^ 78) % REGIONS);
            (format!("region in (r{a:02}, r{b:02})"), format!("region IN ('r{a:02}', 'r{b:02}')"))
        }
        _ => ("vip".to_owned(), "vip".to_owned()),
    };
    (rule, format!("coalesce({sql}, false)"))
}

fn of_event(seed: u64) -> (String, String) {
    let (days, shop) = (1 + seed % 90, mix(seed ^ 5) % SHOPS);
    let since = NOW - days as i64 * DAY;
    let sql = format!("profile IN (SELECT profile FROM purchase WHERE time > {since} AND shop = 's{shop:02}')");
    (format!("did purchase where shop = s{shop:02} within {days} days"), sql)
}

fn of_more(seed: u64) -> (String, String) {
    let (days, least) = (30 + seed % 90, mix(seed ^ 6) % 400);
    let since = NOW - days as i64 * DAY;
    let (what, having) = match seed % 3 {
        0 => (format!("with sum of amount > {least}.005"), format!("sum(amount) > {least}.005")),
        1 => (format!("at least {} times", 2 + seed % 3), format!("count(*) >= {}", 2 + seed % 3)),
        _ => (format!("with max of amount > {least}.005"), format!("max(amount) > {least}.005")),
    };
    let grouped = format!("SELECT profile FROM purchase WHERE time > {since} GROUP BY profile HAVING {having}");
    (format!("did purchase {what} within {days} days"), format!("profile IN ({grouped})"))
}

/// 60 of a hundred of traits alone, 30 with one event, 10 with more.
pub fn question(number: u64) -> Question {
    let seed = mix(number ^ 0xabcd);
    let mut parts: Vec<(String, String)> = (0..1 + seed % 3).map(|part| of_trait(mix(seed ^ part))).collect();
    let kind = match number % 10 {
        0..6 => "traits",
        6..9 => {
            parts.push(of_event(seed));
            "one event"
        }
        _ => {
            parts.extend([of_event(seed), of_more(seed)]);
            "more"
        }
    };
    let joined = |between: &str, of: &dyn Fn(&(String, String)) -> String| {
        parts.iter().map(of).collect::<Vec<_>>().join(between)
    };
    (kind, joined(" and ", &|part| part.0.clone()), joined(" AND ", &|part| part.1.clone()))
}

pub fn plan<'c>(columns: &'c Columns<'c>, rule: &vaglio::audiences::Expr) -> Plan<'c> {
    Plan::of_rules(&[rule], &Catalogue::default(), columns, Timestamp(NOW), &jiff::tz::TimeZone::UTC)
}

pub fn survey(columns: &Columns<'_>, rule: &vaglio::audiences::Expr) -> u64 {
    plan(columns, rule).survey(&[], &Watch::default()).expect("nobody breaks it off")[0].total
}

/// A set of people, and the condition that makes it.
pub fn set(columns: &Columns<'_>, seed: u64) -> (String, RoaringBitmap) {
    let (rule, sql) = of_trait(seed);
    let expr = parse(&rule, "bench").unwrap_or_else(|errors| panic!("{rule}: {errors:?}")).expr;
    let members = plan(columns, &expr).members(&Watch::default()).expect("nobody breaks it off");
    (sql, members.into_iter().next().unwrap_or_default())
}

/// How many combinations there are, and how many people in all of them.
fn overlap_sql(sets: &[(String, RoaringBitmap)]) -> String {
    let bits: Vec<String> = sets.iter().enumerate().map(|(at, (sql, _))| format!("(({sql})::INT << {at})")).collect();
    let grouped = format!("SELECT {} AS mask, count(*) AS n FROM people GROUP BY mask", bits.join(" | "));
    format!("SELECT count(*), sum(n) FROM ({grouped}) WHERE mask <> 0")
}

/// A question, as DuckDB is asked it, with what was counted and how long that took.
pub struct Asked {
    pub kind: String,
    pub sql: String,
    pub ms: f64,
    pub counted: String,
}

impl Asked {
    pub fn rule((kind, _, sql): &Question, ms: f64, members: u64) -> Asked {
        let sql = format!("SELECT count(*) FROM people WHERE {sql}");
        Asked { kind: (*kind).to_owned(), sql, ms, counted: members.to_string() }
    }

    pub fn overlap(sets: &[(String, RoaringBitmap)], ms: f64, found: &Overlap) -> Asked {
        let (parts, people) = (found.exclusive.len(), found.exclusive.iter().map(|part| part.1).sum::<u64>());
        let kind = format!("overlap of {}", sets.len());
        Asked { kind, sql: overlap_sql(sets), ms, counted: format!("{parts},{people}") }
    }

    pub fn breakdown(ms: f64, parts: &[(Value, u64)]) -> Asked {
        let sql = "SELECT count(*), sum(n) FROM (SELECT region, count(*) AS n FROM people GROUP BY region)".to_owned();
        let people: u64 = parts.iter().map(|part| part.1).sum();
        Asked { kind: "breakdown".to_owned(), sql, ms, counted: format!("{},{people}", parts.len()) }
    }
}

/// Writes the columns as CSV and the questions as SQL.
pub fn write(folder: &Path, data: &ColumnData, asked: &[Asked]) -> std::io::Result<()> {
    write_columns(folder, data)?;
    let line = |it: &Asked| format!("{}\t{}\t{}\t{}\n", it.kind, it.ms, it.counted, it.sql);
    std::fs::write(folder.join("questions.tsv"), asked.iter().map(line).collect::<String>())
}

fn write_columns(folder: &Path, data: &ColumnData) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut people = BufWriter::new(std::fs::File::create(folder.join("people.csv"))?);
    writeln!(people, "profile,age,income,region,vip")?;
    for at in 0..data.ordinals {
        let number = |salt, values| draw(at, salt, values).map_or(String::new(), |value| value.to_string());
        let region = draw(at, 3, REGIONS).map_or(String::new(), |value| format!("r{value:02}"));
        let vip = draw(at, 4, 2).map_or("", |yes| if yes == 1 { "true" } else { "false" });
        writeln!(people, "{at},{},{},{region},{vip}", number(1, 100), number(2, 10_000))?;
    }
    people.flush()?;
    let mut rows = BufWriter::new(std::fs::File::create(folder.join("purchase.csv"))?);
    writeln!(rows, "profile,time,amount,shop")?;
    let (_, purchases) = &data.events[0];
    let (PropData::Number(amounts), PropData::Category { codes, dictionary }) =
        (&purchases.properties[0].1, &purchases.properties[1].1)
    else {
        return Ok(());
    };
    for (at, (profile, time)) in purchases.ordinals.iter().zip(&purchases.times).enumerate() {
        writeln!(rows, "{profile},{time},{},{}", amounts[at], dictionary[codes[at] as usize - 1])?;
    }
    rows.flush()
}
