//! A cursor that walks over JSON and validates all of it (RFC 8259), once, without allocating and without recursion.
//! What the members mean is not known here.
//!
//! Halves of a surrogate pair without the other half are accepted, as the RFC's grammar has it, and read as U+FFFD;
//! numbers are not computed, so none is too large.

use crate::wire::json::Text;
use std::borrow::Cow;

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

/// A place in a body.
pub(super) struct Cursor<'a> {
    text: &'a str,
    /// The same as bytes.
    body: &'a [u8],
    /// The next byte.
    pub at: usize,
    depth: u32,
}

impl<'a> Cursor<'a> {
    /// At the start of a body that is known to be UTF-8.
    pub fn new(text: &'a str) -> Self {
        Cursor { text, body: text.as_bytes(), at: 0, depth: 0 }
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

    /// Whether nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.at == self.body.len()
    }

    /// Walks over an object: `member` gets each key and walks over its value. The end of the last member, or what follows
    /// the brace where there is none; `None` = the value is no object, and was passed over.
    #[inline]
    pub fn object(&mut self, mut member: impl FnMut(&mut Self, &str) -> Scanned<()>) -> Scanned<Option<usize>> {
        if self.peek() != b'{' {
            return self.skip().map(|()| None);
        }
        let mut end = self.enter()?;
        if self.space() != b'}' {
            loop {
                let key = self.key()?;
                member(self, &key)?;
                end = self.at;
                if !self.another(b'}')? {
                    break;
                }
            }
        }
        self.leave();
        Ok(Some(end))
    }

    /// Walks over an array as [`Cursor::object`] does over an object.
    #[inline]
    pub fn array(&mut self, mut element: impl FnMut(&mut Self) -> Scanned<()>) -> Scanned<Option<usize>> {
        if self.peek() != b'[' {
            return self.skip().map(|()| None);
        }
        let mut end = self.enter()?;
        if self.space() != b']' {
            loop {
                element(self)?;
                end = self.at;
                if !self.another(b']')? {
                    break;
                }
            }
        }
        self.leave();
        Ok(Some(end))
    }

