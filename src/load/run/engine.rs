//! The open loop: hands out requests at the instants at which they are due, whatever became of the earlier ones, and
//! records how each of them ended.
//!
//! A timer of the runtime is exact to a millisecond only. So the loop sleeps while the next request is further away than
//! that, and turns idly through the runtime (which looks for answers each time) when it is near.

use super::lanes::{Due, Lane};
use super::{Limits, Place, Segment, Watch, Writes};
use crate::error::Result;
use crate::load::doors::{Became, Reply};
use crate::load::measured::Measured;
use crate::load::process;
use crate::load::record::{End, Recorder, Times};
use crate::load::requests::Question;
use crate::load::schedule::{Arrival, Schedule};
use crate::load::truth::Truth;
use crate::load::workload::Spacing;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Nearer than this, the loop turns idly instead of sleeping.
const NEAR: Duration = Duration::from_millis(3);
/// How often the loop wakes where nothing is due.
const LOOK: Duration = Duration::from_millis(20);

/// Everything that the slots and the loop share.
pub(super) struct Engine<W> {
    began: Instant,
    lanes: Vec<Lane>,
    questions: W,
    truth: Option<Truth>,
    limits: Limits,
    feed: RefCell<Feed>,
    /// When the next request is due, for a quick look.
    next_due: Cell<u64>,
    recorders: RefCell<VecDeque<(u64, Recorder)>>,
    /// Raised by everything that is done, so that the loop can tell an idle turn.
    worked: Cell<u64>,
    plan: Plan,
    stretches: Cell<u64>,
    stop: Rc<Cell<bool>>,
    pids: Vec<u32>,
}

/// How arrivals are drawn.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub spacing: Spacing,
    /// A weight a lane.
    pub weights: Vec<f64>,
    pub seed: u64,
}

/// What is due next.
#[derive(Debug, Default)]
struct Feed {
    waiting: VecDeque<(u64, u64, Schedule)>,
    /// The stretch at work: its number, when it began, and its arrivals.
    current: Option<(u64, u64, Schedule)>,
    next: Option<Arrival>,
}

impl Feed {
    /// Draws the next arrival; its instant, or the end of time.
    fn draw(&mut self) -> u64 {
        loop {
            if let Some((_, began, schedule)) = &mut self.current
                && let Some(arrival) = schedule.next()
            {
                self.next = Some(arrival);
                return *began + arrival.at;
            }
            self.current = self.waiting.pop_front();
            if self.current.is_none() {
                self.next = None;
                return u64::MAX;
            }
        }
    }
}

/// A stretch while it is measured.
struct Running {
    number: u64,
    began: u64,
    ends: u64,
    used: Option<process::Used>,
    /// Whether somebody was told that it began.
    announced: bool,
    idle: u64,
    measured: Option<Measured>,
}

impl<W: Writes> Engine<W> {
    /// An engine over lanes of so many slots each.
    pub fn new(
        lanes: Vec<Lane>,
        questions: W,
        truth: Option<Truth>,
        limits: Limits,
        plan: Plan,
        stop: Rc<Cell<bool>>,
        pids: Vec<u32>,
    ) -> Self {
        Engine {
            began: Instant::now(),
            lanes,
            questions,
            truth,
            limits,
            feed: RefCell::default(),
            next_due: Cell::new(u64::MAX),
            recorders: RefCell::default(),
            worked: Cell::new(0),
            plan,
            stretches: Cell::new(0),
            stop,
            pids,
        }
    }

