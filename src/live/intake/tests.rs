//! An intake on a log in memory that fails when it is told to.

use super::*;
use crate::error::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Clone, Default)]
struct Memory {
    written: Arc<Mutex<Vec<Vec<u8>>>>,
    synced: Arc<Mutex<usize>>,
    full: Arc<AtomicBool>,
    broken: Arc<AtomicBool>,
    /// Held by a test that wants the disk to be slow.
    slow: Arc<Mutex<()>>,
}

impl Journal for Memory {
    fn append(&mut self, records: &[(Offset, Vec<u8>)]) -> Result<Offset> {
        if self.full.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::NoRoom, "the disk is full"));
        }
        let mut written = self.written.lock();
        let first = Offset(written.len() as u64);
        written.extend(records.iter().map(|(_, record)| record.clone()));
        Ok(first)
    }
    fn sync(&mut self) -> Result<()> {
        drop(self.slow.lock());
        if self.broken.load(Ordering::Relaxed) {
            return Err(Error::io("sync", std::io::Error::other("EIO")));
        }
        *self.synced.lock() = self.written.lock().len();
        Ok(())
    }
    fn seal(&mut self) -> Result<Offset> {
        Ok(self.end())
    }
    fn release(&mut self, _: Offset, _: Timestamp) -> Result<()> {
        Ok(())
    }
    fn end(&self) -> Offset {
        Offset(self.written.lock().len() as u64)
    }
}

/// Applies only what is durable, in the order of the log.
struct Applied(Memory, Arc<Mutex<Vec<u64>>>);

impl Apply for Applied {
    fn apply(&mut self, batch: &[(Offset, Vec<u8>)]) {
        let mut applied = self.1.lock();
        for (offset, record) in batch {
            assert!((offset.0 as usize) < *self.0.synced.lock());
            assert_eq!(&self.0.written.lock()[offset.0 as usize], record);
            applied.push(offset.0);
        }
    }
}

fn start(queue_bytes: usize) -> (Intake, Memory, Arc<Mutex<Vec<u64>>>) {
    let (memory, applied) = (Memory::default(), Arc::default());
    let settings = Settings { queue_bytes, dedupe_hours: 24, known: Dedupe::new(24), clock: Clock::System };
    let apply = Applied(memory.clone(), Arc::clone(&applied));
    (Intake::start(memory.clone(), settings, apply).unwrap(), memory, applied)
}

fn records(ids: impl IntoIterator<Item = u128>) -> Vec<Incoming> {
    ids.into_iter().map(|id| Incoming { id, encoded: id.to_le_bytes().to_vec() }).collect()
}

#[test]
fn what_is_acknowledged_is_durable_and_applied_and_taken_once() {
    let (intake, memory, applied) = start(1 << 20);
    let said = intake.submit(records([1, 2, 1])).blocking_recv().unwrap().unwrap();
    assert_eq!(said, [Outcome::Accepted(Offset(0)), Outcome::Accepted(Offset(1)), Outcome::Duplicate]);
    let said = intake.submit(records([2, 3])).blocking_recv().unwrap().unwrap();
    assert_eq!(said, [Outcome::Duplicate, Outcome::Accepted(Offset(2))]);
    assert_eq!((*memory.synced.lock(), applied.lock().as_slice()), (3, &[0, 1, 2][..]));
    assert_eq!(intake.seal().unwrap(), Offset(3));
    intake.release(Offset(3)).unwrap();
    let State { accepted, duplicate, end, queued_bytes, .. } = intake.state();
    assert_eq!((accepted, duplicate, end, queued_bytes), (3, 2, Offset(3), 0));
    assert_eq!(intake.submit(Vec::new()).blocking_recv().unwrap(), Ok(Vec::new()));
}