    /// Past an opening brace.
    fn enter(&mut self) -> Scanned<usize> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Wrong::Deep);
        }
        self.at += 1;
        Ok(self.at)
    }

    /// Past a closing brace.
    fn leave(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    /// Past a comma, to what follows it; or to the closing brace.
    #[inline(always)]
    fn another(&mut self, close: u8) -> Scanned<bool> {
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

    /// Past a key and its colon, to the value.
    #[inline(always)]
    fn key(&mut self) -> Scanned<Cow<'a, str>> {
        if self.peek() != b'"' {
            return Err(Wrong::Key);
        }
        let key = self.string()?;
        self.colon()?;
        Ok(key)
    }

    #[inline(always)]
    fn colon(&mut self) -> Scanned<()> {
        if self.space() != b':' {
            return Err(Wrong::Colon);
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    /// A string, or the own spelling of a number; empty for everything else.
    #[inline]
    pub fn id(&mut self) -> Scanned<Text<'a>> {
        match self.peek() {
            b'"' => self.string().map(Text),
            b'-' | b'0'..=b'9' => self.raw().map(|number| Text(Cow::Borrowed(number))),
            _ => self.skip().map(|()| Text::default()),
        }
    }

    /// A value as it is spelt.
    #[inline]
    pub fn raw(&mut self) -> Scanned<&'a str> {
        let start = self.at;
        self.skip()?;
        Ok(&self.text[start..self.at])
    }

    #[inline(always)]
    fn string(&mut self) -> Scanned<Cow<'a, str>> {
        let start = self.at + 1;
        let escaped = self.pass_string()?;
        let raw = &self.text[start..self.at - 1];
        Ok(if escaped { Cow::Owned(unescaped(raw)) } else { Cow::Borrowed(raw) })
    }

    /// Passes over a string; whether it has escapes.
    #[inline(always)]
    fn pass_string(&mut self) -> Scanned<bool> {
        self.at += 1;
        let mut escaped = false;
        loop {
            while let Some(word) = self.body[self.at..].first_chunk::<8>() {
                match ordinary(u64::from_le_bytes(*word)) {
                    8 => self.at += 8,
                    some => {
                        self.at += some;
                        break;
                    }
                }
            }
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok(escaped);
                }
                b'\\' => {
                    escaped = true;
                    self.at += self.escape()?;
                }
                0..0x20 => return Err(if self.is_at_end() { Wrong::Quote } else { Wrong::Control }),
                _ => self.at += 1,
            }
        }
    }

    /// How long the escape is that starts here.
    #[cold]
    fn escape(&self) -> Scanned<usize> {
        match self.body.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
            Some(b'u') => match self.body.get(self.at + 2..self.at + 6) {
                Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(6),
                _ => Err(Wrong::Escape),
            },
            _ => Err(Wrong::Escape),
        }
    }

    /// Passes over a value, whatever is in it.
    pub fn skip(&mut self) -> Scanned<()> {
        // What is open, the innermost in the lowest bit: 1 = an object, 0 = an array.
        let (mut open, mut levels) = (0_u128, 0);
        let room = MAX_DEPTH - self.depth;
        loop {
            match self.peek() {
                b'"' => self.pass_string().map(|_| ())?,
                b'-' | b'0'..=b'9' => self.pass_number()?,
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
                            self.pass_key()?;
                        }
                        continue;
                    }
                }
                _ => self.pass_word()?,
            }
            loop {
                if levels == 0 {
                    return Ok(());
                }
                let object = open & 1 == 1;
                match self.space() {
                    b',' => {
                        self.at += 1;
                        self.space();
                        if object {
                            self.pass_key()?;
                        }
                        break;
                    }
                    b'}' if object => {}
                    b']' if !object => {}
                    _ => return Err(Wrong::Next),
                }
                self.at += 1;
                levels -= 1;
                open >>= 1;
            }
        }
    }

    #[inline(always)]
    fn pass_key(&mut self) -> Scanned<()> {
        if self.peek() != b'"' {
            return Err(Wrong::Key);
        }
        self.pass_string()?;
        self.colon()
    }

    #[inline(always)]
    fn pass_word(&mut self) -> Scanned<()> {
        let rest = &self.body[self.at..];
        let word = [&b"true"[..], b"null", b"false"].into_iter().find(|word| rest.starts_with(word));
        self.at += word.ok_or(Wrong::Value)?.len();
        Ok(())
    }

    #[inline(always)]
    fn pass_number(&mut self) -> Scanned<()> {
        self.at += usize::from(self.peek() == b'-');
        if self.peek() == b'0' {
            self.at += 1;
        } else {
            self.pass_digits()?;
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.pass_digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), b'+' | b'-'));
            self.pass_digits()?;
        }
        Ok(())
    }

    /// At least one.
    #[inline(always)]
    fn pass_digits(&mut self) -> Scanned<()> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Wrong::Number) }
    }
}

/// How many bytes of a little-endian word come before a quote, a backslash or a control character.
#[inline(always)]
fn ordinary(word: u64) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // In a byte the subtraction borrows into the highest bit where it is below: quotes (0x22) are moved next to the control
    // characters (below 0x20). A borrow out of a byte disturbs only those after it, and the first is what counts.
    let quote_or_control = (word ^ (0x02 * EACH)).wrapping_sub(0x21 * EACH);
    let backslash = (word ^ (0x5c * EACH)).wrapping_sub(EACH);
    ((quote_or_control | backslash) & !word & (0x80 * EACH)).trailing_zeros() as usize / 8
}

/// What a sound string with escapes stands for.
#[cold]
fn unescaped(raw: &str) -> String {
    let mut units = Vec::new();
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        units.clear();
        while let Some(unit) = rest.strip_prefix("\\u").and_then(|rest| u16::from_str_radix(rest.get(..4)?, 16).ok()) {
            units.push(unit);
            rest = &rest[6..];
        }
        text.extend(char::decode_utf16(units.iter().copied()).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
        if units.is_empty() {
            let mut two = rest[1..].chars();
            text.extend(two.next().map(|letter| match letter {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            }));
            rest = two.as_str();
        }
    }
    text.push_str(rest);
    text
}
