//! Identifiers as they are written -> the canonical uid that is hashed into a `ProfileKey`.
//!
//! E-mail and phone follow the UID2 rules: normalise, SHA-256, Base64. Nothing here keeps an identifier.

use super::rejects::Reason;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// A longer identifier is a mistake (a token, a whole cookie jar), never an id.
const MAX_IDENTIFIER_BYTES: usize = 512;

/// How the identifiers of a type are canonicalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// As UID2 hashes an e-mail address.
    Email,
    /// As UID2 hashes a phone number.
    Phone,
    /// A mobile advertising id.
    Ifa,
    /// An EID source or an id of the installation's own: counts as written.
    Plain,
}

impl Class {
    /// The class of an identifier type (in lower case).
    pub fn of(id_type: &str) -> Self {
        match id_type {
            "email" => Class::Email,
            "phone" => Class::Phone,
            "ifa" => Class::Ifa,
            _ => Class::Plain,
        }
    }
}

/// The canonical uid of an identifier that somebody typed: an e-mail or phone may come raw or as its UID2 hash. What is
/// wrong is said without the identifier.
///
/// # Errors
/// Why it cannot be one.
pub fn canonical_uid(id_type: &str, text: &str) -> std::result::Result<String, String> {
    canonical_as(Class::of(&id_type.to_lowercase()), text, &mut String::new()).map(str::to_owned)
}

/// As [`canonical_uid`]; `scratch` is reused, and the result lives in it or in `text`.
///
/// # Errors
/// As [`canonical_uid`].
pub fn canonical_as<'a>(class: Class, text: &'a str, scratch: &'a mut String) -> std::result::Result<&'a str, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    let hashed = matches!(class, Class::Email | Class::Phone) && hash_as_given(text).is_ok();
    canonical(class, hashed, text, scratch).map_err(|reason| reason.to_string())
}

/// An e-mail or phone as UID2 normalises it before hashing, an `ifa` in lower case, any other identifier as it is; `None` for
/// what is no e-mail or phone, which a hash is not.
pub fn normalised(class: Class, text: &str) -> Option<String> {
    let (text, mut out) = (text.trim(), String::new());
    match class {
        Class::Email => normalise_email(text, &mut out).ok().map(|()| out),
        Class::Phone => normalise_phone(text, &mut out).ok().map(|()| out),
        Class::Ifa => Some(text.to_ascii_lowercase()),
        Class::Plain => Some(text.to_owned()),
    }
}

/// Whether it is the `ifa` of a device that gives none.
pub fn is_unset_ifa(text: &str) -> bool {
    ifa(text.trim()) == Err(Reason::ZeroIfa)
}

/// The canonical uid of a trimmed, non-empty text. `scratch` is reused; the result lives in it or in `text`.
/// `hashed` says that an e-mail or phone already came as the UID2 hash.
pub(super) fn canonical<'a>(
    class: Class,
    hashed: bool,
    text: &'a str,
    scratch: &'a mut String,
) -> Result<&'a str, Reason> {
    if text.len() > MAX_IDENTIFIER_BYTES {
        return Err(Reason::IdTooLong);
    }
    match class {
        Class::Plain => Ok(text),
        Class::Ifa => ifa(text),
        Class::Email | Class::Phone if hashed => hash_as_given(text),
        Class::Email => {
            normalise_email(text, scratch)?;
            Ok(replace_by_hash(scratch))
        }
        Class::Phone => {
            normalise_phone(text, scratch)?;
            Ok(replace_by_hash(scratch))
        }
    }
}

/// UUID text; all zeroes means that the device gave none. The case is the hasher's business.
fn ifa(text: &str) -> Result<&str, Reason> {
    let shaped = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    if !shaped {
        Err(Reason::BadIfa)
    } else if text.bytes().all(|byte| matches!(byte, b'0' | b'-')) {
        Err(Reason::ZeroIfa)
    } else {
        Ok(text)
    }
}

fn hash_as_given(text: &str) -> Result<&str, Reason> {
    let mut bytes = [0u8; 36];
    match STANDARD.decode_slice(text, &mut bytes) {
        Ok(32) => Ok(text),
        _ => Err(Reason::BadHash),
    }
}