#[test]
fn many_submit_at_once_and_one_sync_is_for_all_that_wait() {
    let (intake, memory, applied) = start(1 << 20);
    let (slow, intake) = (Arc::clone(&memory.slow), &intake);
    let held = slow.lock();
    let answers: Vec<_> = (0..100).map(|n| intake.submit(records([n / 2, 1_000 + n]))).collect();
    assert!(intake.state().queued_bytes > 0);
    while intake.state().behind < Duration::from_millis(20) {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(held);
    let said: Vec<_> = answers.into_iter().flat_map(|answer| answer.blocking_recv().unwrap().unwrap()).collect();
    assert_eq!(said.iter().filter(|outcome| **outcome == Outcome::Duplicate).count(), 50);
    assert!(applied.lock().is_sorted() && applied.lock().len() == 150);
    assert!(intake.state().syncs <= 3, "{:?}", intake.state());
    assert_eq!(intake.state().behind, Duration::ZERO);
}

#[test]
fn a_full_queue_takes_nothing_of_a_batch_and_a_large_batch_is_taken_alone() {
    let (intake, memory, _) = start(200);
    let large = intake.submit(records(0..100)).blocking_recv().unwrap().unwrap();
    assert_eq!(large.len(), 100);
    let held = memory.slow.lock();
    let first = intake.submit(records([200, 201]));
    assert_eq!(intake.submit(records(300..310)).blocking_recv().unwrap(), Err(Stopped::Busy));
    drop(held);
    assert_eq!(first.blocking_recv().unwrap().unwrap().len(), 2);
    assert!(intake.submit(records([300])).blocking_recv().unwrap().is_ok());
    assert_eq!(memory.written.lock().len(), 103);
}

#[test]
fn a_full_disk_refuses_until_there_is_room() {
    let (intake, memory, _) = start(1 << 20);
    memory.full.store(true, Ordering::Relaxed);
    assert!(matches!(intake.submit(records([1])).blocking_recv().unwrap(), Err(Stopped::Full(_))));
    assert!(intake.state().refusing.is_some());
    memory.full.store(false, Ordering::Relaxed);
    let said = intake.submit(records([1])).blocking_recv().unwrap().unwrap();
    assert_eq!(said, [Outcome::Accepted(Offset(0))], "what was refused is not remembered");
    assert!(intake.state().refusing.is_none());
}

#[test]
fn a_failed_sync_acknowledges_nothing_any_more() {
    let (intake, memory, applied) = start(1 << 20);
    assert!(intake.submit(records([1])).blocking_recv().unwrap().is_ok());
    memory.broken.store(true, Ordering::Relaxed);
    assert!(matches!(intake.submit(records([2])).blocking_recv().unwrap(), Err(Stopped::Failed(_))));
    memory.broken.store(false, Ordering::Relaxed);
    for ids in [[1], [2], [3]] {
        assert!(matches!(intake.submit(records(ids)).blocking_recv().unwrap(), Err(Stopped::Failed(_))));
    }
    assert!(intake.state().stopped.unwrap().contains("EIO") && intake.seal().is_err());
    assert_eq!(*applied.lock(), [0]);
}

#[test]
fn closing_writes_what_was_submitted() {
    let (intake, memory, _) = start(1 << 20);
    let held = memory.slow.lock();
    let answers: Vec<_> = (0..10).map(|n| intake.submit(records([n]))).collect();
    drop(held);
    intake.close();
    assert!(answers.into_iter().all(|answer| answer.blocking_recv().unwrap().is_ok()));
    assert_eq!(*memory.synced.lock(), 10);
    assert!(matches!(intake.submit(records([99])).blocking_recv().unwrap(), Err(Stopped::Failed(_))));
}

#[test]
fn a_panic_while_applying_stops_it() {
    struct Panics;
    impl Apply for Panics {
        fn apply(&mut self, _: &[(Offset, Vec<u8>)]) {
            panic!("a bug");
        }
    }
    let settings = Settings { queue_bytes: 100, dedupe_hours: 1, known: Dedupe::new(1), clock: Clock::System };
    let intake = Intake::start(Memory::default(), settings, Panics).unwrap();
    assert!(matches!(intake.submit(records([1])).blocking_recv().unwrap(), Err(Stopped::Failed(_))));
    assert!(matches!(intake.submit(records([1])).blocking_recv().unwrap(), Err(Stopped::Failed(_))));
}
