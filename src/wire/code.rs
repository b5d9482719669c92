//! The one table of codes: what went wrong -> gRPC status, HTTP status, OpenRTB no-bid reason.
//!
//! A code is for a request that could not be answered. "Who is this?" with the answer "nobody we know" is an answer:
//! its status is in the body (see `docs/api.md`).

use serde::Serialize;
use std::fmt;

/// Why a request got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Code {
    /// The body or the message is malformed, or a value in it is out of bounds.
    InvalidArgument,
    /// The credential is missing where one is needed, unknown, expired or taken away.
    Unauthenticated,
    /// The credential is valid, and not for this.
    PermissionDenied,
    /// No such path, or a campaign that does not exist for this caller.
    NotFound,
    /// It was here: a token whose time is over.
    Gone,
    /// The path takes another method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    Timeout,
    /// The body is larger than `max_body_bytes`.
    TooLarge,
    /// The body is declared as something that this door does not read.
    UnsupportedMediaType,
    /// Nothing to answer from.
    NotReady,
    /// It cannot be had as this server is configured.
    Refused,
    /// Somebody else changed it meanwhile, or it stands elsewhere.
    Conflict,
    /// It is not as `If-Match` says.
    PreconditionFailed,
    /// It changes much: it must be confirmed.
    NeedsConfirmation,
    /// More comes than can be taken: it may be tried again at once.
    Overloaded,
    /// The disk is full, or refuses to be written.
    StorageFull,
    /// Not until somebody looks after it.
    Unavailable,
    /// A bug of ours.
    Internal,
}

impl Code {
    /// Every code, in the order of their numbers.
    pub const ALL: [Code; 18] = [
        Code::InvalidArgument,
        Code::Unauthenticated,
        Code::PermissionDenied,
        Code::NotFound,
        Code::Gone,
        Code::MethodNotAllowed,
        Code::Timeout,
        Code::TooLarge,
        Code::UnsupportedMediaType,
        Code::NotReady,
        Code::Refused,
        Code::Conflict,
        Code::PreconditionFailed,
        Code::NeedsConfirmation,
        Code::Overloaded,
        Code::StorageFull,
        Code::Unavailable,
        Code::Internal,
    ];

    /// A row of the table: the name in JSON and metrics, gRPC, HTTP, nbr.
    const fn row(self) -> (&'static str, tonic::Code, u16, u16) {
        match self {
            Code::InvalidArgument => ("invalid_argument", tonic::Code::InvalidArgument, 400, 2),
            Code::Unauthenticated => ("unauthenticated", tonic::Code::Unauthenticated, 401, 2),
            Code::PermissionDenied => ("permission_denied", tonic::Code::PermissionDenied, 403, 2),
            Code::NotFound => ("not_found", tonic::Code::NotFound, 404, 2),
            Code::Gone => ("gone", tonic::Code::FailedPrecondition, 410, 2),
            Code::MethodNotAllowed => ("method_not_allowed", tonic::Code::Unimplemented, 405, 2),
            Code::Timeout => ("timeout", tonic::Code::DeadlineExceeded, 408, 15),
            Code::TooLarge => ("too_large", tonic::Code::OutOfRange, 413, 2),
            Code::UnsupportedMediaType => ("unsupported_media_type", tonic::Code::InvalidArgument, 415, 2),
            Code::NotReady => ("not_ready", tonic::Code::Unavailable, 503, 1),
            Code::Refused => ("refused", tonic::Code::FailedPrecondition, 409, 2),
            Code::Conflict => ("conflict", tonic::Code::Aborted, 409, 2),
            Code::PreconditionFailed => ("precondition_failed", tonic::Code::Aborted, 412, 2),
            Code::NeedsConfirmation => ("needs_confirmation", tonic::Code::FailedPrecondition, 409, 2),
            Code::Overloaded => ("overloaded", tonic::Code::ResourceExhausted, 429, 1),
            Code::StorageFull => ("storage_full", tonic::Code::ResourceExhausted, 507, 1),
            Code::Unavailable => ("unavailable", tonic::Code::Unavailable, 503, 1),
            Code::Internal => ("internal", tonic::Code::Internal, 500, 1),
        }
    }