/// Lower case; for gmail.com only, the local part without dots and without its `+suffix`.
fn normalise_email(text: &str, out: &mut String) -> Result<(), Reason> {
    let (local, domain) = text.split_once('@').ok_or(Reason::BadEmail)?;
    if local.is_empty() || domain.is_empty() || domain.contains('@') || text.contains(char::is_whitespace) {
        return Err(Reason::BadEmail);
    }
    out.clear();
    if domain.eq_ignore_ascii_case("gmail.com") {
        let local = local.split('+').next().unwrap_or(local);
        out.extend(local.chars().filter(|c| *c != '.').flat_map(char::to_lowercase));
        if out.is_empty() {
            return Err(Reason::BadEmail);
        }
    } else {
        out.extend(local.chars().flat_map(char::to_lowercase));
    }
    out.push('@');
    out.extend(domain.chars().flat_map(char::to_lowercase));
    Ok(())
}

/// E.164: `+`, then 7 to 15 digits. Spaces, hyphens, dots and parentheses are dropped, a leading `00` is read as `+`.
/// A number without its country code is refused: guessing the country would hash somebody else's number.
fn normalise_phone(text: &str, out: &mut String) -> Result<(), Reason> {
    out.clear();
    out.extend(text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '\u{a0}')));
    if out.starts_with("00") {
        out.replace_range(..2, "+");
    }
    let digits = out.strip_prefix('+').ok_or(Reason::BadPhone)?;
    let valid =
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    if valid { Ok(()) } else { Err(Reason::BadPhone) }
}

fn replace_by_hash(text: &mut String) -> &str {
    let hash = Sha256::digest(text.as_bytes());
    text.clear();
    STANDARD.encode_string(hash, text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(class: Class, text: &str) -> Result<String, Reason> {
        canonical(class, false, text, &mut String::new()).map(str::to_owned)
    }

    #[test]
    fn e_mail_and_phone_give_the_published_hashes() {
        let user = "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ=";
        let jane = "ku4mBX7Z3qJTXWyLFB1INzkyR2WZGW4ANSJUiW21iI8=";
        let phone = "EObwtHBUqDNZR33LNSMdtt5cafsYFuGmuY4ZLenlue4=";
        assert_eq!(uid(Class::Email, "user@example.com").as_deref(), Ok(user));
        assert_eq!(uid(Class::Email, "USER@Example.COM").as_deref(), Ok(user));
        for gmail in ["JANE.SAOIRSE@gmail.com", "janesaoirse@gmail.com", "Jane.Saoirse+news.x@GMAIL.com"] {
            assert_eq!(uid(Class::Email, gmail).as_deref(), Ok(jane), "{gmail}");
        }
        for number in ["+12345678901", "+1 (234) 567-8901", "0012345678901", "+1.234.567.8901"] {
            assert_eq!(uid(Class::Phone, number).as_deref(), Ok(phone), "{number}");
        }
    }

    #[test]
    fn only_gmail_loses_dots_and_suffixes() {
        assert_ne!(uid(Class::Email, "a.b@example.com"), uid(Class::Email, "ab@example.com"));
        assert_ne!(uid(Class::Email, "a+b@example.com"), uid(Class::Email, "a@example.com"));
    }

    #[test]
    fn what_is_no_identifier_is_refused_by_name() {
        for text in ["user", "@example.com", "user@", "a@b@c", "a b@example.com", "+x@gmail.com", "...@gmail.com"] {
            assert_eq!(uid(Class::Email, text), Err(Reason::BadEmail), "{text}");
        }
        for text in ["2345678901", "+0123456789", "+12345", "+1234567890123456", "+1234x678901", ""] {
            assert_eq!(uid(Class::Phone, text), Err(Reason::BadPhone), "{text}");
        }
        for text in ["nothing", "123e4567e89b12d3a456426614174000", "g23e4567-e89b-12d3-a456-426614174000"] {
            assert_eq!(uid(Class::Ifa, text), Err(Reason::BadIfa), "{text}");
        }
        assert_eq!(uid(Class::Ifa, "00000000-0000-0000-0000-000000000000"), Err(Reason::ZeroIfa));
        assert!(uid(Class::Ifa, "123E4567-e89b-12d3-a456-426614174000").is_ok());
        assert_eq!(uid(Class::Plain, &"x".repeat(513)), Err(Reason::IdTooLong));
        assert!(uid(Class::Plain, &"x".repeat(512)).is_ok());
    }

    #[test]
    fn a_given_hash_must_be_one() {
        let hash = "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ=";
        let read = |text: &str| canonical(Class::Email, true, text, &mut String::new()).map(str::to_owned);
        assert_eq!(read(hash).as_deref(), Ok(hash));
        for text in
            ["user@example.com", "tMmiiTI7IaAc", "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"]
        {
            assert_eq!(read(text), Err(Reason::BadHash), "{text}");
        }
    }
}
