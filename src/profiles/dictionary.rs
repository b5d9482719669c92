//! Interned texts of one column: a code a text, in order of appearance until sorted.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Texts and their codes.
#[derive(Debug, Default)]
pub struct Dictionary {
    codes: HashMap<Box<str>, u32, BuildHasherDefault<TextHasher>>,
}

impl Dictionary {
    /// The code of a text; new ones count up from 0.
    pub fn code(&mut self, text: &str) -> u32 {
        if let Some(&code) = self.codes.get(text) {
            return code;
        }
        let code = self.codes.len() as u32;
        self.codes.insert(text.into(), code);
        code
    }

    /// The texts in order, and for each code the position of its text there: what makes the outcome independent of
    /// the order of rows.
    pub fn sorted(self) -> (Vec<String>, Vec<u32>) {
        let mut texts: Vec<(Box<str>, u32)> = self.codes.into_iter().collect();
        texts.sort_unstable();
        let mut positions = vec![0; texts.len()];
        for (position, &(_, code)) in texts.iter().enumerate() {
            positions[code as usize] = position as u32;
        }
        (texts.into_iter().map(|(text, _)| text.into()).collect(), positions)
    }
}

/// XXH3 in one call: the standard hasher is built for hostile keys, these come from the operator's own files.
#[derive(Debug, Default)]
struct TextHasher(u64);

impl Hasher for TextHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    fn write_u8(&mut self, _end_of_text: u8) {}
}
