//! The search for the highest rate that a server bears, and the climb to the highest goodput: which rate to try next, told how
//! the earlier ones went.

use super::workload::Saturation;

/// A search. Ask for the [`next`](Search::next) rate, [`tell`](Search::tell) whether the goals held there, until there is none.
#[derive(Debug, Clone)]
pub struct Search {
    settings: Saturation,
    /// The highest rate at which the goals held.
    low: Option<f64>,
    /// The lowest at which they did not.
    high: Option<f64>,
    /// While it rises, a rate that failed gets a second chance: a hiccup of the machine would end the search far too low.
    again: bool,
    next: Option<f64>,
}

impl Search {
    /// A search that begins at `settings.from`.
    pub fn new(settings: &Saturation) -> Self {
        Search { settings: settings.clone(), low: None, high: None, again: false, next: Some(settings.from) }
    }

    /// The rate to try, requests a second; `None` at the end.
    pub fn next(&self) -> Option<f64> {
        self.next
    }

    /// Whether the goals held at the rate that was to be tried.
    pub fn tell(&mut self, held: bool) {
        let Some(rate) = self.next else { return };
        if held {
            self.low = Some(self.low.unwrap_or(0.0).max(rate));
            self.again = false;
        } else if self.high.is_none() && !self.again {
            self.again = true;
            return;
        } else {
            self.high = Some(rate);
        }
        self.next = match (self.low, self.high) {
            (None, _) => None,
            (Some(low), None) if low >= self.settings.to => None,
            (Some(low), None) => Some((low * self.settings.factor).min(self.settings.to)),
            (Some(low), Some(high)) if high <= low * (1.0 + self.settings.precision) => None,
            (Some(low), Some(high)) => Some((low * high).sqrt()),
        };
    }

    /// The highest rate at which the goals held, so far; 0 = none.
    pub fn sustained(&self) -> f64 {
        self.low.unwrap_or(0.0)
    }

    /// The lowest rate at which they did not, so far: what ended the search, unless it is `None`.
    pub fn failed(&self) -> Option<f64> {
        self.high
    }
}

/// So many steps in a row that bring nothing end a climb: one may be a hiccup of the machine.
const IN_VAIN: u32 = 2;

/// A climb to the highest goodput, whatever the latencies there: on as long as more is accepted for a higher rate.
#[derive(Debug, Clone)]
pub struct Climb {
    settings: Saturation,
    next: Option<f64>,
    highest: f64,
    highest_at: f64,
    in_vain: u32,
}

impl Climb {
    /// A climb that begins at `settings.from`.
    pub fn new(settings: &Saturation) -> Self {
        Climb {
            settings: settings.clone(),
            next: Some(settings.from),
            highest: 0.0,
            highest_at: settings.from,
            in_vain: 0,
        }
    }

    /// The rate to try, requests a second; `None` at the end.
    pub fn next(&self) -> Option<f64> {
        self.next
    }

    /// How many were accepted a second at the rate that was to be tried.
    pub fn tell(&mut self, goodput: f64) {
        let Some(rate) = self.next else { return };
        // A step brings at most `factor`: half of that is growth, however coarse the precision is.
        let least = self.settings.precision.min((self.settings.factor - 1.0) / 2.0);
        let grew = goodput > self.highest * (1.0 + least);
        self.in_vain = if grew { 0 } else { self.in_vain + 1 };
        self.highest = self.highest.max(goodput);
        // Of rates that bring the same the lowest, or noise would choose among them.
        if grew {
            self.highest_at = rate;
        }
        let on = self.in_vain < IN_VAIN && rate < self.settings.to;
        self.next = on.then(|| (rate * self.settings.factor).min(self.settings.to));
    }

    /// The highest goodput so far.
    pub fn highest(&self) -> f64 {
        self.highest
    }

    /// The lowest rate that brought it, to the precision.
    pub fn highest_at(&self) -> f64 {
        self.highest_at
    }

