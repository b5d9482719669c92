//! CSV: takes a stream apart into records with `csv-core`, in bounded memory, and survives unclosed quotes.
//!
//! A record that runs over several lines and then does not fit (wrong number of fields, an odd number of quotes, too
//! long) is most likely one line with a stray quote: only its first line is rejected, and reading goes on at the next.

use super::plan::Plan;
use super::record::{Fields, Value};
use super::rejects::Reason;
use super::rows::{RowMaker, Stopped};
use super::window::Window;
use csv_core::{ReadRecordResult, ReaderBuilder};
use std::io::{Read, Result};

/// Takes records apart.
pub(super) struct Records<R> {
    window: Window<R>,
    parser: csv_core::Reader,
    max_bytes: usize,
    /// The fields' bytes, one after the other ...
    output: Vec<u8>,
    /// ... and where each ends.
    ends: Vec<usize>,
    fields: usize,
    line: u64,
}

/// What was found.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// A record that starts at this line.
    Record(u64),
    /// A line that is rejected.
    Rejected(Reason, u64),
    End,
}

impl<R: Read> Records<R> {
    pub(super) fn new(input: R, delimiter: u8, max_bytes: usize) -> Result<Self> {
        let mut window = Window::new(input);
        window.skip_mark()?;
        let parser = ReaderBuilder::new().delimiter(delimiter).build();
        Ok(Records { window, parser, max_bytes, output: vec![0; 4_096], ends: vec![0; 64], fields: 0, line: 1 })
    }

    /// The header's names; `None` for an empty file. The error side tells what is wrong with it.
    pub(super) fn header(&mut self) -> Result<std::result::Result<Option<Vec<String>>, Reason>> {
        Ok(match self.next(None)? {
            Found::End => Ok(None),
            Found::Rejected(reason, _) => Err(reason),
            Found::Record(_) => {
                let name = |at| std::str::from_utf8(self.field(at)).map(|name| name.trim().to_owned());
                let names: std::result::Result<Vec<_>, _> = (0..self.fields).map(name).collect();
                names.map(Some).map_err(|_| Reason::NotUtf8)
            }
        })
    }

    fn field(&self, at: usize) -> &[u8] {
        &self.output[if at == 0 { 0 } else { self.ends[at - 1] }..self.ends[at]]
    }

    /// The next record; `width` is the number of fields it must have.
    fn next(&mut self, width: Option<usize>) -> Result<Found> {
        if !self.skip_line_ends()? {
            return Ok(Found::End);
        }
        let line = self.line;
        self.parser.set_line(line);
        let Some((length, complete)) = self.parse()? else {
            self.window.skip_line()?;
            self.restart(line + 1);
            return Ok(Found::Rejected(Reason::TooLong, line));
        };
        let ragged = width.is_some_and(|width| width != self.fields);
        let first_line = memchr::memchr(b'\n', &self.window.bytes()[..length]).map_or(length, |at| at + 1);
        let quotes = || memchr::memchr_iter(b'"', &self.window.bytes()[..length]).count();
        if first_line < length && (ragged || quotes() % 2 == 1) {
            self.window.advance(first_line);
            self.restart(line + 1);
            return Ok(Found::Rejected(if ragged { Reason::Ragged } else { Reason::UnclosedQuote }, line));
        }
        self.line = self.parser.line();
        self.window.advance(length);
        if !complete {
            self.restart(self.line);
        }
        Ok(match ragged {
            true => Found::Rejected(Reason::Ragged, line),
            false => Found::Record(line),
        })
    }

    /// Parses the record at the window's start: its length in bytes, and whether a line end ended it (and not the
    /// stream). `None` when it is longer than allowed.
    fn parse(&mut self) -> Result<Option<(usize, bool)>> {
        let (mut read, mut written) = (0, 0);
        self.fields = 0;
        loop {
            if read == self.window.bytes().len() {
                if read > self.max_bytes {
                    return Ok(None);
                }
                self.window.fill()?;
            }
            let input = &self.window.bytes()[read..];
            let ended = input.is_empty();
            let (result, nin, nout, nends) =
                self.parser.read_record(input, &mut self.output[written..], &mut self.ends[self.fields..]);
            read += nin;
            written += nout;
            self.fields += nends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.output.resize(self.output.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => {
                    return Ok(if read > self.max_bytes { None } else { Some((read, !ended)) });
                }
            }
        }
    }

    fn restart(&mut self, line: u64) {
        self.parser.reset();
        self.line = line;
    }

    /// Skips the rest of the last line end and blank lines, so that a record's line is that of its first byte. Whether
    /// anything is left.
    fn skip_line_ends(&mut self) -> Result<bool> {
        loop {
            let bytes = self.window.bytes();
            let blank = bytes.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
            self.line += bytes[..blank].iter().filter(|byte| **byte == b'\n').count() as u64;
            let more = blank < bytes.len();
            self.window.advance(blank);
            if more {
                return Ok(true);
            }
            if !self.window.fill()? {
                return Ok(false);
            }
        }
    }
}

