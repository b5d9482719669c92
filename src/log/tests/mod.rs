//! The log against obvious twins.

use super::*;
use crate::schema::{BlockKey, Clock, Offset, Scope, Timestamp};
use std::path::Path;

mod codes;
mod controls;
mod crashes;
mod trail;
mod twin;

const SETTINGS: Settings = Settings { segment_bytes: 400, reserve_bytes: 4096 };

fn all(directory: &Path, from: u64, which: Which) -> Vec<Vec<u8>> {
    let mut next = from;
    let mut found = Vec::new();
    let end = read(directory, Offset(from), which, &mut |offset, payload| {
        assert_eq!(offset, Offset(next));
        next += 1;
        found.push(payload.to_vec());
        Ok(())
    });
    assert_eq!(end.unwrap(), Offset(next));
    found
}

#[test]
fn what_is_appended_is_read_again_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log/events");
    let mut twin: Vec<Vec<u8>> = Vec::new();
    for round in 0..5_u8 {
        let (mut log, recovery) = Log::open(&path, SETTINGS).unwrap();
        assert_eq!((recovery.end, recovery.torn_bytes), (Offset(twin.len() as u64), 0));
        for batch in 0..4_u8 {
            let batch: Vec<Vec<u8>> = (0..batch * 3).map(|n| vec![round; 1 + usize::from(n) * 7]).collect();
            assert_eq!(log.append(&batch).unwrap(), Offset(twin.len() as u64));
            log.sync().unwrap();
            twin.extend(batch);
            assert_eq!(log.end(), Offset(twin.len() as u64));
        }
        assert_eq!(all(&path, 0, Which::All), twin);
        if round % 2 == 0 {
            assert_eq!(log.seal().unwrap(), log.end());
            assert_eq!(all(&path, 3, Which::Sealed), twin[3..]);
        }
    }
    let (mut log, _) = Log::open(&path, SETTINGS).unwrap();
    assert!(Log::open(&path, SETTINGS).is_err_and(|error| error.kind == crate::error::ErrorKind::Busy));
    log.seal().unwrap();
    assert!(log.release(log.end(), Timestamp(i64::MAX)).unwrap() > 3);
    drop(log);
    let (log, recovery) = Log::open(&path, SETTINGS).unwrap();
    assert_eq!((log.end(), recovery.oldest), (Offset(twin.len() as u64), Offset(twin.len() as u64)));
}
