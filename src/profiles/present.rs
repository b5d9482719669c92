//! Which rows have a value, one bit a row, and the how-manieth value is a row's.

/// Rows, added in ascending order.
#[derive(Debug, Default)]
pub struct Present {
    words: Vec<u64>,
    last: Option<usize>,
    /// Rows before each word; filled by [`seal`](Self::seal).
    before: Vec<u32>,
}

impl Present {
    /// Adds a row.
    pub fn set(&mut self, row: usize) {
        self.words.resize(self.words.len().max(row / 64 + 1), 0);
        self.words[row / 64] |= 1 << (row % 64);
        self.last = Some(row);
    }

    /// The row that was added last.
    pub fn last(&self) -> Option<usize> {
        self.last
    }

    /// No more rows will come; [`position`](Self::position) may be asked.
    pub fn seal(&mut self) {
        let mut total = 0;
        self.before = Vec::with_capacity(self.words.len());
        for word in &self.words {
            self.before.push(total);
            total += word.count_ones();
        }
    }

    /// How many rows with a value come before this one; `None` where it has none itself.
    pub fn position(&self, row: u32) -> Option<usize> {
        let (at, bit) = (row as usize / 64, 1u64 << (row % 64));
        let word = *self.words.get(at)?;
        (word & bit != 0).then(|| (self.before[at] + (word & (bit - 1)).count_ones()) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_position_is_the_number_of_rows_before(rows in prop::collection::btree_set(0u32..500, 0..200)) {
            let mut present = Present::default();
            rows.iter().for_each(|&row| present.set(row as usize));
            present.seal();
            for row in 0..600 {
                let obvious = rows.contains(&row).then(|| rows.range(..row).count());
                prop_assert_eq!(present.position(row), obvious);
            }
        }
    }
}
