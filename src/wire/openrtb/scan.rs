//! A cursor over a JSON body: objects and arrays are walked over member by member, and whatever is not asked for is
//! validated and passed over. What the members mean is not known here.

use super::walk::{MAX_DEPTH, Scanned, Walk, Wrong};
use crate::wire::json::Text;
use std::borrow::Cow;

/// A place in a body, and how deep it lies.
pub(super) struct Cursor<'a> {
    text: &'a str,
    walk: Walk<'a>,
    depth: u32,
}

impl<'a> Cursor<'a> {
    /// At the first value of a body.
    pub fn new(text: &'a str) -> Self {
        let mut walk = Walk::new(text.as_bytes());
        walk.space();
        Cursor { text, walk, depth: 0 }
    }

    /// The number of the next byte.
    pub fn at(&self) -> usize {
        self.walk.at
    }

    /// The first byte of the value that comes.
    #[inline(always)]
    pub fn peek(&self) -> u8 {
        self.walk.peek()
    }

    /// Whether nothing but white space is left.
    pub fn finish(&mut self) -> Scanned<()> {
        self.walk.space();
        if self.walk.is_at_end() { Ok(()) } else { Err(Wrong::Rest) }
    }

    /// Walks over an object: `member` gets each key and walks over its value. The end of the last member, or what follows
    /// the brace where there is none; `None` = the value is no object, and was passed over.
    #[inline]
    pub fn object(&mut self, mut member: impl FnMut(&mut Self, &[u8]) -> Scanned<()>) -> Scanned<Option<usize>> {
        if self.peek() != b'{' {
            return self.skip().map(|()| None);
        }
        let mut end = self.enter()?;
        if self.walk.space() != b'}' {
            loop {
                let start = self.at() + 1;
                let (stop, escaped) = self.step(Walk::key)?;
                match self.text.get(start..stop) {
                    Some(key) if escaped => member(self, unescaped(key).as_bytes())?,
                    key => member(self, key.unwrap_or_default().as_bytes())?,
                }
                end = self.at();
                if !self.walk.another(b'}')? {
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
        if self.walk.space() != b']' {
            loop {
                element(self)?;
                end = self.at();
                if !self.walk.another(b']')? {
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
        self.walk.at += 1;
        Ok(self.walk.at)
    }

    /// Past a closing brace.
    fn leave(&mut self) {
        self.depth -= 1;
        self.walk.at += 1;
    }

    /// Walks on with a copy.
    #[inline(always)]
    fn step<T>(&mut self, step: impl FnOnce(&mut Walk<'a>) -> Scanned<T>) -> Scanned<T> {
        let mut walk = self.walk;
        let done = step(&mut walk);
        self.walk = walk;
        done
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

    #[inline]
    fn string(&mut self) -> Scanned<Cow<'a, str>> {
        let start = self.at() + 1;
        let escaped = self.step(Walk::string)?;
        let raw = &self.text[start..self.at() - 1];
        Ok(if escaped { Cow::Owned(unescaped(raw)) } else { Cow::Borrowed(raw) })
    }

    /// A value as it is spelt.
    #[inline]
    pub fn raw(&mut self) -> Scanned<&'a str> {
        let start = self.at();
        self.skip()?;
        Ok(&self.text[start..self.at()])
    }

    /// Passes over a value.
    pub fn skip(&mut self) -> Scanned<()> {
        let room = MAX_DEPTH - self.depth;
        self.step(|walk| walk.value(room))
    }
}

/// What a sound string with escapes stands for; half a surrogate pair is U+FFFD.
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
