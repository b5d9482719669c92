//! The table and the page, of runs that were made up. `VAGLIO_WRITE_REPORTS=FOLDER` writes the pages there, to be looked at.

use super::made_up::{empty, hostile, overload, saturation, soak, steady};
use super::{html, table};
use crate::load::measured::Run;
use quick_xml::Reader;
use quick_xml::events::Event;

fn pages() -> Vec<(&'static str, Vec<Run>)> {
    let slower = || {
        let mut run = steady();
        for phase in &mut run.phases {
            phase.latency.buckets.iter_mut().for_each(|bucket| bucket.0 = bucket.0 * 5 / 4);
            phase.latency.p99_us = phase.latency.p99_us * 5 / 4;
        }
        run
    };
    vec![
        ("steady", vec![steady()]),
        ("saturation", vec![saturation()]),
        ("overload", vec![overload()]),
        ("soak", vec![soak()]),
        ("hostile", vec![hostile(), steady()]),
        ("empty", vec![empty()]),
        ("compared", vec![steady(), slower(), soak()]),
        ("searches", vec![saturation(), overload()]),
    ]
}

/// The names of its elements, the values of its attributes, and its text; panics where it is not well-formed.
fn parsed(page: &str) -> (Vec<String>, Vec<(String, String)>, String) {
    let (mut elements, mut attributes, mut text) = (Vec::new(), Vec::new(), String::new());
    let mut reader = Reader::from_str(page);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(tag) | Event::Empty(tag) => {
                elements.push(String::from_utf8_lossy(tag.name().as_ref()).into_owned());
                for attribute in tag.attributes() {
                    let attribute = attribute.expect("once each, and quoted");
                    let value = String::from_utf8_lossy(&attribute.value).into_owned();
                    attributes.push((String::from_utf8_lossy(attribute.key.as_ref()).into_owned(), value));
                }
            }
            Event::Text(part) => text.push_str(&String::from_utf8_lossy(&part)),
            Event::Eof => return (elements, attributes, text),
            _ => {}
        }
    }
}

#[test]
fn the_table_says_everything_of_a_run() {
    insta::assert_snapshot!("steady", table(&steady()));
    insta::assert_snapshot!("overload", table(&overload()));
    insta::assert_snapshot!("empty", table(&empty()));
}

#[test]
fn a_terminal_is_told_nothing_by_a_file() {
    let table = table(&hostile());
    assert!(table.contains("\\u{1b}[31m"), "{table}");
    assert!(!table.chars().any(|letter| letter.is_control() && letter != '\n'));
}

#[test]
fn pages_are_well_formed_hold_everything_and_refer_to_nothing() {
    for (name, runs) in pages() {
        let page = html(&runs).expect(name);
        if let Some(folder) = std::env::var_os("VAGLIO_WRITE_REPORTS") {
            std::fs::write(std::path::Path::new(&folder).join(name).with_extension("html"), &page).expect("written");
        }
        let (elements, attributes, text) = parsed(&page);
        for forbidden in
            ["script", "img", "link", "iframe", "object", "embed", "use", "image", "foreignObject", "form", "input"]
        {
            assert!(!elements.iter().any(|element| element == forbidden), "{name}: <{forbidden}>");
        }
        for (key, value) in &attributes {
            assert!(!key.starts_with("on") && key != "style" && key != "src", "{name}: {key}={value}");
            assert!(key != "href" || value.starts_with('#'), "{name}: {key}={value}");
            let outside = value.contains("://") && !key.starts_with("xmlns");
            assert!(!outside && !value.contains("url("), "{name}: {key}={value}");
        }
        let mut ids: Vec<&String> = attributes.iter().filter(|(key, _)| key == "id").map(|(_, value)| value).collect();
        let many = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), many, "{name}: ids are unique");
        for phase in runs.iter().flat_map(|run| &run.phases).filter(|phase| !phase.name.contains('<')) {
            assert!(text.contains(&phase.name), "{name}: {}", phase.name);
        }
        assert!(page.len() < 2 << 20, "{name}: {} bytes", page.len());
    }
}

#[test]
fn every_picture_has_a_name_a_description_and_a_table() {
    for (name, runs) in pages() {
        let page = html(&runs).expect(name);
        for figure in page.split("<figure").skip(1) {
            let figure = figure.split("</figure>").next().unwrap_or_default();
            assert_eq!(figure.matches("role=\"img\"").count(), 2, "{name}: wide and narrow");
            assert_eq!(figure.matches("<desc id=").count(), 2);
            assert!(!figure.contains("></desc>"), "{name}: what is to be seen is said");
            assert!(figure.contains("<table>") && figure.contains("<figcaption><h"));
        }
    }
    let figures = |runs: &[Run]| html(runs).expect("a page").matches("<figure").count();
    assert_eq!([figures(&[steady()]), figures(&[saturation()]), figures(&[empty()])], [4, 5, 0]);
    assert_eq!(figures(&[saturation(), steady()]), 3 + 5 + 4);
}

#[test]
fn what_files_say_is_text() {
    let page = html(&[hostile()]).expect("a page");
    assert!(!page.contains("<script") && !page.contains("<img") && page.contains("&lt;script&gt;"));
    assert!(!page.contains('\u{1b}') && !page.contains('\0'));
}

#[test]
fn the_policy_names_the_style_and_forbids_the_rest() {
    use base64::Engine;
    use sha2::Digest;
    let page = html(&[steady()]).expect("a page");
    let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).expect("a style").0;
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
    let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'");
    assert!(page.contains(&policy));
    assert!(!style.contains("url(") && !style.contains("@import") && !style.contains('<'));
}

#[test]
fn no_run_is_no_page() {
    assert!(html(&[]).expect_err("refused").to_string().contains("--json"));
}
