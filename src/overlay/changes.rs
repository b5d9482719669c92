//! The joins and leaves of one profile since the snapshot, as short as they get: eight bytes each.

/// A profile is, or will be, in an audience or out of it. Orders by minute, then audience.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Change(u64);

impl Change {
    /// In the audience (`join`) or out of it from `minute` on: whole minutes since the epoch; 0 = whatever the clock says.
    pub fn new(minute: u32, audience: u32, join: bool) -> Self {
        Change(u64::from(minute) << 32 | u64::from(audience << 1) | u64::from(join))
    }

    /// From when on.
    pub fn minute(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Which audience, by number.
    pub fn audience(self) -> u32 {
        self.0 as u32 >> 1
    }

    /// Whether in.
    pub fn join(self) -> bool {
        self.0 & 1 == 1
    }
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = if self.join() { "joins" } else { "leaves" };
        write!(f, "{word} {} at {}", self.audience(), self.minute())
    }
}

/// Applies the changes of a profile that hold at `now_minute` to its audiences, which are ascending and stay so. Changes come
/// in ascending order. An audience that is named from minute 0 on is what its changes say, whatever snapshot and flips say.
pub fn apply(changes: impl IntoIterator<Item = Change>, now_minute: i64, audiences: &mut Vec<u32>) {
    for change in changes.into_iter().take_while(|change| i64::from(change.minute()) <= now_minute) {
        match (audiences.binary_search(&change.audience()), change.join()) {
            (Err(at), true) => audiences.insert(at, change.audience()),
            (Ok(at), false) => drop(audiences.remove(at)),
            // It is so already.
            (Ok(_), true) | (Err(_), false) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_comes_back_and_orders_by_minute() {
        let change = Change::new(u32::MAX, (1 << 24) - 1, true);
        assert_eq!((change.minute(), change.audience(), change.join()), (u32::MAX, (1 << 24) - 1, true));
        assert!(Change::new(1, 9, true) < Change::new(2, 0, false));
        assert_eq!(format!("{:?}", Change::new(7, 3, false)), "leaves 3 at 7");
    }

    #[test]
    fn changes_hold_from_their_minute_on() {
        let changes = [Change::new(0, 2, false), Change::new(0, 5, true), Change::new(10, 5, false)];
        for (minute, expected) in [(-1, vec![2, 7]), (0, vec![5, 7]), (9, vec![5, 7]), (10, vec![7])] {
            let mut audiences = vec![2, 7];
            apply(changes, minute, &mut audiences);
            assert_eq!(audiences, expected, "at minute {minute}");
        }
    }
}
