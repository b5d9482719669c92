//! An entry of the audit trail, as a link of a chain: each carries the hash of the one before it and of itself, so that nobody
//! changes, takes out or moves one unseen. What must not live here: who may read it; a raw identifier.

use super::bytes::{option, put_option};
use crate::error::Result;
use crate::log::coding::{Bytes, LONGEST_TEXT, put_signed, put_text, put_varint};
use crate::schema::BlockKey;
use sha2::{Digest, Sha256};
use std::fmt;

/// SHA-256 over the link before and an entry's own bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link(pub [u8; 32]);

impl Link {
    /// What the first entry of all hangs on.
    pub const FIRST: Link = Link([0; 32]);
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Somebody changed something, or looked at what is held of a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuditEntry {
    /// From 1, without gaps.
    pub number: u64,
    /// When: seconds since the epoch.
    pub time: i64,
    /// A credential's name: never a key.
    pub who: String,
    /// The owner whose the credential is; `None` = everybody's.
    pub owner: Option<String>,
    /// What was done: `publish`, `explain`, `keys revoke`.
    pub what: String,
    /// What it was done to, such as `audience acme/vip`; may be empty.
    pub object: String,
    /// Whom it concerned.
    pub subject: Option<BlockKey>,
    /// What stood there before: a short value or a digest.
    pub before: Option<String>,
    /// What stands there now.
    pub after: Option<String>,
    /// The hash of the entry before it, and of everything above.
    pub link: Link,
}

impl AuditEntry {
    /// Hangs it on the entry before it.
    ///
    /// # Errors
    /// Texts out of bounds.
    pub fn sealed(mut self, number: u64, before: Link) -> Result<Self> {
        self.number = number;
        self.link = self.link_after(before)?;
        Ok(self)
    }

    /// The link that it must have behind another.
    ///
    /// # Errors
    /// Texts out of bounds.
    pub fn link_after(&self, before: Link) -> Result<Link> {
        let mut bytes = before.0.to_vec();
        self.put(&mut bytes)?;
        Ok(Link(Sha256::digest(&bytes).into()))
    }

    /// Everything but the link.
    fn put(&self, out: &mut Vec<u8>) -> Result<()> {
        put_varint(out, self.number);
        put_signed(out, self.time);
        put_text(out, &self.who, LONGEST_TEXT)?;
        put_option(out, self.owner.as_ref(), |out, text| put_text(out, text, LONGEST_TEXT))?;
        put_text(out, &self.what, LONGEST_TEXT)?;
        put_text(out, &self.object, LONGEST_TEXT)?;
        put_option(out, self.subject, |out, key| {
            out.extend_from_slice(&key.0.to_le_bytes());
            Ok(())
        })?;
        put_option(out, self.before.as_ref(), |out, text| put_text(out, text, LONGEST_TEXT))?;
        put_option(out, self.after.as_ref(), |out, text| put_text(out, text, LONGEST_TEXT))
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        self.put(out)?;
        out.extend_from_slice(&self.link.0);
        Ok(())
    }

    pub(super) fn decode(bytes: &mut Bytes<'_>) -> Result<Self> {
        let text = |bytes: &mut Bytes<'_>| bytes.text(LONGEST_TEXT).map(str::to_owned);
        Ok(AuditEntry {
            number: bytes.varint()?,
            time: bytes.signed()?,
            who: text(bytes)?,
            owner: option(bytes, text)?,
            what: text(bytes)?,
            object: text(bytes)?,
            subject: option(bytes, |bytes| bytes.u128().map(BlockKey))?,
            before: option(bytes, text)?,
            after: option(bytes, text)?,
            link: Link(bytes.fixed()?),
        })
    }
}
