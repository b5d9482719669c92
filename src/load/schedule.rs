//! When requests are due: the arrivals of a stretch of time at a constant or an evenly changing rate, one after the other.
//!
//! The same seed gives the same arrivals, whatever the server does. Nothing here waits: instants are numbers.

use super::workload::Spacing;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardUniform};

/// A stretch of time during which requests arrive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Requests a second at its beginning.
    pub from: f64,
    /// At its end.
    pub to: f64,
    /// How long it lasts.
    pub seconds: f64,
}

impl Stretch {
    /// At one rate.
    pub fn constant(per_second: f64, seconds: f64) -> Self {
        Stretch { from: per_second, to: per_second, seconds }
    }

    /// How many requests arrive in it, on average.
    pub fn expected(self) -> f64 {
        (self.from + self.to) / 2.0 * self.seconds
    }

    /// Requests a second over all of it.
    pub fn per_second(self) -> f64 {
        (self.from + self.to) / 2.0
    }

    /// The second at which as many requests have arrived, on average.
    fn second_of(self, count: f64) -> f64 {
        // The root of `from t + slope t^2 / 2 = count`, in the form that loses no digits where the slope is nearly 0.
        let slope = (self.to - self.from) / self.seconds;
        let root = (self.from * self.from + 2.0 * slope * count).max(0.0).sqrt();
        let sum = self.from + root;
        if sum > 0.0 { 2.0 * count / sum } else { 0.0 }
    }
}

/// The door of an arrival, by its position among the shares, and the instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Nanoseconds since the stretch began.
    pub at: u64,
    /// The position of the door.
    pub door: usize,
}

/// The arrivals of a stretch, in order.
#[derive(Debug, Clone)]
pub struct Schedule {
    stretch: Stretch,
    spacing: Spacing,
    /// Upper ends of the doors' shares, from 0 to 1.
    ends: Vec<f64>,
    rng: ChaCha8Rng,
    /// How many requests have arrived when the next one does, in terms of the average.
    count: f64,
    expected: f64,
}

impl Schedule {
    /// Arrivals that share out to doors by weight. `number` tells the stretches of a run apart.
    pub fn new(stretch: Stretch, spacing: Spacing, weights: &[f64], seed: u64, number: u64) -> Self {
        let sum: f64 = weights.iter().sum();
        let mut end = 0.0;
        let ends = weights.iter().map(|weight| {
            end += weight / sum;
            end
        });
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number);
        Schedule { stretch, spacing, ends: ends.collect(), expected: stretch.expected(), rng, count: 0.0 }
    }

    fn door(&mut self) -> usize {
        if self.ends.len() < 2 {
            return 0;
        }
        let drawn: f64 = StandardUniform.sample(&mut self.rng);
        self.ends.iter().position(|end| drawn < *end).unwrap_or(self.ends.len() - 1)
    }
}

