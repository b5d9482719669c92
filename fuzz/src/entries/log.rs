//! The logs: their records, and their segments.

use super::seen;
use vaglio::log::frame::{Header, Piece, Pieces};
use vaglio::log::{self, Control, Log, Record, Which};

/// A record of the events log: what is read has one encoding.
pub(super) fn record(bytes: &[u8]) {
    if let Ok(record) = Record::decode(bytes) {
        let mut again = Vec::new();
        record.encode(&mut again).expect("what was read can be written");
        assert_eq!(again, bytes);
    }
}

/// A record of the control log: as above.
pub(super) fn control(bytes: &[u8]) {
    if let Ok(control) = Control::decode(bytes) {
        let mut again = Vec::new();
        control.encode(&mut again).expect("what was read can be written");
        assert_eq!(again, bytes);
    }
}

/// A log segment, looked at, and found in a directory: it is refused, or what is repaired is read.
pub(super) fn segment(bytes: &[u8]) {
    let Ok(header) = Header::read(bytes) else { return };
    let mut pieces = Pieces::new(bytes, header.first);
    let mut payloads = Vec::new();
    while let Ok(Some(piece)) = pieces.advance() {
        match piece {
            Piece::Record(payload) => payloads.push(payload),
            Piece::Mark => {}
            Piece::End(footer) => assert_eq!(footer.records, payloads.len() as u64),
        }
    }
    seen(pieces.was_durable());
    let directory = tempfile::tempdir().expect("a temporary directory");
    for kind in ["log", "open"] {
        let path = directory.path().join(kind);
        std::fs::create_dir(&path).expect("the temporary directory is writable");
        std::fs::write(path.join(format!("{:020}.{kind}", header.first)), bytes).expect("as above");
        let settings = log::Settings { segment_bytes: 1 << 20, reserve_bytes: 0 };
        let Ok((log, recovery)) = Log::open(&path, settings) else { continue };
        let mut told = Vec::new();
        let read = log::read(&path, recovery.oldest, Which::All, &mut |_, payload| {
            told.push(payload.to_vec());
            Ok(())
        });
        assert!(payloads.iter().zip(&told).all(|(payload, told)| payload == told), "the records that are there");
        assert!(kind == "log" || read.is_ok_and(|end| end == log.end() && told.len() == payloads.len()));
    }
}
