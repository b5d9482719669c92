//! Who there is: 44 of 2,000 audiences a profile (sizes as 1 / (rank + 20)), two identifiers a profile. The peers of
//! `load-tests/peers` are filled with the same people, so nothing here knows of Vaglio.

pub const AUDIENCES: u32 = 2_000;
pub const MEAN: usize = 44;
/// Identifiers a profile.
pub const IDENTIFIERS: u64 = 2;

/// How many profiles there are: `VAGLIO_BENCH_PROFILES`, or a million.
pub fn profiles() -> u32 {
    std::env::var("VAGLIO_BENCH_PROFILES").ok().map_or(1_000_000, |text| text.parse().expect("a number"))
}

/// Splitmix64: `state` -> a number that looks random.
pub fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The 36 characters of an advertising identifier.
pub fn write_uid(number: u64, uid: &mut [u8; 36]) {
    let digits = (u128::from(mix(number)) << 64) | u128::from(mix(number ^ 0x5bd1_e995));
    let mut nibble = 0;
    for (at, character) in uid.iter_mut().enumerate() {
        *character = if matches!(at, 8 | 13 | 18 | 23) {
            b'-'
        } else {
            nibble += 4;
            b"0123456789abcdef"[(digits >> (128 - nibble)) as usize & 15]
        };
    }
}

/// Who is in what: some of many audiences, sizes as 1 / (rank + 20).
pub struct Draw {
    /// Audience numbers by size: large and small are mixed among the numbers, as names are.
    pub order: Vec<u32>,
    ends: Vec<f64>,
    mean: usize,
}

impl Draw {
    /// `mean` of `audiences` a profile.
    pub fn new(audiences: u32, mean: usize) -> Draw {
        let mut ends: Vec<f64> = Vec::with_capacity(audiences as usize);
        for rank in 0..audiences {
            ends.push(ends.last().copied().unwrap_or(0.0) + 1.0 / (f64::from(rank) + 20.0));
        }
        // 777 = 3 x 7 x 37 has no divisor in common with 1, 2 or 5 times a power of ten.
        let order = (0..audiences).map(|rank| (u64::from(rank) * 777 % u64::from(audiences)) as u32).collect();
        Draw { order, ends, mean }
    }

    /// The audiences of a profile, ascending.
    pub fn of(&self, profile: u64, audiences: &mut Vec<u32>) {
        audiences.clear();
        let total = self.ends[self.ends.len() - 1];
        // Some are drawn twice: draw until there are enough different ones.
        for draw in 0.. {
            if audiences.len() >= self.mean {
                break;
            }
            let at = mix(profile << 12 | draw) as f64 / u64::MAX as f64 * total;
            let audience = self.order[self.ends.partition_point(|end| *end < at).min(self.order.len() - 1)];
            if !audiences.contains(&audience) {
                audiences.push(audience);
            }
        }
        audiences.sort_unstable();
    }
}
