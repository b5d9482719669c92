//! What is written of an identifier, by format: as it counts, or hashed as a partner's matching expects it. The rules, with
//! their places and dates, are in `docs/exports.md`.

use super::Format;
use crate::collect::{Found, IdClass, canonical_as, normalised};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The text that a format writes of an identifier; `None` where it has no place for its type, or where the source holds a hash
/// that the receiver would never find.
pub(super) fn text(format: Format, class: IdClass, found: &Found) -> Option<String> {
    match format {
        Format::Csv | Format::Ndjson | Format::Parquet => plain(class, found),
        Format::Suppression => canonical(class, found),
        Format::Roaring => None,
        Format::Meta | Format::Google | Format::Tiktok => partners(format, class, found),
    }
}

/// The canonical uid: what a profile key is the hash of.
fn canonical(class: IdClass, found: &Found) -> Option<String> {
    let mut scratch = String::new();
    let uid = canonical_as(class, &found.text, &mut scratch).ok()?;
    Some(if class == IdClass::Ifa { uid.to_ascii_lowercase() } else { uid.to_owned() })
}

fn plain(class: IdClass, found: &Found) -> Option<String> {
    if found.hashed && is_hashable(class) { Some(found.text.to_string()) } else { normalised(class, &found.text) }
}

fn is_hashable(class: IdClass) -> bool {
    matches!(class, IdClass::Email | IdClass::Phone)
}

fn partners(format: Format, class: IdClass, found: &Found) -> Option<String> {
    if found.hashed && is_hashable(class) {
        // Meta hashes the digits alone, UID2 with the plus before them: not the same hash.
        return if (format, class) == (Format::Meta, IdClass::Phone) { None } else { as_hex(&found.text) };
    }
    match class {
        IdClass::Email => Some(hex(&email(format, &found.text))),
        IdClass::Phone => {
            let number = normalised(class, &found.text)?;
            Some(hex(if format == Format::Meta { number.trim_start_matches('+') } else { &number }))
        }
        IdClass::Ifa => {
            let device = found.text.to_ascii_lowercase();
            Some(if format == Format::Tiktok { hex(&device) } else { device })
        }
        IdClass::Plain => None,
    }
}

/// Trimmed, lower case; Google alone takes the dots out of addresses of its own.
fn email(format: Format, text: &str) -> String {
    let text = text.trim().to_lowercase();
    match text.split_once('@') {
        Some((local, domain @ ("gmail.com" | "googlemail.com"))) if format == Format::Google => {
            format!("{}@{domain}", local.replace('.', ""))
        }
        _ => text,
    }
}

/// SHA-256 in lower-case hexadecimal digits.
fn hex(text: &str) -> String {
    digits(&Sha256::digest(text.as_bytes()))
}

/// The bytes of a hash that came in Base64, in lower-case hexadecimal digits.
fn as_hex(base64: &str) -> Option<String> {
    STANDARD.decode(base64).ok().map(|bytes| digits(&bytes))
}

/// Lower-case hexadecimal digits.
pub(super) fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let written = write!(out, "{byte:02x}");
        debug_assert!(written.is_ok(), "a String takes every write");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::ProfileKey;

    fn found(text: &str, hashed: bool) -> Found {
        Found { key: ProfileKey(0), id_type: 0, hashed, text: text.into() }
    }

    fn of(format: Format, class: IdClass, text: &str) -> Option<String> {
        super::text(format, class, &found(text, false))
    }

    #[test]
    fn partners_get_what_they_hash_themselves() {
        let mail = " Jane.Doe+news@Gmail.com";
        let sha = |text: &str| Some(hex(text));
        assert_eq!(of(Format::Meta, IdClass::Email, mail), sha("jane.doe+news@gmail.com"));
        assert_eq!(of(Format::Tiktok, IdClass::Email, mail), sha("jane.doe+news@gmail.com"));
        assert_eq!(of(Format::Google, IdClass::Email, mail), sha("janedoe+news@gmail.com"));
        assert_eq!(of(Format::Google, IdClass::Email, "a.b@example.com"), sha("a.b@example.com"));
        assert_eq!(of(Format::Meta, IdClass::Phone, "+39 33-1"), None, "too short to be one");
        assert_eq!(of(Format::Meta, IdClass::Phone, "+39 333 123 4567"), sha("393331234567"));
        assert_eq!(of(Format::Google, IdClass::Phone, "0039 333 123 4567"), sha("+393331234567"));
        assert_eq!(of(Format::Tiktok, IdClass::Phone, "+393331234567"), sha("+393331234567"));
        let device = "123E4567-E89B-12D3-A456-426614174000";
        assert_eq!(of(Format::Meta, IdClass::Ifa, device).unwrap(), device.to_lowercase());
        assert_eq!(of(Format::Tiktok, IdClass::Ifa, device), sha(&device.to_lowercase()));
        assert_eq!(of(Format::Meta, IdClass::Plain, "CUST1"), None);
        assert_eq!(
            hex("test@example.com"),
            "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b",
            "the hash that partners publish for this address"
        );
    }

    #[test]
    fn a_hash_that_is_there_already_is_the_same_bytes() {
        let base64 = "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ=";
        let given = found(base64, true);
        let expected = hex("user@example.com");
        assert_eq!(super::text(Format::Meta, IdClass::Email, &given), Some(expected));
        assert_eq!(super::text(Format::Csv, IdClass::Email, &given).as_deref(), Some(base64));
        assert_eq!(super::text(Format::Suppression, IdClass::Email, &given).as_deref(), Some(base64));
        assert_eq!(
            super::text(Format::Suppression, IdClass::Email, &found("User@Example.com", false)).as_deref(),
            Some(base64)
        );
        assert_eq!(super::text(Format::Meta, IdClass::Phone, &given), None, "of another normalisation");
        assert!(super::text(Format::Google, IdClass::Phone, &given).is_some());
    }

    #[test]
    fn plain_formats_write_what_counts() {
        assert_eq!(of(Format::Csv, IdClass::Email, "J.Doe+x@gmail.com").as_deref(), Some("jdoe@gmail.com"));
        assert_eq!(of(Format::Csv, IdClass::Phone, "0039 333 1234567").as_deref(), Some("+393331234567"));
        assert_eq!(of(Format::Csv, IdClass::Ifa, "ABCD").as_deref(), Some("abcd"));
        assert_eq!(of(Format::Ndjson, IdClass::Plain, "Cust 1").as_deref(), Some("Cust 1"));
    }
}
