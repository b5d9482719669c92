//! A sliding window over a byte stream: keeps the current row whole, in bounded memory.

use std::io::{ErrorKind, Read, Result};

/// Bytes asked of the stream at once.
const CHUNK: usize = 256 * 1024;

/// The unread part of a stream, from the start of the current row on.
pub(super) struct Window<R> {
    input: R,
    buffer: Vec<u8>,
    /// Start of the current row.
    start: usize,
    end: usize,
    ended: bool,
}

impl<R: Read> Window<R> {
    pub(super) fn new(input: R) -> Self {
        Window { input, buffer: vec![0; CHUNK], start: 0, end: 0, ended: false }
    }

    /// The bytes from the start of the current row.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Ends the current row after `len` bytes: the next one starts there.
    pub(super) fn advance(&mut self, len: usize) {
        self.start += len;
        debug_assert!(self.start <= self.end);
    }

    /// Reads more; whether there was any. The current row may move, its bytes stay.
    pub(super) fn fill(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < CHUNK {
            self.buffer.resize(self.end + CHUNK, 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            return Ok(!self.ended);
        }
    }

    /// Skips to after the next line feed, dropping everything before.
    pub(super) fn skip_line(&mut self) -> Result<()> {
        loop {
            let found = memchr::memchr(b'\n', self.bytes());
            self.advance(found.map_or(self.bytes().len(), |at| at + 1));
            if found.is_some() || !self.fill()? {
                return Ok(());
            }
        }
    }

    /// Skips a UTF-8 byte order mark at the start of a stream.
    pub(super) fn skip_mark(&mut self) -> Result<()> {
        while self.bytes().len() < 3 && self.fill()? {}
        if self.bytes().starts_with(b"\xef\xbb\xbf") {
            self.advance(3);
        }
        Ok(())
    }
}
