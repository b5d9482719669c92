//! Text -> tokens with byte spans. Knows no grammar: keywords are ordinary words here.

use super::Diagnostic;
use super::rule::{Compare, Date};
use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// A keyword, a name, or a text without quotes.
    Word(String),
    /// A text in quotes, escapes resolved.
    Text(String),
    /// A number.
    Number(f64),
    /// A calendar day.
    Date(Date),
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`
    Compare(Compare),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `%`
    Percent,
    /// Behind the last token.
    End,
}

/// A token and its bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Lexeme {
    /// What it is.
    pub token: Token,
    /// Where it is.
    pub span: Range<usize>,
}

/// Splits a rule into tokens; the last is [`Token::End`].
///
/// # Errors
/// Every character that begins no token, every unfinished text, every impossible date.
pub fn lex(text: &str) -> Result<Vec<Lexeme>, Vec<Diagnostic>> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), errors: Vec::new() };
    while lexer.step() {}
    let end = text.len();
    lexer.tokens.push(Lexeme { token: Token::End, span: end..end });
    if lexer.errors.is_empty() { Ok(lexer.tokens) } else { Err(lexer.errors) }
}

/// Whether a text reads back as the same [`Token::Word`] without quotes.
pub fn is_bare_word(text: &str) -> bool {
    text.starts_with(begins_word) && text.chars().all(in_word) && matches!(classify(text), Some(Token::Word(_)))
}

/// Reads `YYYY-MM-DD`.
pub fn date(text: &str) -> Option<Date> {
    let day: jiff::civil::Date = text.parse().ok()?;
    let days = day.since((jiff::Unit::Day, jiff::civil::date(1970, 1, 1))).ok()?.get_days();
    looks_like_date(text).then_some(Date(days))
}

fn begins_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')
}

fn looks_like_date(word: &str) -> bool {
    word.len() == 10
        && word.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() })
}

fn looks_like_number(word: &str) -> bool {
    let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction)
}

/// What a run of word characters is; `None` for a date or number that cannot be.
fn classify(word: &str) -> Option<Token> {
    if looks_like_date(word) {
        return date(word).map(Token::Date);
    }
    if looks_like_number(word) {
        return word.parse().ok().filter(|number: &f64| number.is_finite()).map(Token::Number);
    }
    Some(Token::Word(word.to_owned()))
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Lexeme>,
    errors: Vec<Diagnostic>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn push(&mut self, token: Token, bytes: usize) {
        self.tokens.push(Lexeme { token, span: self.at..self.at + bytes });
        self.at += bytes;
    }

    fn fail(&mut self, code: &'static str, bytes: usize, message: String, help: &str) {
        let error = Diagnostic::error(code, self.at..self.at + bytes, message).help(help);
        self.errors.push(error);
        self.at += bytes;
    }

    /// Reads one token, or skips blanks and comments; false at the end.
    fn step(&mut self) -> bool {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else { return false };
        if c.is_whitespace() {
            self.at += c.len_utf8();
        } else if c == '#' {
            self.at += rest.find('\n').unwrap_or(rest.len());
        } else if c == '"' {
            self.quoted();
        } else if begins_word(c) || (matches!(c, '-' | '+') && rest[1..].starts_with(|d: char| d.is_ascii_digit())) {
            self.word(c.len_utf8());
        } else {
            self.symbol(c);
        }
        true
    }

    fn word(&mut self, first: usize) {
        let rest = self.rest();
        let length = first + rest[first..].find(|c| !in_word(c)).unwrap_or(rest.len() - first);
        let word = &rest[..length];
        match classify(word) {
            Some(token) => self.push(token, length),
            None if looks_like_date(word) => {
                let message = format!("there is no day `{word}`");
                self.fail("bad-date", length, message, "dates are written YEAR-MONTH-DAY, such as 2026-11-30");
            }
            None => self.fail("bad-number", length, "this number is too large".to_owned(), "use a smaller one"),
        }
    }

    fn symbol(&mut self, c: char) {
        let rest = self.rest();
        let two: String = rest.chars().take(2).collect();
        let (token, bytes) = match (two.as_str(), c) {
            ("==" | "&&" | "||" | "<>", _) => return self.foreign(&two),
            ("!=", _) => (Token::Compare(Compare::Ne), 2),
            ("<=", _) => (Token::Compare(Compare::Le), 2),
            (">=", _) => (Token::Compare(Compare::Ge), 2),
            (_, '=') => (Token::Compare(Compare::Eq), 1),
            (_, '<') => (Token::Compare(Compare::Lt), 1),
            (_, '>') => (Token::Compare(Compare::Gt), 1),
            (_, '(') => (Token::Open, 1),
            (_, ')') => (Token::Close, 1),
            (_, ',') => (Token::Comma, 1),
            (_, '%') => (Token::Percent, 1),
            _ => return self.foreign(c.encode_utf8(&mut [0; 4])),
        };
        self.push(token, bytes);
    }

    /// A sign of other languages: says what it is called here.
    fn foreign(&mut self, sign: &str) {
        let help = match sign {
            "==" => "write `=`",
            "&&" | "&" => "write `and`",
            "||" | "|" => "write `or`",
            "!" => "write `not`",
            "<>" | "≠" => "write `!=`",
            "≤" => "write `<=`",
            "≥" => "write `>=`",
            "“" | "”" | "„" | "‘" | "’" | "'" | "`" | "«" | "»" => {
                "put texts in straight double quotes: \"like this\""
            }
            "[" | "]" | "{" | "}" => "use round parentheses",
            _ => "put texts with such characters in quotes: \"like this\"",
        };
        let shown: String = sign.chars().flat_map(char::escape_debug).collect();
        self.fail("unknown-character", sign.len(), format!("`{shown}` means nothing here"), help);
    }

    fn quoted(&mut self) {
        let rest = self.rest();
        let mut value = String::new();
        let mut bad = None;
        let mut chars = rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    match bad {
                        None => self.push(Token::Text(value), at + 1),
                        Some(span) => self.bad_escape(span, at + 1),
                    }
                    return;
                }
                '\\' => match escape(&mut chars) {
                    Some(c) => value.push(c),
                    None => bad = bad.or(Some(at)),
                },
                c => value.push(c),
            }
        }
        let length = rest.len();
        self.fail("unfinished-text", length, "this text is not finished".to_owned(), "end it with `\"`");
    }

    fn bad_escape(&mut self, at: usize, length: usize) {
        let start = self.at + at;
        let bytes = self.text[start..].chars().take(2).map(char::len_utf8).sum::<usize>();
        let error = Diagnostic::error("bad-escape", start..start + bytes, "this escape is not known")
            .help("known are \\\" \\\\ \\n \\r \\t and \\u{HEX}; write a backslash as \\\\");
        self.errors.push(error);
        self.at += length;
    }
}

fn escape(chars: &mut impl Iterator<Item = (usize, char)>) -> Option<char> {
    Some(match chars.next()?.1 {
        '"' => '"',
        '\\' => '\\',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            chars.next().filter(|(_, c)| *c == '{')?;
            let mut code = 0u32;
            for _ in 0..7 {
                match chars.next()?.1 {
                    '}' => return char::from_u32(code),
                    c => code = code.checked_mul(16)?.checked_add(c.to_digit(16)?)?,
                }
            }
            return None;
        }
        _ => return None,
    })
}
