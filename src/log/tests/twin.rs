//! A log against a vector, and against readers that look while it is written.

use super::*;
use proptest::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<Vec<u8>>),
    Sync,
    Seal,
    Reopen,
    Release(prop::sample::Index),
    Read(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use prop::sample::Index;
    let payload = prop::collection::vec(any::<u8>(), 1..80);
    let step = prop_oneof![
        5 => prop::collection::vec(payload, 0..6).prop_map(Step::Append),
        3 => Just(Step::Sync),
        1 => Just(Step::Seal),
        2 => Just(Step::Reopen),
        1 => any::<Index>().prop_map(Step::Release),
        2 => any::<Index>().prop_map(Step::Read),
    ];
    prop::collection::vec(step, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_is_a_vector_on_disk(steps in steps()) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log/events");
        let (mut log, _) = Log::open(&path, SETTINGS).unwrap();
        let (mut twin, mut sealed) = (Vec::<Vec<u8>>::new(), 0);
        for step in steps {
            match step {
                Step::Append(batch) => {
                    prop_assert_eq!(log.append(&batch).unwrap(), Offset(twin.len() as u64));
                    twin.extend(batch);
                }
                Step::Sync => log.sync().unwrap(),
                Step::Seal => {
                    sealed = twin.len();
                    prop_assert_eq!(log.seal().unwrap(), Offset(sealed as u64));
                }
                Step::Reopen => {
                    drop(log);
                    let (again, recovery) = Log::open(&path, SETTINGS).unwrap();
                    prop_assert_eq!((recovery.end, recovery.torn_bytes), (Offset(twin.len() as u64), 0));
                    prop_assert_eq!(recovery.oldest, oldest(&path).unwrap());
                    log = again;
                }
                Step::Release(at) => {
                    let before = (at.index(twin.len() + 1) as u64).max(oldest(&path).unwrap().0);
                    log.release(Offset(before), Timestamp(0)).unwrap();
                    log.release(Offset(before), Timestamp(i64::MAX)).unwrap();
                    prop_assert!(oldest(&path).unwrap() <= Offset(before));
                }
                Step::Read(at) => {
                    let from = (at.index(twin.len() + 1) as u64).max(oldest(&path).unwrap().0);
                    prop_assert_eq!(all(&path, from, Which::All), &twin[from as usize..]);
                    let in_sealed = from.min(sealed as u64).max(oldest(&path).unwrap().0);
                    let read = all(&path, in_sealed, Which::Sealed);
                    prop_assert!(read.len() >= sealed.saturating_sub(in_sealed as usize));
                    prop_assert!(twin[in_sealed as usize..].starts_with(&read));
                }
            }
            prop_assert_eq!(log.end(), Offset(twin.len() as u64));
        }
    }
}

#[test]
fn a_reader_sees_the_beginning_of_what_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events");
    let (mut log, _) = Log::open(&path, Settings { segment_bytes: 20_000, reserve_bytes: 0 }).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = |which| {
            let (path, done) = (&path, &done);
            scope.spawn(move || {
                let mut before = 0;
                while !done.load(Ordering::Relaxed) {
                    let mut next = oldest(path).unwrap().0;
                    let read = read(path, Offset(next), which, &mut |offset, payload| {
                        assert_eq!(offset, Offset(next));
                        assert_eq!(payload, next.to_le_bytes().repeat(1 + (next % 40) as usize), "{next}");
                        next += 1;
                        Ok(())
                    });
                    match read {
                        Ok(end) => {
                            assert!(end.0 >= before, "{} {before}", end.0);
                            before = end.0;
                        }
                        Err(error) => assert!(error.to_string().contains("it was removed"), "{error}"),
                    }
                }
            })
        };
        let readers = [reader(Which::All), reader(Which::All), reader(Which::Sealed)];
        let mut next = 0_u64;
        for batch in 0..600_u64 {
            let records = (next..next + batch % 30).map(|n| n.to_le_bytes().repeat(1 + (n % 40) as usize));
            log.append(records).unwrap();
            next += batch % 30;
            if batch % 3 != 0 {
                log.sync().unwrap();
            }
            if batch % 200 == 199 {
                log.release(Offset(next / 2), Timestamp(i64::MAX)).unwrap();
            }
        }
        done.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

#[test]
fn a_log_without_records_goes_on_where_a_generation_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events");
    let (mut log, _) = Log::open(&path, SETTINGS).unwrap();
    log.skip_to(Offset(70)).unwrap();
    log.skip_to(Offset(30)).unwrap();
    assert_eq!(log.append([b"first"]).unwrap(), Offset(70));
    let error = log.skip_to(Offset(80)).unwrap_err().to_string();
    assert!(error.contains("ends at record 71, and record 80 is expected"), "{error}");
    drop(log);
    let (log, recovery) = Log::open(&path, SETTINGS).unwrap();
    assert_eq!((log.end(), recovery.oldest), (Offset(71), Offset(70)));
    assert_eq!(all(&path, 70, Which::All), [b"first"]);
}
