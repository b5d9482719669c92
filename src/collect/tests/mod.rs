//! Collections from files on disk, end to end.

use super::*;
use crate::config::Loaded;
use crate::config::load::from_text;
use crate::error::{Error, Result};
use crate::schema::KeyHasher;
use crate::telemetry::progress::{Mode, Progress};
use std::io::Write;
use tempfile::TempDir;

mod kinds;
#[cfg(feature = "lake")]
mod parquet;
mod wrong;

const SECRET: [u8; 16] = *b"0123456789abcdef";

/// A configuration with these sources, and the files they read.
pub(super) struct World {
    folder: TempDir,
    head: String,
    sources: String,
}

impl World {
    pub(super) fn new(sources: &str) -> Self {
        World {
            folder: TempDir::new().unwrap(),
            head: "timezone: Europe/Rome\nas_of: 2026-11-20T00:00:00Z".to_owned(),
            sources: sources.to_owned(),
        }
    }

    /// Adds top-level settings.
    fn with(mut self, settings: &str) -> Self {
        self.head += &format!("\n{settings}");
        self
    }

    pub(super) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.folder.path().join(name), content).unwrap();
        self
    }

    fn loaded(&self) -> Loaded {
        let text = format!("{}\nsources:\n{}", self.head, self.sources);
        from_text(&text, &self.folder.path().join("vaglio.yaml"), std::iter::empty()).unwrap()
    }

    /// The rows in words, sorted, and the report.
    pub(super) fn collect(&self) -> Result<(Vec<String>, CollectReport)> {
        let (loaded, keys) = (self.loaded(), KeyHasher::new(SECRET));
        let mut rows = Vec::new();
        let report = collect(&loaded, &keys, &Progress::new(Mode::Silent), &mut |batch| {
            rows.extend(batch.rows.iter().map(|row| describe(&loaded, &batch, row)));
            Ok(())
        })?;
        rows.sort();
        match report.problems(&loaded) {
            problems if problems.is_empty() => Ok((rows, report)),
            problems => Err(Error::input("the sources are not fit to build from").with_problems(problems)),
        }
    }

    /// The error without the folder's name.
    pub(super) fn error(&self) -> String {
        self.collect().unwrap_err().to_string().replace(&format!("{}/", self.folder.path().display()), "")
    }
}

/// `(crm:1a2b) @time profile age=3 tags=x`: keys by the start of their hash.
fn describe(loaded: &Loaded, batch: &Batch, row: &Row) -> String {
    let keys: Vec<_> = batch
        .keys(row)
        .iter()
        .map(|key| format!("{}:{}", loaded.id_types[usize::from(key.id_type)].name, &key.key.to_string()[..4]))
        .collect();
    let what = match row.kind {
        RowKind::Event { event, id } => {
            let id = id.map_or(String::new(), |id| format!("#{:04x}", id & 0xffff));
            format!("{}{id}", loaded.declarations.events[usize::from(event)].name)
        }
        RowKind::Profile => "profile".to_owned(),
        RowKind::Membership { list, remove, ttl_minutes } => {
            format!("{}{} {ttl_minutes:?}", if remove { "-" } else { "+" }, batch.lists[usize::from(list)])
        }
        RowKind::Link { level } => format!("{level:?}"),
        RowKind::Consent { what } => format!("{what:?}"),
    };
    let cells = batch.cells(row).iter().map(|(number, cell)| {
        let name = match row.kind {
            RowKind::Event { event, .. } => {
                &loaded.declarations.events[usize::from(event)].properties[usize::from(*number)].name
            }
            _ => &loaded.declarations.traits[usize::from(*number)].name,
        };
        match cell {
            Cell::Text { .. } => format!(" {name}={}", batch.text(*cell)),
            Cell::Flag(flag) => format!(" {name}={flag}"),
            Cell::Number(value) => format!(" {name}={value}"),
            Cell::Date(days) => format!(" {name}=day{days}"),
        }
    });
    format!("({}) @{} {what}{}", keys.join(" "), row.time, cells.collect::<String>())
}

fn key(id_type: &str, uid: &str) -> String {
    format!("{id_type}:{}", &KeyHasher::new(SECRET).key(id_type, uid).to_string()[..4])
}

const EVENTS: &str = "
  - name: web
    kind: events
    path: web*
    ids: [{ column: user, type: crm }]
    time: { column: at }
    event: { column: what, names: [view, buy], map: { purchase: buy, page: view } }
    event_id: id
    properties:
      - { column: amount, kind: number, events: [buy] }
      - { column: page, kind: category }
";

const EVENT_ROWS: &str = "id,user,at,what,amount,page
e1,u1,2026-11-01T10:00:00Z,purchase,9.5,shop
e2,u1,2026-11-01T11:00:00+01:00,view,7,home
,u2,2026-11-02T00:00:00.5Z,buy,,
";

fn event_rows() -> Vec<String> {
    let id = |id: &str| format!("{:04x}", KeyHasher::new(SECRET).event_id(id.as_bytes()) & 0xffff);
    let mut rows = vec![
        format!("({}) @1793527200 buy#{} amount=9.5 page=shop", key("crm", "u1"), id("e1")),
        format!("({}) @1793527200 view#{} page=home", key("crm", "u1"), id("e2")),
        format!("({}) @1793577600 buy", key("crm", "u2")),
    ];
    rows.sort();
    rows
}

#[test]
fn events_come_the_same_from_every_text_format_and_packing() {
    let gzip = |text: &str| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    let json = r#"{"id":"e1","user":"u1","at":"2026-11-01T10:00:00Z","what":"purchase","amount":9.5,"page":"shop"}
{"id":"e2","user":"u1","at":"2026-11-01T11:00:00+01:00","what":"view","amount":7,"page":"home"}

{"user":"u2","at":"2026-11-02T00:00:00.5Z","what":"buy","amount":null}"#;
    let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
    let worlds = [
        World::new(EVENTS).file("web.csv", EVENT_ROWS),
        World::new(EVENTS).file("web.csv.gz", gzip(EVENT_ROWS)),
        World::new(EVENTS).file("web.csv.zst", zstd(EVENT_ROWS)),
        World::new(EVENTS).file("web.csv", EVENT_ROWS.replace('\n', "\r\n")),
        World::new(EVENTS).file("web.csv", format!("\u{feff}{EVENT_ROWS}")),
        World::new(EVENTS).file("web.ndjson", json),
        World::new(EVENTS).file("web.jsonl.gz", gzip(json)),
        World::new(EVENTS).file("web.ndjson.zst", zstd(json)),
    ];
    for (at, world) in worlds.into_iter().enumerate() {
        let (rows, report) = world.collect().unwrap();
        assert_eq!(rows, event_rows(), "world {at}");
        let source = &report.sources[0];
        assert_eq!((source.rows, source.accepted, source.rejected, source.files), (3, 3, 0, 1), "world {at}");
    }
}
