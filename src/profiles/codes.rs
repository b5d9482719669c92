//! A growing vector of small numbers that is one, two or four bytes wide, as its greatest asks for.

/// The numbers.
#[derive(Debug, Clone)]
pub enum Codes {
    /// All below 2^8.
    Narrow(Vec<u8>),
    /// All below 2^16.
    Middle(Vec<u16>),
    /// Any.
    Wide(Vec<u32>),
}

impl Default for Codes {
    fn default() -> Self {
        Codes::Narrow(Vec::new())
    }
}

impl Codes {
    /// Appends.
    pub fn push(&mut self, code: u32) {
        match self {
            Codes::Narrow(codes) => match u8::try_from(code) {
                Ok(code) => codes.push(code),
                Err(_) => {
                    *self = Codes::Middle(codes.iter().map(|&code| code.into()).collect());
                    self.push(code);
                }
            },
            Codes::Middle(codes) => match u16::try_from(code) {
                Ok(code) => codes.push(code),
                Err(_) => {
                    *self = Codes::Wide(codes.iter().map(|&code| code.into()).collect());
                    self.push(code);
                }
            },
            Codes::Wide(codes) => codes.push(code),
        }
    }

    /// The number at a position.
    pub fn get(&self, at: usize) -> u32 {
        match self {
            Codes::Narrow(codes) => codes[at].into(),
            Codes::Middle(codes) => codes[at].into(),
            Codes::Wide(codes) => codes[at],
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Codes::Narrow(codes) => codes.len(),
            Codes::Middle(codes) => codes.len(),
            Codes::Wide(codes) => codes.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widens_without_losing_anything() {
        let wanted = [0, 255, 256, 65_535, 65_536, u32::MAX, 3];
        let mut codes = Codes::default();
        for (at, &code) in wanted.iter().enumerate() {
            codes.push(code);
            assert_eq!((0..=at).map(|at| codes.get(at)).collect::<Vec<_>>(), wanted[..=at]);
        }
        assert_eq!(codes.len(), wanted.len());
    }
}
