//! Sets of identifiers that a row names together: one flat vector, a bit marks the last of each set.

/// Marks the last identifier of a set; so identifier numbers end at 2^31.
const LAST: u32 = 1 << 31;

/// The sets. A set is named by its position; a set that is repeated soon (or rarely, in any case correctly) shares it.
#[derive(Debug, Default)]
pub struct Sets {
    flat: Vec<u32>,
    count: usize,
    /// Direct-mapped: the hash of a set -> other bits of the hash (upper half) and position + 1 (lower half), so that a set
    /// that is another one is rarely read. Forgets on collision, which only costs room.
    recent: Vec<u64>,
}

impl Sets {
    /// The position of the set of these ascending numbers, stored if it is not remembered.
    pub fn remember(&mut self, ids: &[u32]) -> u32 {
        if self.count >= self.recent.len() {
            self.grow();
        }
        let hash = hash(ids);
        let slot = self.slot(hash);
        let known = self.recent[slot];
        if known != 0 && known >> 32 == hash >> 32 {
            let position = known as u32 - 1;
            if self.get(position).eq(ids.iter().copied()) {
                return position;
            }
        }
        let position = self.flat.len() as u32;
        self.flat.extend_from_slice(ids);
        if let Some(last) = self.flat.last_mut() {
            *last |= LAST;
        }
        self.count += 1;
        self.recent[slot] = remembered(hash, position);
        position
    }

    /// The identifiers of the set at a position.
    pub fn get(&self, position: u32) -> impl Iterator<Item = u32> + '_ {
        let mut ended = false;
        self.flat[position as usize..].iter().map_while(move |&id| {
            if ended {
                return None;
            }
            ended = id & LAST != 0;
            Some(id & !LAST)
        })
    }

    /// Every set that was stored, in order; the same slice is reused.
    pub fn each(&self, mut visit: impl FnMut(&[u32])) {
        let mut set = Vec::new();
        for &id in &self.flat {
            set.push(id & !LAST);
            if id & LAST != 0 {
                visit(&set);
                set.clear();
            }
        }
    }

    /// Length of the flat vector: the position of the next set.
    pub fn len(&self) -> usize {
        self.flat.len()
    }

    /// Whether no row has joined anything.
    pub fn is_empty(&self) -> bool {
        self.flat.is_empty()
    }

    /// Forgets what only speeds up adding.
    pub fn seal(&mut self) {
        self.recent = Vec::new();
        self.flat.shrink_to_fit();
    }

    fn slot(&self, hash: u64) -> usize {
        hash as usize & (self.recent.len() - 1)
    }

    fn grow(&mut self) {
        let room = (self.recent.len() * 2).max(1 << 10);
        // Not both at a time: what is forgotten here is in `flat`.
        self.recent = Vec::new();
        let mut recent = vec![0; room];
        let mut position = 0u32;
        self.each(|set| {
            let hash = hash(set);
            recent[hash as usize & (room - 1)] = remembered(hash, position);
            position += set.len() as u32;
        });
        self.recent = recent;
    }
}

fn remembered(hash: u64, position: u32) -> u64 {
    (hash & !u64::from(u32::MAX)) | u64::from(position + 1)
}

/// A multiplicative hash: the numbers are few and small, and a collision only costs room.
fn hash(ids: &[u32]) -> u64 {
    let mixed =
        ids.iter().fold(0u64, |hash, &id| (hash.rotate_left(5) ^ u64::from(id)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed ^ (mixed >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_come_back_and_repetitions_share_a_place() {
        let mut sets = Sets::default();
        let wanted: Vec<Vec<u32>> = (0..5_000u32).map(|n| (n..n + 2 + n % 3).collect()).collect();
        let places: Vec<u32> = wanted.iter().map(|set| sets.remember(set)).collect();
        for (set, &place) in wanted.iter().zip(&places) {
            assert_eq!(&sets.get(place).collect::<Vec<_>>(), set);
        }
        let before = sets.len();
        assert_eq!(sets.remember(&wanted[4_999]), places[4_999]);
        assert_eq!(sets.len(), before);
        let mut seen = Vec::new();
        sets.each(|set| seen.push(set.to_vec()));
        assert_eq!(seen, wanted);
    }
}