    /// The name in JSON and metrics.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// What it means, in words.
    pub const fn title(self) -> &'static str {
        match self {
            Code::InvalidArgument => "The request is not as it must be",
            Code::Unauthenticated => "Nobody knows who asks",
            Code::PermissionDenied => "This key is not for that",
            Code::NotFound => "There is no such thing",
            Code::Gone => "It is no more",
            Code::MethodNotAllowed => "The path takes another method",
            Code::Timeout => "The request did not arrive in time",
            Code::TooLarge => "The request is too large",
            Code::UnsupportedMediaType => "The request is in a form that is not read here",
            Code::NotReady => "There is nothing to answer from yet",
            Code::Refused => "It cannot be had as this server is configured",
            Code::Conflict => "It is in the way of something else",
            Code::PreconditionFailed => "It was changed meanwhile",
            Code::NeedsConfirmation => "It changes much and must be confirmed",
            Code::Overloaded => "Too much is asked at once",
            Code::StorageFull => "There is no room left",
            Code::Unavailable => "It cannot be had now",
            Code::Internal => "A mistake of ours",
        }
    }

    /// The gRPC status.
    pub const fn grpc(self) -> tonic::Code {
        self.row().1
    }

    /// The HTTP status.
    pub const fn http(self) -> u16 {
        self.row().2
    }

    /// OpenRTB's no-bid reason.
    pub const fn nbr(self) -> u16 {
        self.row().3
    }
}

/// A request that gets no answer: a code, a sentence that says what to do, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What sort.
    pub code: Code,
    /// What was wrong, what was expected.
    pub message: String,
    /// The things it is about (such as the campaigns that were not found).
    pub details: Vec<String>,
}

impl Failure {
    /// A failure without details.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Failure { code, message: message.into(), details: Vec::new() }
    }

    /// The caller's mistake.
    pub fn invalid(message: impl Into<String>) -> Self {
        Failure::new(Code::InvalidArgument, message)
    }

    /// Names the things it is about.
    #[must_use]
    pub fn with_details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    /// `{"error":{"code","message","details"}}`
    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            error: Inner<'a>,
        }
        #[derive(Serialize)]
        struct Inner<'a> {
            code: &'a str,
            message: &'a str,
            details: &'a [String],
        }
        let error = Inner { code: self.code.name(), message: &self.message, details: &self.details };
        serde_json::to_vec(&Body { error }).unwrap_or_default()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.details.is_empty() {
            write!(f, ": {}", self.details.join(", "))?;
        }
        Ok(())
    }
}

/// The most characters of a gRPC status: it travels in a header, and clients close connections over long ones.
const MAX_STATUS: usize = 1_000;

impl From<Failure> for tonic::Status {
    fn from(failure: Failure) -> Self {
        let mut message = failure.to_string();
        if let Some((end, _)) = message.char_indices().nth(MAX_STATUS) {
            message.truncate(end);
            message.push_str("...");
        }
        tonic::Status::new(failure.code.grpc(), message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_names_are_unique() {
        for (at, code) in Code::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, at);
            assert!(code.http() >= 400 && code.grpc() != tonic::Code::Ok);
            assert!(matches!(code.nbr(), 1 | 2 | 15));
            assert_eq!(Code::ALL.iter().filter(|other| other.name() == code.name()).count(), 1);
        }
    }

    #[test]
    fn failures_have_one_shape() {
        let failure = Failure::invalid("not \"JSON\"").with_details(vec!["a".to_owned()]);
        let expected = r#"{"error":{"code":"invalid_argument","message":"not \"JSON\"","details":["a"]}}"#;
        assert_eq!(String::from_utf8(failure.to_json()).unwrap(), expected);
        assert_eq!(tonic::Status::from(failure).message(), "not \"JSON\": a");
        let long = Failure::invalid("é".repeat(MAX_STATUS + 1));
        assert_eq!(tonic::Status::from(long).message(), "é".repeat(MAX_STATUS) + "...");
    }
}