    /// Whether `settings.to` ended it, and not the server.
    pub fn grows_still(&self) -> bool {
        self.next.is_none() && self.in_vain < IN_VAIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(settings: &Saturation, mut held: impl FnMut(f64) -> bool) -> (f64, usize) {
        let mut search = Search::new(settings);
        let mut steps = 0;
        while let Some(rate) = search.next() {
            assert!(rate >= settings.from && rate <= settings.to);
            search.tell(held(rate));
            steps += 1;
            assert!(steps < 200, "it ends");
        }
        (search.sustained(), steps)
    }

    proptest! {
        #[test]
        fn finds_what_a_server_bears_to_the_precision_that_was_asked_for(
            bears in 100.0..500_000.0, factor in 1.1..4.0, precision in 0.01..0.3,
        ) {
            let settings = Saturation { from: 100.0, to: 1_000_000.0, factor, precision, step_seconds: 1.0 };
            let (found, _) = run(&settings, |rate| rate <= bears);
            prop_assert!(found <= bears && found * (1.0 + precision) >= bears * 0.999, "{found} of {bears}");
        }
    }

    #[test]
    fn ends_at_the_most_that_may_be_tried_and_where_nothing_holds() {
        let settings = Saturation { from: 100.0, to: 1_000.0, factor: 2.0, ..Saturation::default() };
        assert_eq!(run(&settings, |_| true), (1_000.0, 5));
        let mut search = Search::new(&settings);
        while search.next().is_some() {
            search.tell(true);
        }
        assert_eq!((search.sustained(), search.failed()), (1_000.0, None), "never failed");
        assert_eq!(run(&settings, |_| false), (0.0, 2), "tried twice");
    }

    #[test]
    fn knows_the_lowest_rate_that_failed_not_the_last_that_was_tried() {
        let mut search = Search::new(&Saturation { from: 100.0, factor: 2.0, precision: 0.1, ..Saturation::default() });
        let (mut last, mut lowest) = (0.0, f64::MAX);
        while let Some(rate) = search.next() {
            last = rate;
            lowest = if rate > 390.0 { rate.min(lowest) } else { lowest };
            search.tell(rate <= 390.0);
        }
        assert!(last <= 390.0 && search.failed() == Some(lowest), "{last} {lowest} {:?}", search.failed());
    }

    #[test]
    fn one_hiccup_while_it_rises_does_not_end_it() {
        let settings = Saturation { from: 100.0, to: 100_000.0, factor: 2.0, ..Saturation::default() };
        let mut step = 0;
        let (found, _) = run(&settings, |rate| {
            step += 1;
            step != 2 && rate <= 20_000.0
        });
        assert!(found > 18_000.0, "{found}");
    }

    /// What a server of so many a second accepts; `stalls` tells steps at which it accepts half of that.
    fn climbed(bears: f64, settings: &Saturation, stalls: impl Fn(u32) -> bool) -> (Climb, u32) {
        let (mut climb, mut steps) = (Climb::new(settings), 0);
        while let Some(rate) = climb.next() {
            let accepts = if stalls(steps) { bears / 2.0 } else { bears };
            climb.tell(rate.min(accepts));
            steps += 1;
            assert!(steps < 1_000, "it ends");
        }
        (climb, steps)
    }

    proptest! {
        #[test]
        fn a_climb_ends_at_what_a_server_accepts_though_one_step_stalls(
            bears in 100.0..500_000.0, factor in 1.04..3.0, precision in 0.01..0.5, stall in 0_u32..30,
        ) {
            let settings = Saturation { from: 100.0, to: 1e9, factor, precision, step_seconds: 1.0 };
            let (climb, _) = climbed(bears, &settings, |step| step == stall);
            let apart = 1.0 + precision.min((factor - 1.0) / 2.0);
            prop_assert!(climb.highest() * apart * 1.0001 >= bears && !climb.grows_still(), "{} of {bears}", climb.highest());
        }
    }

    #[test]
    fn a_climb_that_has_to_end_says_so_and_one_of_nothing_ends_soon() {
        let settings = Saturation { from: 100.0, to: 1_000.0, factor: 2.0, ..Saturation::default() };
        let (climb, steps) = climbed(1e9, &settings, |_| false);
        assert_eq!((climb.highest(), climb.grows_still(), steps), (1_000.0, true, 5));
        let (climb, steps) = climbed(0.0, &settings, |_| false);
        assert_eq!((climb.highest(), climb.grows_still(), steps), (0.0, false, 2));
    }

    #[test]
    fn noise_above_the_peak_does_not_choose_a_rate() {
        let settings = Saturation { from: 100.0, to: 100_000.0, factor: 1.5, precision: 0.05, ..Saturation::default() };
        let mut climb = Climb::new(&settings);
        while let Some(rate) = climb.next() {
            climb.tell(if rate < 1_000.0 { rate } else { 1_000.0 + rate / 1_000.0 });
        }
        assert!((1_000.0..1_500.0).contains(&climb.highest_at()), "{}", climb.highest_at());
    }
}
