//! The places where requests can be sent from: a lane a door, with the requests that are due there and the slots that
//! take them, oldest first. One thread, so cells instead of locks.

use crate::load::workload::Door;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, Waker};

/// A request that is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    /// When it was meant to be sent, nanoseconds since the run began.
    pub at: u64,
    /// Which question of the door it is.
    pub n: u64,
    /// The stretch of the run it belongs to.
    pub stretch: u64,
}

/// What a lane knows of one of its slots.
#[derive(Debug, Default)]
struct Seat {
    /// Whether it waits for a request.
    waiting: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    /// When it sent the request that it waits for an answer to; 0 = none.
    sent: Cell<u64>,
    given_up: Cell<bool>,
}

/// The requests and slots of a door.
#[derive(Debug)]
pub(super) struct Lane {
    pub door: Door,
    queue: RefCell<VecDeque<Due>>,
    /// Seats that wait, longest first: connections take turns, as those of a pool do, and none falls asleep. An entry is
    /// a hint; `Seat::waiting` decides.
    idle: RefCell<VecDeque<usize>>,
    seats: Vec<Seat>,
    asked: Cell<u64>,
    under_way: Cell<usize>,
    closed: Cell<bool>,
}

impl Lane {
    pub fn new(door: Door, seats: usize) -> Self {
        Lane {
            door,
            queue: RefCell::default(),
            idle: RefCell::default(),
            seats: (0..seats).map(|_| Seat::default()).collect(),
            asked: Cell::new(0),
            under_way: Cell::new(0),
            closed: Cell::new(false),
        }
    }

    /// A request is due; a slot that waits is woken.
    pub fn push(&self, at: u64, stretch: u64) {
        let n = self.asked.get();
        self.asked.set(n + 1);
        self.queue.borrow_mut().push_back(Due { at, n, stretch });
        self.wake_one();
    }

    fn wake_one(&self) {
        let mut idle = self.idle.borrow_mut();
        while let Some(at) = idle.pop_front() {
            let seat = &self.seats[at];
            if seat.waiting.replace(false) {
                if let Some(waker) = seat.waker.borrow().as_ref() {
                    waker.wake_by_ref();
                }
                return;
            }
        }
    }

    /// The oldest request that is due, as soon as there is one; `None` when the lane is closed.
    pub async fn next(&self, at: usize) -> Option<Due> {
        let seat = &self.seats[at];
        poll_fn(|context| {
            if let Some(due) = self.queue.borrow_mut().pop_front() {
                seat.waiting.set(false);
                self.under_way.set(self.under_way.get() + 1);
                return Poll::Ready(Some(due));
            }
            if self.closed.get() {
                return Poll::Ready(None);
            }
            seat.remember(context.waker());
            if !seat.waiting.replace(true) {
                self.idle.borrow_mut().push_back(at);
            }
            Poll::Pending
        })
        .await
    }

    /// Waits for an answer, until [`Lane::give_up`] says that it took too long: then it is false, and `ask` is dropped.
    pub async fn answer(&self, at: usize, sent: u64, ask: impl Future<Output = ()>) -> bool {
        let seat = &self.seats[at];
        seat.given_up.set(false);
        seat.sent.set(sent.max(1));
        let mut ask = pin!(ask);
        let answered = poll_fn(|context| {
            if ask.as_mut().poll(context).is_ready() {
                return Poll::Ready(true);
            }
            if seat.given_up.get() {
                return Poll::Ready(false);
            }
            seat.remember(context.waker());
            Poll::Pending
        })
        .await;
        seat.sent.set(0);
        answered
    }

    /// A request that was taken has ended.
    pub fn ended(&self) {
        self.under_way.set(self.under_way.get().saturating_sub(1));
    }

    /// Ends the wait of every slot that sent its request before an instant.
    pub fn give_up(&self, before: u64) {
        for seat in &self.seats {
            let sent = seat.sent.get();
            if sent != 0
                && sent < before
                && !seat.given_up.replace(true)
                && let Some(waker) = seat.waker.borrow().as_ref()
            {
                waker.wake_by_ref();
            }
        }
    }

    /// Takes away the oldest request if it was due before an instant.
    pub fn expire(&self, before: u64) -> Option<Due> {
        let mut queue = self.queue.borrow_mut();
        if queue.front().is_some_and(|due| due.at < before) { queue.pop_front() } else { None }
    }

    /// Requests that wait for a slot, and requests that are with one.
    pub fn left(&self) -> usize {
        self.queue.borrow().len() + self.under_way.get()
    }

    /// No more requests: slots come to their end.
    pub fn close(&self) {
        self.closed.set(true);
        for seat in &self.seats {
            if let Some(waker) = seat.waker.borrow().as_ref() {
                waker.wake_by_ref();
            }
        }
    }
}

impl Seat {
    fn remember(&self, waker: &Waker) {
        let mut mine = self.waker.borrow_mut();
        if !mine.as_ref().is_some_and(|mine| mine.will_wake(waker)) {
            *mine = Some(waker.clone());
        }
    }
}
