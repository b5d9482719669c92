//! The events log as the intake sees it, and what the log says that is known already.

use super::dedupe::Dedupe;
use super::intake::Journal;
use crate::error::Result;
use crate::log::{self, Log, Record, Which};
use crate::schema::{Offset, Timestamp};
use std::path::Path;

impl Journal for Log {
    fn append(&mut self, records: &[(Offset, Vec<u8>)]) -> Result<Offset> {
        Log::append(self, records.iter().map(|(_, record)| record.as_slice()))
    }

    fn sync(&mut self) -> Result<()> {
        Log::sync(self)
    }

    fn seal(&mut self) -> Result<Offset> {
        Log::seal(self)
    }

    fn release(&mut self, before: Offset, newest_needed: Timestamp) -> Result<()> {
        Log::release(self, before, newest_needed).map(drop)
    }

    fn end(&self) -> Offset {
        Log::end(self)
    }
}

impl Dedupe {
    /// Remembers what the log in a directory holds, as of the times at which it was received.
    ///
    /// # Errors
    /// A log that cannot be read.
    pub fn restore(directory: &Path, hours: u32) -> Result<Self> {
        let mut known = Dedupe::new(hours);
        log::read(directory, log::oldest(directory)?, Which::All, &mut |_, bytes| {
            let record = Record::decode(bytes)?;
            known.advance(Timestamp(record.received));
            known.insert(record.id);
            Ok(())
        })?;
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use crate::live::{Apply, Dedupe, Incoming, Intake, Outcome, Settings};
    use crate::log::{self, Identifier, Log, Record, Said};
    use crate::schema::{Clock, Offset, ProfileKey};
    use smallvec::smallvec;
    use std::borrow::Cow;
    use std::path::Path;

    struct Nowhere;

    impl Apply for Nowhere {
        fn apply(&mut self, _: &[(Offset, Vec<u8>)]) {}
    }

    fn open(directory: &Path) -> Intake {
        let (log, _) = Log::open(directory, log::Settings { segment_bytes: 4_096, reserve_bytes: 0 }).unwrap();
        let known = Dedupe::restore(directory, 24).unwrap();
        let settings = Settings { queue_bytes: 1 << 20, dedupe_hours: 24, known, clock: Clock::System };
        Intake::start(log, settings, Nowhere).unwrap()
    }

    fn incoming(id: u128, age: i64) -> Incoming {
        let keys = smallvec![Identifier { key: ProfileKey(id), id_type: Cow::Borrowed("crm") }];
        let received = Clock::System.now().0 - age;
        let mut encoded = Vec::new();
        Record { id, time: received, received, keys, said: Said::Consent(true) }.encode(&mut encoded).unwrap();
        Incoming { id, encoded }
    }

    #[test]
    fn what_is_in_the_log_is_known_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let batch = |ids: std::ops::Range<u128>, age: i64| ids.map(|id| incoming(id, age)).collect::<Vec<_>>();
        let intake = open(directory.path());
        assert_eq!(intake.submit(batch(0..10, 48 * 3_600)).blocking_recv().unwrap().unwrap().len(), 10);
        assert_eq!(intake.submit(batch(10..500, 60)).blocking_recv().unwrap().unwrap().len(), 490);
        let cut = intake.seal().unwrap();
        assert_eq!(cut, Offset(500));
        drop(intake);

        let intake = open(directory.path());
        let said = intake.submit(batch(10..510, 0)).blocking_recv().unwrap().unwrap();
        assert_eq!(said.iter().filter(|outcome| **outcome == Outcome::Duplicate).count(), 490);
        assert_eq!(said.last(), Some(&Outcome::Accepted(Offset(509))));
        intake.release(cut).unwrap();
        assert_eq!(log::oldest(directory.path()).unwrap(), Offset(0), "younger than the hours that are remembered");
    }
}
