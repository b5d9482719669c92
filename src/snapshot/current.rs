//! The swap: what is live now, for many readers that must not wait and one writer that seldom comes.
//!
//! A reader looks at one atomic number; only when it has changed does it take the lock, once a swap. (No arc-swap: it has
//! an open use-after-free report, and a read lock a swap costs nothing.)

use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The live value of a kind.
#[derive(Debug)]
pub struct Current<T> {
    version: AtomicU64,
    live: RwLock<Arc<T>>,
}

impl<T> Current<T> {
    /// Starts with a value.
    pub fn new(value: Arc<T>) -> Self {
        Current { version: AtomicU64::new(0), live: RwLock::new(value) }
    }

    /// The live value.
    pub fn load(&self) -> Arc<T> {
        Arc::clone(&self.live.read())
    }

    /// Makes `value` live and returns the one before. Who still reads the old one keeps it.
    pub fn swap(&self, value: Arc<T>) -> Arc<T> {
        let mut live = self.live.write();
        let before = std::mem::replace(&mut *live, value);
        self.version.fetch_add(1, Ordering::Release);
        before
    }

    /// How often it was swapped.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// A handle for one worker.
    pub fn reader(self: &Arc<Self>) -> CurrentReader<T> {
        let live = self.live.read();
        let (version, cached) = (self.version(), Arc::clone(&live));
        drop(live);
        CurrentReader { current: Arc::clone(self), version, cached }
    }
}

/// One worker's handle: [`get`](CurrentReader::get) costs an atomic load while nothing changes. It keeps the value it saw
/// last alive, so an idle worker should be asked now and then.
#[derive(Debug)]
pub struct CurrentReader<T> {
    current: Arc<Current<T>>,
    version: u64,
    cached: Arc<T>,
}

impl<T> CurrentReader<T> {
    /// The live value.
    #[inline]
    pub fn get(&mut self) -> &Arc<T> {
        if self.current.version() != self.version {
            self.refresh();
        }
        &self.cached
    }

    #[cold]
    fn refresh(&mut self) {
        // Both under the lock: the writer changes them together.
        let live = self.current.live.read();
        self.version = self.current.version();
        self.cached = Arc::clone(&live);
    }
}

impl<T> Clone for CurrentReader<T> {
    fn clone(&self) -> Self {
        self.current.reader()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn readers_see_every_swap_and_never_go_back() {
        let current = Arc::new(Current::new(Arc::new(0u64)));
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut reader = current.reader();
                    let mut last = 0;
                    while !done.load(Ordering::Acquire) {
                        let now = **reader.get();
                        assert!(now >= last);
                        last = now;
                    }
                    assert_eq!(**reader.get(), 1000);
                });
            }
            for value in 1..=1000 {
                assert_eq!(*current.swap(Arc::new(value)), value - 1);
            }
            done.store(true, Ordering::Release);
        });
        assert_eq!(current.version(), 1000);
        assert_eq!(*current.load(), 1000);
    }

    #[test]
    fn an_old_value_lives_only_while_a_reader_holds_it() {
        let current = Arc::new(Current::new(Arc::new("one")));
        let mut reader = current.reader();
        let one = Arc::downgrade(reader.get());
        current.swap(Arc::new("two"));
        assert!(one.upgrade().is_some());
        assert_eq!(**reader.get(), "two");
        assert!(one.upgrade().is_none());
    }
}
