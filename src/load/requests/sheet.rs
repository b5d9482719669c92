//! Pieces of many people that were encoded beforehand, one after the other in one allocation.

/// The pieces: each person has the same number of them, and any may be empty.
#[derive(Debug, Default)]
pub struct Sheet {
    /// How many pieces a person has.
    parts: usize,
    bytes: Vec<u8>,
    /// Where each piece ends.
    ends: Vec<usize>,
}

impl Sheet {
    /// Nobody yet.
    pub fn new(parts: usize) -> Self {
        Sheet { parts, ..Sheet::default() }
    }

    /// Adds a piece of the person that is under way.
    pub fn push(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
        self.ends.push(self.bytes.len());
    }

    /// A piece; empty for somebody made up.
    #[inline]
    pub fn get(&self, line: Option<u32>, part: usize) -> &[u8] {
        let Some(line) = line else { return &[] };
        let at = line as usize * self.parts + part;
        let start = if at == 0 { Some(0) } else { self.ends.get(at - 1).copied() };
        match (start, self.ends.get(at)) {
            (Some(start), Some(&end)) => &self.bytes[start..end],
            _ => &[],
        }
    }
}
