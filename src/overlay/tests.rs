//! The overlay as its one writer and its readers use it.

use super::*;

fn key(at: u128) -> ProfileKey {
    ProfileKey(at << 64 | at)
}

fn overlay(profiles: u32) -> Overlay {
    Overlay::new(profiles, KeyHasher::new([1; 16]), Arc::default())
}

fn audiences(overlay: &Overlay, profile: u32, minute: i64) -> Vec<u32> {
    let mut audiences = vec![3];
    overlay.apply(profile, Timestamp(minute * 60), &mut audiences);
    audiences
}

#[test]
fn changes_replace_each_other_and_an_empty_list_forgets() {
    let overlay = overlay(10);
    assert!(overlay.is_quiet());
    overlay.change(4, Box::new([Change::new(0, 3, false), Change::new(7, 5, true)]));
    assert!(!overlay.is_quiet());
    assert_eq!((audiences(&overlay, 4, 6), audiences(&overlay, 4, 7)), (vec![], vec![5]));
    assert_eq!(audiences(&overlay, 5, 7), [3]);
    let full = overlay.bytes();
    overlay.change(4, Box::new([Change::new(0, 1, true)]));
    assert_eq!((audiences(&overlay, 4, 7), overlay.changed()), (vec![1, 3], 1));
    assert_eq!(overlay.bytes(), full - 8);
    overlay.change(4, Box::new([]));
    overlay.change(4, Box::new([]));
    assert_eq!((audiences(&overlay, 4, 7), overlay.changed()), (vec![3], 0));
}

#[test]
fn strangers_and_consents_are_found() {
    let overlay = overlay(10);
    assert_eq!(overlay.stranger(key(1)), None);
    overlay.start_strangers_with(Box::new([2]));
    overlay.change(10, Box::new([Change::new(0, 4, true)]));
    overlay.admit(key(1), 10);
    assert_eq!((overlay.stranger(key(1)), overlay.stranger(key(2)), overlay.nobody()), (Some(10), None, &[2][..]));
    assert_eq!(audiences(&overlay, 10, 0), [3, 4]);
    for (profile, consents) in [(3, true), (10, false)] {
        assert_eq!(overlay.consent(profile), None);
        overlay.say_consent(profile, consents);
        assert_eq!(overlay.consent(profile), Some(consents));
    }
}

#[test]
fn a_reader_that_was_told_sees_what_was_written_before() {
    let (overlay, told) = (overlay(1_000), std::sync::atomic::AtomicU32::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=20_000u32 {
                overlay.change(round % 1_500, Box::new([Change::new(0, round, true)]));
                told.store(round, Ordering::Release);
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let round = told.load(Ordering::Acquire);
                    let mut found = Vec::new();
                    overlay.apply(round % 1_500, Timestamp(0), &mut found);
                    // Only a later round of the same profile may have come since.
                    assert!(
                        round == 0 || found.first().is_some_and(|audience| *audience >= round),
                        "{round}: {found:?}"
                    );
                    if round == 20_000 {
                        return;
                    }
                }
            });
        }
    });
}
