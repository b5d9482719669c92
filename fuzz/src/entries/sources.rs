//! What an operator gives: the configuration, and files of rows.

use super::hasher;
use std::path::Path;
use vaglio::collect::collect;
use vaglio::config::{Loaded, load::from_text};
use vaglio::telemetry::progress::{Mode, Progress};

/// The configuration.
pub(super) fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = from_text(&text, Path::new("/nowhere/vaglio.yaml"), std::iter::empty()) {
        assert_eq!(error.exit_code(), 2);
        assert!(!error.to_string().is_empty());
    }
}

pub(super) fn csv(bytes: &[u8]) {
    read_source("csv", bytes);
}

pub(super) fn ndjson(bytes: &[u8]) {
    read_source("ndjson", bytes);
}

/// A file of events with every kind of column.
fn read_source(extension: &str, bytes: &[u8]) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join(format!("rows.{extension}"));
    std::fs::write(&path, bytes).expect("the temporary directory is writable");
    let loaded = source(directory.path(), extension);
    let mut rows = 0;
    let read = collect(&loaded, &hasher(), &Progress::new(Mode::Silent), &mut |batch| {
        rows += batch.rows.len() as u64;
        Ok(())
    });
    if let Ok(report) = read {
        assert_eq!(report.sources[0].accepted, rows);
    }
}

fn source(directory: &Path, extension: &str) -> Loaded {
    let text = format!(
        "as_of: 2026-11-01
build: {{ max_row_bytes: 4096, threads: 1 }}
sources:
  - name: rows
    kind: events
    path: rows.{extension}
    max_rejected_share: 1
    ids: [{{ column: id, type: crm }}, {{ column: email, type: email }}, {{ column: ifa, type: ifa }}]
    time: {{ column: time }}
    event: {{ column: event, names: [buy, view] }}
    event_id: n
    properties: [{{ column: amount, kind: number }}, {{ column: brand, kind: category }}, {{ column: new, kind: flag }}]
"
    );
    from_text(&text, &directory.join("vaglio.yaml"), std::iter::empty()).expect("the configuration is valid")
}
