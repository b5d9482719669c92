//! What was not taken and why: counted by reason and column, with a few redacted examples.

use std::fmt;

/// Examples kept of each reason and column.
const EXAMPLES: usize = 5;

/// Why a row or a value was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    // Rows.
    TooLong,
    NotUtf8,
    Ragged,
    UnclosedQuote,
    NotAnObject,
    NoIdentifier,
    NoValidIdentifier,
    TooFewIdentifiers,
    NoTime,
    BadTime,
    TimeOutOfRange,
    FutureTime,
    NoEvent,
    UnknownEvent,
    NoAudience,
    BadAudience,
    BadMinutes,
    NoConsent,
    UnknownConsent,
    // Values, and identifiers of rows that have another one.
    NotAFlag,
    NotANumber,
    NotADate,
    NotText,
    NotPermitted,
    TextTooLong,
    BadEmail,
    BadPhone,
    BadIfa,
    ZeroIfa,
    BadHash,
    IdTooLong,
    UnknownIdType,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::TooLong => "row longer than build.max_row_bytes (an unclosed quote?)",
            Reason::NotUtf8 => "not UTF-8 text",
            Reason::Ragged => "not as many fields as the header",
            Reason::UnclosedQuote => "an unclosed quote",
            Reason::NotAnObject => "not a JSON object",
            Reason::NoIdentifier => "no identifier",
            Reason::NoValidIdentifier => "no valid identifier",
            Reason::TooFewIdentifiers => "fewer than two identifiers to link",
            Reason::NoTime => "no time",
            Reason::BadTime => "not a time in the configured format",
            Reason::TimeOutOfRange => "time outside 1970 to 2106",
            Reason::FutureTime => "time more than a day in the future",
            Reason::NoEvent => "no event name",
            Reason::UnknownEvent => "event name not in event.names",
            Reason::NoAudience => "no audience",
            Reason::BadAudience => "not an audience (owner/id)",
            Reason::BadMinutes => "not a whole number of minutes",
            Reason::NoConsent => "nothing said about consent",
            Reason::UnknownConsent => "not a kind of consent",
            Reason::NotAFlag => "not a flag (true/false, yes/no, 1/0)",
            Reason::NotANumber => "not a number",
            Reason::NotADate => "not a date in the configured format",
            Reason::NotText => "an object or list where one value is expected",
            Reason::NotPermitted => "value not among the permitted values",
            Reason::TextTooLong => "text longer than 512 bytes",
            Reason::BadEmail => "not an e-mail address",
            Reason::BadPhone => "not a phone number with country code (E.164)",
            Reason::BadIfa => "not an advertising id (UUID)",
            Reason::ZeroIfa => "all-zero advertising id, ignored",
            Reason::BadHash => "not Base64 of a SHA-256",
            Reason::IdTooLong => "identifier longer than 512 bytes",
            Reason::UnknownIdType => "identifier type not declared by any source",
        })
    }
}

/// One example of what was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    /// The file's position in the run's order.
    pub(super) file: u32,
    /// 1-based line, or row of a Parquet file.
    pub(super) line: u64,
    /// What it looked like: its shape, never itself.
    pub(super) shape: String,
}

/// The count of one reason and column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) reason: Reason,
    /// Position in the plan's columns; `None` = the row as a whole.
    pub(super) column: Option<usize>,
    pub(super) count: u64,
    /// The first in order of file and line.
    pub(super) samples: Vec<Sample>,
}

/// Counts of rejections.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups(Vec<Group>);

impl Groups {
    /// Counts one. `value` is only looked at when an example is still wanted.
    pub(super) fn add(&mut self, reason: Reason, column: Option<usize>, file: u32, line: u64, value: &str) {
        let group = self.group(reason, column);
        group.count += 1;
        if group.samples.len() < EXAMPLES {
            group.samples.push(Sample { file, line, shape: shape(value) });
        }
    }