impl Iterator for Schedule {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let count = match self.spacing {
            Spacing::Even => self.count,
            Spacing::Poisson => {
                let distance: f64 = Exp1.sample(&mut self.rng);
                self.count + distance
            }
        };
        if count >= self.expected {
            self.count = self.expected;
            return None;
        }
        self.count = if self.spacing == Spacing::Even { count + 1.0 } else { count };
        let at = (self.stretch.second_of(count) * 1e9) as u64;
        Some(Arrival { at, door: self.door() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The obvious twin of even arrivals: walks time in small steps and sends whenever another whole request is due.
    fn walked(stretch: Stretch) -> Vec<f64> {
        let step = stretch.seconds / 2_000_000.0;
        let (mut at, mut due, mut sent) = (0.0, 0.0, Vec::new());
        while at < stretch.seconds {
            if due >= sent.len() as f64 {
                sent.push(at);
            }
            let rate = stretch.from + (stretch.to - stretch.from) * (at + step / 2.0) / stretch.seconds;
            due += rate * step;
            at += step;
        }
        sent
    }

    fn stretches() -> impl Strategy<Value = Stretch> {
        (0.0..5_000.0, 0.0..5_000.0, 0.05..2.0).prop_map(|(from, to, seconds)| Stretch { from, to, seconds })
    }

    fn arrivals(stretch: Stretch, spacing: Spacing, seed: u64) -> Vec<Arrival> {
        Schedule::new(stretch, spacing, &[1.0], seed, 0).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn even_arrivals_are_those_of_the_walk(stretch in stretches()) {
            let ours = arrivals(stretch, Spacing::Even, 1);
            let theirs = walked(stretch);
            prop_assert!(ours.len().abs_diff(theirs.len()) <= 1, "{} and {}", ours.len(), theirs.len());
            for (at, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                // Where the rate is nearly 0, an instant is not well determined by a count.
                let rate = stretch.from + (stretch.to - stretch.from) * theirs / stretch.seconds;
                let close = stretch.seconds * 2e-6 + 0.01 / rate.max(1.0);
                prop_assert!((ours.at as f64 / 1e9 - theirs).abs() <= close || rate < 50.0, "{at}: {} and {theirs}", ours.at);
            }
        }

        #[test]
        fn poisson_arrivals_are_sorted_as_many_as_expected_and_the_same_again(stretch in stretches(), seed in 0u64..1000) {
            let ours = arrivals(stretch, Spacing::Poisson, seed);
            prop_assert!(ours.windows(2).all(|pair| pair[0].at <= pair[1].at));
            prop_assert!(ours.iter().all(|arrival| arrival.at as f64 <= stretch.seconds * 1e9));
            // Six standard deviations: two in a thousand million.
            let expected = stretch.expected();
            prop_assert!((ours.len() as f64 - expected).abs() <= 6.0 * expected.sqrt() + 6.0, "{} of {expected}", ours.len());
            prop_assert_eq!(ours, arrivals(stretch, Spacing::Poisson, seed));
        }

        #[test]
        fn half_a_ramp_has_what_its_integral_says(from in 0.0..20_000.0, to in 0.0..20_000.0, seed in 0u64..1000) {
            let stretch = Stretch { from, to, seconds: 2.0 };
            let first = arrivals(stretch, Spacing::Poisson, seed).iter().filter(|arrival| arrival.at < 1_000_000_000).count();
            let expected = Stretch { from, to: (from + to) / 2.0, seconds: 1.0 }.expected();
            prop_assert!((first as f64 - expected).abs() <= 6.0 * expected.sqrt() + 6.0, "{first} of {expected}");
        }
    }

    #[test]
    fn poisson_distances_spread_as_exponential_ones_do() {
        let ours = arrivals(Stretch::constant(1_000.0, 100.0), Spacing::Poisson, 3);
        let gaps: Vec<f64> = ours.windows(2).map(|pair| (pair[1].at - pair[0].at) as f64 / 1e6).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let over = |ms: f64| gaps.iter().filter(|gap| **gap > ms).count() as f64 / gaps.len() as f64;
        assert!((mean - 1.0).abs() < 0.02, "mean {mean}");
        for ms in [0.1, 0.5, 1.0, 2.0, 5.0] {
            assert!((over(ms) - f64::exp(-ms)).abs() < 0.01, "more than {ms} ms: {}", over(ms));
        }
    }

    #[test]
    fn doors_share_by_weight_and_stretches_differ() {
        let stretch = Stretch::constant(10_000.0, 5.0);
        let of = |number| Schedule::new(stretch, Spacing::Poisson, &[6.0, 3.0, 1.0], 9, number).collect::<Vec<_>>();
        let all = of(0);
        for (door, share) in [0.6, 0.3, 0.1].into_iter().enumerate() {
            let found = all.iter().filter(|arrival| arrival.door == door).count() as f64 / all.len() as f64;
            assert!((found - share).abs() < 0.02, "door {door}: {found}");
        }
        assert_ne!(all, of(1), "another stretch of the run");
    }

    #[test]
    fn even_arrivals_at_a_constant_rate_are_a_comb() {
        let ours = arrivals(Stretch::constant(4.0, 1.0), Spacing::Even, 1);
        let at: Vec<u64> = ours.iter().map(|arrival| arrival.at).collect();
        assert_eq!(at, [0, 250_000_000, 500_000_000, 750_000_000]);
    }
}
