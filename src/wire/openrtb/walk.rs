//! Walking over JSON and validating it (RFC 8259), without allocating and without recursion. What is read of it is not
//! known here.
//!
//! Halves of a surrogate pair without the other half are accepted, as the RFC's grammar has it; numbers are not computed,
//! so none is too large.

/// The deepest nesting of a body; the request itself is the first level.
pub const MAX_DEPTH: u32 = 128;

/// What is wrong with a body. A byte, so that a result travels in a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Value,
    Key,
    Colon,
    Next,
    Number,
    Quote,
    Control,
    Escape,
    Deep,
    Top,
    Rest,
    Many,
}

impl Wrong {
    pub(super) fn why(self) -> &'static str {
        match self {
            Wrong::Value => "expected a value",
            Wrong::Key => "expected a key in quotes",
            Wrong::Colon => "expected a colon after a key",
            Wrong::Next => "expected a comma or the end of the object or array",
            Wrong::Number => "a number is not spelt as JSON has it",
            Wrong::Quote => "a string does not end",
            Wrong::Control => "a control character in a string is not escaped",
            Wrong::Escape => "an escape in a string is none of JSON's",
            Wrong::Deep => "nested deeper than 128 levels",
            Wrong::Top => "a bid request is an object",
            Wrong::Rest => "something follows the bid request",
            Wrong::Many => "a list is longer than we read",
        }
    }
}

/// `Ok` or what is wrong; the cursor stands where.
pub(super) type Scanned<T> = Result<T, Wrong>;

/// A place in a body. It is small and copied where many steps follow one another, so that it stays in registers.
#[derive(Clone, Copy)]
pub(super) struct Walk<'a> {
    body: &'a [u8],
    /// The next byte.
    pub at: usize,
}

impl<'a> Walk<'a> {
    /// At the start of a body that is known to be UTF-8.
    pub fn new(body: &'a [u8]) -> Self {
        Walk { body, at: 0 }
    }

    /// Whether nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.at == self.body.len()
    }

    /// The next byte; 0, which no JSON begins with, at the end.
    #[inline(always)]
    pub fn peek(&self) -> u8 {
        self.body.get(self.at).copied().unwrap_or(0)
    }

    /// The next byte after white space.
    #[inline(always)]
    pub fn space(&mut self) -> u8 {
        loop {
            match self.peek() {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return byte,
            }
        }
    }

    /// Past a comma, to what follows it; or to the closing brace.
    #[inline(always)]
    pub fn another(&mut self, close: u8) -> Scanned<bool> {
        match self.space() {
            b',' => {
                self.at += 1;
                self.space();
                Ok(true)
            }
            byte if byte == close => Ok(false),
            _ => Err(Wrong::Next),
        }
    }

    /// Past a key and its colon, to the value: where the key ends, and whether it has escapes.
    #[inline(always)]
    pub fn key(&mut self) -> Scanned<(usize, bool)> {
        if self.peek() != b'"' {
            return Err(Wrong::Key);
        }
        let escaped = self.string()?;
        let end = self.at - 1;
        if self.space() != b':' {
            return Err(Wrong::Colon);
        }
        self.at += 1;
        self.space();
        Ok((end, escaped))
    }

    /// Past a string; whether it has escapes.
    #[inline(always)]
    pub fn string(&mut self) -> Scanned<bool> {
        self.at += 1;
        let mut escaped = false;
        loop {
            while let Some(word) = self.body.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
                let found = special(u64::from_le_bytes(*word));
                if found == 0 {
                    self.at += 8;
                } else {
                    self.at += found.trailing_zeros() as usize / 8;
                    break;
                }
            }
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok(escaped);
                }
                b'\\' => {
                    escaped = true;
                    self.at += escape(self.body, self.at)?;
                }
                0..0x20 => return Err(if self.is_at_end() { Wrong::Quote } else { Wrong::Control }),
                _ => self.at += 1,
            }
        }
    }

    /// Past a value, whatever is in it, which opens at most as many levels.
    #[inline(always)]
    pub fn value(&mut self, room: u32) -> Scanned<()> {
        // What is open, the innermost in the lowest bit: 1 = an object, 0 = an array.
        let (mut open, mut levels) = (0_u128, 0);
        loop {
            match self.peek() {
                b'"' => self.string().map(|_| ())?,
                b'-' | b'0'..=b'9' => self.number()?,
                byte @ (b'{' | b'[') => {
                    if levels == room {
                        return Err(Wrong::Deep);
                    }
                    self.at += 1;
                    // The closing braces lie two after the opening ones.
                    if self.space() == byte + 2 {
                        self.at += 1;
                    } else {
                        levels += 1;
                        open = open << 1 | u128::from(byte == b'{');
                        if byte == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                _ => self.word()?,
            }
            loop {
                if levels == 0 {
                    return Ok(());
                }
                let object = open & 1 == 1;
                if self.another(if object { b'}' } else { b']' })? {
                    if object {
                        self.key()?;
                    }
                    break;
                }
                self.at += 1;
                levels -= 1;
                open >>= 1;
            }
        }
    }

    #[inline(always)]
    fn word(&mut self) -> Scanned<()> {
        let rest = &self.body[self.at..];
        self.at += match rest.first_chunk::<4>() {
            Some(b"true" | b"null") => 4,
            Some(b"fals") if rest.get(4) == Some(&b'e') => 5,
            _ => return Err(Wrong::Value),
        };
        Ok(())
    }

    #[inline(always)]
    fn number(&mut self) -> Scanned<()> {
        self.at += usize::from(self.peek() == b'-');
        if self.peek() == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), b'+' | b'-'));
            self.digits()?;
        }
        Ok(())
    }

    /// At least one.
    #[inline(always)]
    fn digits(&mut self) -> Scanned<()> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Wrong::Number) }
    }
}

/// The highest bits of the bytes of a little-endian word that are a quote, a backslash or a control character; exact up to
/// the first.
#[inline(always)]
fn special(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // In a byte the subtraction borrows into the highest bit where it is below: quotes (0x22) are moved next to the control
    // characters (below 0x20). A borrow out of a byte disturbs only those after it.
    let quote_or_control = (word ^ (0x02 * EACH)).wrapping_sub(0x21 * EACH);
    let backslash = (word ^ (0x5c * EACH)).wrapping_sub(EACH);
    (quote_or_control | backslash) & !word & (0x80 * EACH)
}

/// How long the escape is that starts here.
#[cold]
fn escape(body: &[u8], at: usize) -> Scanned<usize> {
    match body.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
        Some(b'u') => match body.get(at + 2..at + 6) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(6),
            _ => Err(Wrong::Escape),
        },
        _ => Err(Wrong::Escape),
    }
}
