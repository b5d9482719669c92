//! Every order of steps that a scheduler may choose, by shuttle: a writer that acknowledges, a server that swaps, readers who
//! were told. The functions under test are the ones in service.

use super::*;
use shuttle::rand::Rng;
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::sync::{Arc, Mutex};
use shuttle::thread;
use std::collections::BTreeSet;

const RECORDS: u64 = 5;
const SWAPS: usize = 3;
const SCHEDULES: usize = 800;

impl<T> Guarded<T> for Mutex<T> {
    fn with<R>(&self, run: impl FnOnce(&mut T) -> R) -> R {
        run(&mut self.lock().unwrap())
    }
}

/// What readers see of a generation: its cut, and the records applied behind it.
type View = (u64, Arc<Mutex<BTreeSet<u64>>>);

struct Tail {
    next: u64,
    applied: Arc<Mutex<BTreeSet<u64>>>,
}

impl Follower for Tail {
    fn take(&mut self, records: &[(Offset, Vec<u8>)]) {
        for (offset, _) in records {
            if offset.0 < self.next {
                continue;
            }
            assert_eq!(offset.0, self.next, "a record was missed");
            self.applied.lock().unwrap().insert(offset.0);
            self.next += 1;
        }
    }
}

#[derive(Default)]
struct World {
    /// Records in the log.
    log: Mutex<u64>,
    seat: Mutex<Seat<Tail>>,
    in_service: Mutex<Option<View>>,
    acknowledged: AtomicU64,
}

impl World {
    fn write(&self) {
        for record in 0..RECORDS {
            *self.log.lock().unwrap() += 1;
            self.seat.with(|seat| seat.apply(&[(Offset(record), Vec::new())]));
            self.acknowledged.store(record + 1, Ordering::SeqCst);
        }
    }

    fn catch_up(&self, tail: &mut Tail) -> Result<(), ()> {
        let end = *self.log.lock().unwrap();
        let records: Vec<_> = (tail.next..end).map(|record| (Offset(record), Vec::new())).collect();
        tail.take(&records);
        Ok(())
    }

    /// Generations, each of which has taken in some of what was acknowledged: more than the one before, or, as after a rollback,
    /// less.
    fn swap(&self, take_over: impl Fn(&World, Tail, &dyn Fn())) {
        for _ in 0..SWAPS {
            let cut = shuttle::rand::thread_rng().gen_range(0..=self.acknowledged.load(Ordering::SeqCst));
            let applied = Arc::<Mutex<BTreeSet<u64>>>::default();
            let tail = Tail { next: cut, applied: Arc::clone(&applied) };
            take_over(self, tail, &|| *self.in_service.lock().unwrap() = Some((cut, Arc::clone(&applied))));
        }
    }

    fn read(&self) {
        for _ in 0..4 {
            let told = self.acknowledged.load(Ordering::SeqCst);
            let Some((cut, applied)) = self.in_service.lock().unwrap().clone() else { continue };
            let applied = applied.lock().unwrap().clone();
            let missing = (cut..told).find(|record| !applied.contains(record));
            assert_eq!(missing, None, "a record is out, of {told} behind a cut at {cut}");
        }
    }
}

fn run(take_over: impl Fn(&World, Tail, &dyn Fn()) + Copy + Send + Sync + 'static) {
    let world = Arc::new(World::default());
    let spawn = |work: fn(&World)| {
        let world = Arc::clone(&world);
        thread::spawn(move || work(&world))
    };
    let (writer, reader) = (spawn(World::write), spawn(World::read));
    let swapper = {
        let world = Arc::clone(&world);
        thread::spawn(move || world.swap(take_over))
    };
    for thread in [writer, reader, swapper] {
        thread.join().unwrap();
    }
    world.read();
}

fn as_in_service(world: &World, tail: Tail, install: &dyn Fn()) {
    take_over(&world.seat, tail, |tail| world.catch_up(tail), |_| install()).unwrap();
}

/// Without remembering what is applied while it reads the end of the log.
fn forgetful(world: &World, mut tail: Tail, install: &dyn Fn()) {
    world.catch_up(&mut tail).unwrap();
    world.seat.with(|seat| {
        install();
        seat.sitting.replace(tail)
    });
}

/// Installs when the lock is free again.
fn late(world: &World, tail: Tail, install: &dyn Fn()) {
    take_over(&world.seat, tail, |tail| world.catch_up(tail), |_| ()).unwrap();
    install();
}

#[test]
fn whoever_was_told_finds_it_whatever_is_swapped_meanwhile() {
    shuttle::check_random(|| run(as_in_service), SCHEDULES);
    shuttle::check_pct(|| run(as_in_service), SCHEDULES, 3);
}

#[test]
// Whoever applies the next record may notice first, or whoever was told.
#[should_panic(expected = "a record")]
fn a_swap_that_misses_records_is_found_out() {
    shuttle::check_random(|| run(forgetful), SCHEDULES);
}

#[test]
#[should_panic(expected = "a record is out")]
fn a_swap_outside_the_lock_is_found_out() {
    shuttle::check_random(|| run(late), SCHEDULES);
    shuttle::check_pct(|| run(late), 4 * SCHEDULES, 4);
}
