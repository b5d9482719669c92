//! Moving over the tokens of a rule, and saying what was found instead of what was expected.

use crate::audiences::Diagnostic;
use crate::audiences::lex::{Lexeme, Token};
use std::ops::Range;

/// A part that was read, or why not.
pub(super) type Step<T> = Result<T, Diagnostic>;

/// A position in the tokens.
pub(super) struct Cursor<'a> {
    text: &'a str,
    tokens: &'a [Lexeme],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// `tokens` end with [`Token::End`].
    pub(super) fn new(text: &'a str, tokens: &'a [Lexeme]) -> Self {
        Cursor { text, tokens, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn lexeme(&self, ahead: usize) -> &'a Lexeme {
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    pub(super) fn token(&self) -> &'a Token {
        &self.lexeme(0).token
    }

    pub(super) fn peek(&self, ahead: usize) -> &'a Token {
        &self.lexeme(ahead).token
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.lexeme(0).span.clone()
    }

    pub(super) fn span_of(&self, token: usize) -> Range<usize> {
        self.tokens[token.min(self.tokens.len() - 1)].span.clone()
    }

    /// The end of the last token that was read.
    pub(super) fn end(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |before| self.span_of(before).end)
    }

    pub(super) fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// The word here, without quotes around it.
    pub(super) fn word(&self) -> Option<&'a str> {
        match self.token() {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    /// Whether the keyword is here, in any case.
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.peek_is(0, keyword)
    }

    pub(super) fn peek_is(&self, ahead: usize, keyword: &str) -> bool {
        matches!(self.peek(ahead), Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// Goes past the keyword if it is here.
    pub(super) fn accept(&mut self, keyword: &str) -> bool {
        let here = self.is(keyword);
        if here {
            self.advance();
        }
        here
    }

    pub(super) fn expect(&mut self, keyword: &str) -> Step<()> {
        if self.accept(keyword) { Ok(()) } else { Err(self.expected(&format!("`{keyword}`"))) }
    }

    /// What is here, in words.
    pub(super) fn found(&self) -> String {
        match self.token() {
            Token::End => "the end of the rule".to_owned(),
            _ => {
                let text = &self.text[self.span()];
                let short: String = text.chars().take(40).collect();
                let more = if short.len() < text.len() { "..." } else { "" };
                format!("`{short}{more}`")
            }
        }
    }

    pub(super) fn expected(&self, what: &str) -> Diagnostic {
        Diagnostic::error("expected", self.span(), format!("expected {what}, found {}", self.found()))
    }

    /// Goes behind a condition that began at the token `from` and could not be read, so that the rest is read too.
    pub(super) fn recover(&mut self, from: usize) {
        let read = &self.tokens[from.min(self.at)..self.at];
        let count = |token: Token| read.iter().filter(|lexeme| lexeme.token == token).count();
        let mut open = count(Token::Open).saturating_sub(count(Token::Close));
        loop {
            let link = self.is("and") || self.is("or");
            match self.token() {
                Token::End => return,
                Token::Open => open += 1,
                Token::Close | Token::Comma if open == 0 => return,
                Token::Close => open -= 1,
                // No condition begins with a number: such an `and` belongs to a `between`.
                _ if open == 0 && link && !matches!(self.peek(1), Token::Number(_) | Token::Date(_)) => return,
                _ => {}
            }
            self.advance();
        }
    }

    pub(super) fn skip_to_end(&mut self) {
        self.at = self.tokens.len() - 1;
    }

    /// The text of some tokens on one line, without comments.
    pub(super) fn text_of(&self, tokens: Range<usize>) -> String {
        let mut out = String::new();
        let mut end = None;
        for lexeme in &self.tokens[tokens] {
            if end.is_some_and(|end| end < lexeme.span.start) {
                out.push(' ');
            }
            out.push_str(&self.text[lexeme.span.clone()]);
            end = Some(lexeme.span.end);
        }
        out
    }
}