/// Reads all records into rows. `positions` gives, by the plan's columns, the position in the header.
pub(super) fn read<R: Read>(
    records: &mut Records<R>,
    width: usize,
    positions: &[usize],
    rows: &mut RowMaker<'_>,
) -> Result<std::result::Result<(), Stopped>> {
    let mut values = vec![Value::Absent; positions.len()];
    loop {
        let line = match records.next(Some(width))? {
            Found::End => return Ok(Ok(())),
            Found::Rejected(reason, line) => {
                rows.reject(reason, line);
                continue;
            }
            Found::Record(line) => line,
        };
        let length = records.ends[records.fields - 1];
        let Ok(text) = std::str::from_utf8(&records.output[..length]) else {
            rows.reject(Reason::NotUtf8, line);
            continue;
        };
        let mut whole = true;
        for (value, at) in values.iter_mut().zip(positions) {
            let start = if *at == 0 { 0 } else { records.ends[at - 1] };
            let end = records.ends[*at];
            // Two halves of a character in neighbouring fields are valid together, not apart.
            whole &= text.is_char_boundary(start) && text.is_char_boundary(end);
            *value = Value::Text { start: start as u32, end: end as u32 };
        }
        if !whole {
            rows.reject(Reason::NotUtf8, line);
        } else if let Err(stopped) = rows.row(&Fields { text, values: &values, items: &[], line }) {
            return Ok(Err(stopped));
        }
    }
}

/// Opens the records of a planned source.
pub(super) fn records<R: Read>(plan: &Plan, input: R) -> Result<Records<R>> {
    Records::new(input, plan.delimiter, plan.max_row_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A reader that gives a few bytes at a time.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            let n = self.0.len().min(self.1).min(buffer.len());
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    /// Every record or rejection: (line, fields or reason).
    fn all(text: &str, step: usize, max_bytes: usize) -> Vec<(u64, std::result::Result<Vec<String>, Reason>)> {
        let mut records = Records::new(Trickle(text.as_bytes(), step), b',', max_bytes).unwrap();
        let Ok(Some(header)) = records.header().unwrap() else { return Vec::new() };
        let mut found = Vec::new();
        loop {
            match records.next(Some(header.len())).unwrap() {
                Found::End => return found,
                Found::Rejected(reason, line) => found.push((line, Err(reason))),
                Found::Record(line) => {
                    let field = |at| String::from_utf8(records.field(at).to_vec()).unwrap();
                    found.push((line, Ok((0..records.fields).map(field).collect())));
                }
            }
        }
    }

    fn row(fields: &[&str]) -> std::result::Result<Vec<String>, Reason> {
        Ok(fields.iter().map(|field| (*field).to_owned()).collect())
    }

    #[test]
    fn lines_are_counted_through_blank_lines_quotes_and_carriage_returns() {
        let text = "\u{feff}a,b\r\n1,2\r\n\r\n\"x\ny\",3\r\n4,\"q\"\"q\"\r\n";
        for step in [1, 2, 3, 1_000] {
            let expected = [(2, row(&["1", "2"])), (4, row(&["x\ny", "3"])), (6, row(&["4", "q\"q"]))];
            assert_eq!(all(text, step, 1_000), expected, "step {step}");
        }
    }

    #[test]
    fn an_unclosed_quote_costs_one_line() {
        for step in [1, 7, 1_000] {
            let expected = [(2, Err(Reason::UnclosedQuote)), (3, row(&["2", "y"])), (4, row(&["3", "z"]))];
            assert_eq!(all("a,b\n1,\"x\n2,y\n3,z\n", step, 1_000), expected, "last column, to the end of the file");
            let expected = [(2, Err(Reason::Ragged)), (3, row(&["2", "y"])), (4, row(&["3", "z"]))];
            assert_eq!(all("a,b\n\"1,x\n2,y\n3,z\n", step, 1_000), expected, "first column");
            let long = format!("a,b\n1,\"x\n{}", "2,y\n".repeat(100));
            let found = all(&long, step, 64);
            assert_eq!(found[0], (2, Err(Reason::TooLong)), "past the longest row");
            assert_eq!(found.len(), 101);
        }
    }

    #[test]
    fn ragged_and_long_rows_are_rejected_where_they_stand() {
        let text = format!("a,b\n1\n1,2,3\n{},x\n4,5", "z".repeat(100));
        let expected =
            [(2, Err(Reason::Ragged)), (3, Err(Reason::Ragged)), (4, Err(Reason::TooLong)), (5, row(&["4", "5"]))];
        assert_eq!(all(&text, 5, 50), expected);
        assert_eq!(all("", 5, 50), []);
        assert_eq!(all("a,b", 5, 50), []);
    }

    #[test]
    fn a_row_that_never_ends_takes_bounded_memory() {
        let endless = std::io::Read::take(std::io::repeat(b'x'), 64 << 20);
        let mut records = Records::new(std::io::Read::chain(&b"a\n"[..], endless), b',', 1 << 20).unwrap();
        assert!(records.header().unwrap().is_ok());
        assert_eq!(records.next(Some(1)).unwrap(), Found::Rejected(Reason::TooLong, 2));
        assert_eq!(records.next(Some(1)).unwrap(), Found::End);
        assert!(records.output.len() <= 4 << 20, "{}", records.output.len());
    }

    proptest! {
        #[test]
        fn what_a_csv_writer_wrote_reads_back(
            table in prop::collection::vec(prop::collection::vec("[a-z\"\n\r, é]{0,6}", 3), 0..20),
            step in 1usize..40,
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["a", "b", "c"]).unwrap();
            table.iter().for_each(|fields| writer.write_record(fields).unwrap());
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let read: Vec<_> = all(&text, step, 10_000).into_iter().map(|(_, fields)| fields).collect();
            let expected: Vec<_> = table.into_iter().map(Ok).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