    /// Nanoseconds since the run began.
    pub fn now(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    /// Whether somebody wants the run to end.
    pub fn stopped(&self) -> bool {
        self.stop.get()
    }

    /// Whether it looks at processes of the server.
    pub fn watches_processes(&self) -> bool {
        !self.pids.is_empty()
    }

    /// No more requests.
    pub fn close(&self) {
        self.lanes.iter().for_each(Lane::close);
    }

    /// A slot's life: takes requests and waits for their answers.
    pub async fn serve(self: Rc<Self>, lane: usize, seat: usize, mut place: impl Place) {
        let lane = &self.lanes[lane];
        let (mut question, mut reply) = (Question::default(), Reply::default());
        while let Some(due) = lane.next(seat).await {
            self.questions.write(lane.door, due.n, &mut question);
            let sent = self.now();
            let answered = lane.answer(seat, sent, place.ask(&question, &mut reply)).await;
            let ended = self.now();
            lane.ended();
            self.worked.set(self.worked.get() + 1);
            self.record(due, Times { due: due.at, sent, ended }, answered.then_some(&reply), &question);
            self.advance(ended);
        }
    }

    fn record(&self, due: Due, times: Times, reply: Option<&Reply>, question: &Question) {
        let mut recorders = self.recorders.borrow_mut();
        let Some((_, recorder)) = recorders.iter_mut().rev().find(|(number, _)| *number == due.stretch) else { return };
        let Some(reply) = reply else { return recorder.end(times, End::Unanswered) };
        match &reply.became {
            Became::Accepted => {
                if self.truth.as_ref().is_some_and(|truth| !truth.check(question, reply, recorder.counts())) {
                    let message = "an answer that says it is one and cannot be decoded";
                    return recorder.end(times, End::Failed { kind: "unreadable", message });
                }
                let Reply { items, generation, .. } = *reply;
                recorder.end(times, End::Accepted { items, asked: question.items, generation });
            }
            Became::Shed => recorder.end(times, End::Shed),
            Became::Failed { kind, message } => recorder.end(times, End::Failed { kind, message }),
        }
    }

    /// Hands out everything that is due. Slots call it, too, whenever one of them is done, so that a busy generator keeps
    /// to its schedule.
    pub fn advance(&self, now: u64) {
        if now < self.next_due.get() {
            return;
        }
        self.worked.set(self.worked.get() + 1);
        let mut feed = self.feed.borrow_mut();
        let mut recorders = self.recorders.borrow_mut();
        let mut due = self.next_due.get();
        while due <= now {
            if let (Some(arrival), Some((stretch, ..))) = (feed.next, &feed.current) {
                if let Some((_, recorder)) = recorders.iter_mut().rev().find(|(number, _)| number == stretch) {
                    recorder.due(due, now - due);
                }
                self.lanes[arrival.door].push(due, *stretch);
            }
            due = feed.draw();
        }
        self.next_due.set(due);
        drop((feed, recorders));
        self.expire(now);
    }

    /// Gives up requests that waited too long for a slot.
    fn expire(&self, now: u64) {
        let before = now.saturating_sub(self.limits.unsent);
        for lane in &self.lanes {
            while let Some(due) = lane.expire(before) {
                let mut recorders = self.recorders.borrow_mut();
                if let Some((_, recorder)) = recorders.iter_mut().rev().find(|(number, _)| *number == due.stretch) {
                    recorder.end(Times { due: due.at, sent: now, ended: now }, End::Unsent);
                }
            }
        }
    }

    /// Runs stretches one after the other without a pause, then waits until every request of theirs has ended. `watch` is
    /// told when one begins, and every second, once most of its answers are in.
    ///
    /// # Errors
    /// None that can happen.
    pub async fn drive(&self, segments: &[Segment], watch: &mut dyn Watch) -> Result<Vec<Measured>> {
        let mut running = self.plan(segments)?;
        let ends = running.last().map_or(0, |last| last.ends);
        let (mut at, mut before, mut slept) = (0, self.now(), false);
        let (mut swept, mut shown) = (before, before / 1_000_000_000);
        loop {
            let now = self.now();
            self.advance(now);
            if now >= swept + self.limits.sweep {
                swept = now;
                self.sweep(now);
            }
            if self.worked.replace(0) == 0 || slept {
                running[at].idle += now.saturating_sub(before.max(running[at].began));
            }
            before = now;
            if now >= running[at].began && running[at].used.is_none() && !self.pids.is_empty() {
                running[at].used = Some(process::used(&self.pids).unwrap_or_default());
            }
            if !running[at].announced && self.has_begun(running[at].number) {
                running[at].announced = true;
                watch.begins(&segments[at]);
            }
            self.show(segments, now, &mut shown, watch);
            if now >= running[at].ends || self.stopped() {
                self.close_stretch(&mut running[at], &segments[at], now);
                at += 1;
                if at == running.len() || self.stopped() {
                    break;
                }
            }
            slept = self.pause(now, ends.min(running[at].ends)).await;
        }
        self.stop_feed();
        self.drain(running.iter().map(|it| it.ends).max().unwrap_or(0)).await;
        Ok(self.finish(segments, running))
    }

    /// Prepares the arrivals and recorders of stretches that begin in a moment: the first that counts at a whole second, so
    /// that its seconds are whole ones.
    fn plan(&self, segments: &[Segment]) -> Result<Vec<Running>> {
        let length = |segment: &Segment| (segment.stretch.seconds * 1e9) as u64;
        let lead: u64 = segments.iter().take_while(|segment| !segment.counted).map(length).sum();
        let mut began = (self.now() + 1_000_000 + lead).next_multiple_of(1_000_000_000) - lead;
        let mut feed = self.feed.borrow_mut();
        let mut recorders = self.recorders.borrow_mut();
        recorders.clear();
        let mut running = Vec::new();
        for segment in segments {
            let number = self.stretches.replace(self.stretches.get() + 1);
            let Plan { spacing, weights, seed } = &self.plan;
            feed.waiting.push_back((number, began, Schedule::new(segment.stretch, *spacing, weights, *seed, number)));
            let patience = self.limits.unsent + self.limits.unanswered + 1_000_000_000;
            recorders.push_back((number, Recorder::new(began, self.limits.deadline, patience)?));
            let ends = began + length(segment);
            running.push(Running { number, began, ends, used: None, announced: false, idle: 0, measured: None });
            began = ends;
        }
        self.next_due.set(feed.draw());
        Ok(running)
    }

    /// Whether the first request of a stretch was due.
    fn has_begun(&self, stretch: u64) -> bool {
        let recorders = self.recorders.borrow();
        recorders.iter().any(|(number, recorder)| *number == stretch && recorder.any_due())
    }

    fn close_stretch(&self, running: &mut Running, segment: &Segment, now: u64) {
        let now = now.min(running.ends);
        let seconds = now.saturating_sub(running.began) as f64 / 1e9;
        let mut measured = Measured { seconds, ..Measured::default() };
        measured.generator_busy_share = (1.0 - running.idle as f64 / 1e9 / seconds.max(1e-9)).clamp(0.0, 1.0);
        if let Some(then) = running.used
            && let Some(now) = process::used(&self.pids)
        {
            measured.server_cpu_seconds = Some((now.cpu_seconds - then.cpu_seconds).max(0.0));
            measured.server_resident_bytes = Some(now.resident_bytes);
        }
        measured.offered_per_second = segment.stretch.per_second();
        running.ends = now;
        running.measured = Some(measured);
    }

    fn show(&self, segments: &[Segment], now: u64, shown: &mut u64, watch: &mut dyn Watch) {
        // Answers to the requests of a second are mostly in a fifth of a second later.
        let Some(second) = (now.saturating_sub(200_000_000) / 1_000_000_000).checked_sub(1) else { return };
        if second < *shown {
            return;
        }
        *shown = second + 1;
        let recorders = self.recorders.borrow();
        let parts = segments.iter().zip(recorders.iter());
        let parts = parts.filter_map(|(segment, (_, recorder))| Some((segment, recorder.second(second)?)));
        // Of a second in which one phase follows another, the one that has more of it.
        if let Some((segment, longest)) = parts.max_by_key(|(_, part)| part.due) {
            watch.second(segment, longest);
        }
    }

    fn sweep(&self, now: u64) {
        let before = now.saturating_sub(self.limits.unanswered);
        self.lanes.iter().for_each(|lane| lane.give_up(before));
        self.expire(now);
    }

    /// Waits a little, or only for whatever else can be done; whether it slept.
    async fn pause(&self, now: u64, ends: u64) -> bool {
        let until = self.next_due.get().min(ends).min(now + LOOK.as_nanos() as u64).min(now + self.limits.sweep);
        let far = Duration::from_nanos(until.saturating_sub(self.now()));
        if far > NEAR {
            tokio::time::sleep(far - NEAR + Duration::from_millis(1)).await;
        } else {
            tokio::task::yield_now().await;
        }
        far > NEAR
    }

    fn stop_feed(&self) {
        *self.feed.borrow_mut() = Feed::default();
        self.next_due.set(u64::MAX);
    }

    /// Waits until every request has ended; those that will not are given up in time.
    async fn drain(&self, ends: u64) {
        let last = ends + self.limits.unsent + self.limits.unanswered + 1_000_000_000;
        while self.lanes.iter().any(|lane| lane.left() > 0) && self.now() < last {
            self.sweep(self.now());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn finish(&self, segments: &[Segment], running: Vec<Running>) -> Vec<Measured> {
        let mut recorders = self.recorders.borrow_mut();
        let mut found = Vec::new();
        for ((segment, running), (number, recorder)) in segments.iter().zip(running).zip(recorders.drain(..)) {
            debug_assert_eq!(running.number, number);
            let Some(known) = running.measured.filter(|_| segment.counted) else { continue };
            let recorded = recorder.finish(&segment.name, running.ends);
            found.push(Measured {
                step: segment.step,
                offered_per_second: known.offered_per_second,
                server_cpu_seconds: known.server_cpu_seconds,
                server_resident_bytes: known.server_resident_bytes,
                generator_busy_share: known.generator_busy_share,
                ..recorded
            });
        }
        found
    }
}
