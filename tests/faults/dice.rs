//! Chance that repeats: the same seed, the same moments. A failing round prints its seed.

/// Random numbers (SplitMix64).
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// The rounds of `make test`, in all tests together.
const IN_ALL: u64 = 300;

/// How many rounds: a share of what `make test` has time for, or the same share of what was asked for.
pub fn rounds(few: u64) -> u64 {
    match std::env::var("VAGLIO_TORTURE_ROUNDS") {
        Ok(asked) => (asked.parse::<u64>().expect("VAGLIO_TORTURE_ROUNDS is a number") * few).div_ceil(IN_ALL),
        Err(_) => few,
    }
}