    /// Adds the counts of another file. The result does not depend on the order in which files end.
    pub(super) fn merge(&mut self, other: Groups) {
        for theirs in other.0 {
            let group = self.group(theirs.reason, theirs.column);
            group.count += theirs.count;
            group.samples.extend(theirs.samples);
            group.samples.sort_by_key(|sample| (sample.file, sample.line));
            group.samples.truncate(EXAMPLES);
        }
    }

    /// How many in all.
    pub(super) fn total(&self) -> u64 {
        self.0.iter().map(|group| group.count).sum()
    }

    /// The groups, most frequent first.
    pub(super) fn sorted(mut self) -> Vec<Group> {
        self.0.sort_by_key(|group| (std::cmp::Reverse(group.count), group.reason, group.column));
        self.0
    }

    fn group(&mut self, reason: Reason, column: Option<usize>) -> &mut Group {
        let at =
            self.0.iter().position(|group| group.reason == reason && group.column == column).unwrap_or_else(|| {
                self.0.push(Group { reason, column, count: 0, samples: Vec::new() });
                self.0.len() - 1
            });
        &mut self.0[at]
    }
}

/// Everything counted of one file, or of one source.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Rows read.
    pub(super) rows: u64,
    /// Rows handed on.
    pub(super) accepted: u64,
    /// Rows past the source's retention.
    pub(super) expired: u64,
    /// Values past their trait's retention.
    pub(super) expired_values: u64,
    /// Rejected rows.
    pub(super) rejected: Groups,
    /// Rejected values of rows that were kept.
    pub(super) values: Groups,
    /// By column: whether any row had it (NDJSON has no header to check before).
    pub(super) seen: Vec<bool>,
}

impl Tally {
    /// Adds the counts of another file of the same source.
    pub(super) fn merge(&mut self, other: Tally) {
        self.rows += other.rows;
        self.accepted += other.accepted;
        self.expired += other.expired;
        self.expired_values += other.expired_values;
        self.rejected.merge(other.rejected);
        self.values.merge(other.values);
        self.seen.resize(self.seen.len().max(other.seen.len()), false);
        self.seen.iter_mut().zip(other.seen).for_each(|(seen, theirs)| *seen |= theirs);
    }
}

/// What a value looks like without saying what it is: `9 characters: digits`.
fn shape(value: &str) -> String {
    if value.is_empty() {
        return "empty".to_owned();
    }
    type Class = (&'static str, fn(char) -> bool);
    const CLASSES: [Class; 5] = [
        ("letters", char::is_alphabetic),
        ("digits", char::is_numeric),
        ("spaces", char::is_whitespace),
        ("an @", |c| c == '@'),
        ("control characters", char::is_control),
    ];
    let mut found: Vec<&str> = CLASSES.iter().filter(|(_, is)| value.chars().any(is)).map(|(name, _)| *name).collect();
    if value.chars().any(|c| CLASSES.iter().all(|(_, is)| !is(c))) {
        found.push("punctuation");
    }
    let count = value.chars().count();
    format!("{count} character{}: {}", if count == 1 { "" } else { "s" }, found.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_tell_nothing_but_shape() {
        assert_eq!(shape("123456789"), "9 characters: digits");
        assert_eq!(shape("jane@example.com"), "16 characters: letters, an @, punctuation");
        assert_eq!(shape("x"), "1 character: letters");
        assert_eq!(shape(""), "empty");
        assert_eq!(shape("Via Ròma 1\0"), "11 characters: letters, digits, spaces, control characters");
    }

    #[test]
    fn merging_is_independent_of_order_and_keeps_the_first_examples() {
        let file = |file: u32| {
            let mut groups = Groups::default();
            (0..4).for_each(|line| groups.add(Reason::NotANumber, Some(2), file, line, "x"));
            groups
        };
        let merged = |order: [u32; 3]| {
            let mut all = Groups::default();
            order.into_iter().for_each(|at| all.merge(file(at)));
            all.sorted()
        };
        assert_eq!(merged([0, 1, 2]), merged([2, 1, 0]));
        let groups = merged([1, 2, 0]);
        assert_eq!((groups[0].count, groups[0].samples.len()), (12, EXAMPLES));
        assert!(groups[0].samples.iter().all(|sample| sample.file < 2));
    }
}
