//! How often an address may try to sign in. A key cannot be guessed; this bounds what trying costs everybody else.

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

/// What an address may spend at once, and again each second. Signing in costs 1, a wrong key [`WRONG`] more while
/// that much is left: about twenty wrong keys, then two a second.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(200).unwrap();
const A_SECOND: NonZeroU32 = NonZeroU32::new(2).unwrap();
const WRONG: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// So many addresses are remembered one by one; all others count as one.
const MOST: usize = 10_000;
/// What the others count as.
const OTHERS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[derive(Debug)]
pub(super) struct Attempts(RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>);

impl Default for Attempts {
    fn default() -> Self {
        Attempts(RateLimiter::hashmap(Quota::per_second(A_SECOND).allow_burst(AT_ONCE)))
    }
}

impl Attempts {
    /// Counts an attempt.
    ///
    /// # Errors
    /// One too many: after how many seconds the next may be made.
    pub(super) fn begin(&self, from: Option<IpAddr>) -> Result<(), u32> {
        self.0.check_key(&self.counted(from)).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1)
        })
    }

    /// It was a wrong key.
    pub(super) fn wrong(&self, from: Option<IpAddr>) {
        // Where it cannot be paid for any more, the next attempt waits in any case.
        let _ = self.0.check_key_n(&self.counted(from), WRONG);
    }

    /// What an address counts as. Whoever has one of IPv6 has 2^64 of them.
    fn counted(&self, from: Option<IpAddr>) -> IpAddr {
        if self.0.len() >= MOST {
            self.0.retain_recent();
            if self.0.len() >= MOST {
                return OTHERS;
            }
        }
        match from.map(|it| it.to_canonical()) {
            None => OTHERS,
            Some(IpAddr::V6(address)) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            Some(address) => address,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_keys_are_slowed_and_other_addresses_are_not() {
        let attempts = Attempts::default();
        let wrong = |from: &str| {
            let from = Some(from.parse().unwrap());
            attempts.begin(from).map(|()| attempts.wrong(from))
        };
        let tried = (0..100).take_while(|_| wrong("192.0.2.1").is_ok()).count();
        assert!((20..30).contains(&tried), "{tried}");
        assert!(wrong("192.0.2.1").is_err_and(|seconds| seconds >= 1));
        assert!(wrong("192.0.2.2").is_ok());
        let right = |from: &str| attempts.begin(Some(from.parse().unwrap()));
        assert!((0..150).all(|_| right("192.0.2.3").is_ok()), "who knows the key is hardly held up");
        let many = (0..100u32).take_while(|at| wrong(&format!("2001:db8::{at:x}")).is_ok()).count();
        assert!(many < 40, "a household's addresses count as one: {many}");
        assert!(wrong("::ffff:192.0.2.1").is_err(), "the same address");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let attempts = Attempts::default();
        for at in 0..MOST as u32 + 500 {
            let _ = attempts.begin(Some(Ipv4Addr::from_bits(0x0a00_0000 + at).into()));
        }
        assert!(attempts.0.len() <= MOST + 1, "{}", attempts.0.len());
    }
}
