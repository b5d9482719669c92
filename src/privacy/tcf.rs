//! What a TCF 2 string says of one vendor, and only that: a string lists a thousand vendors and one of them is ours.
//! What follows from it is `policy`'s.

use super::bits::Bits;
use super::{MAX_BYTES, Undecodable};

/// The part of a TCF string that a decision for one vendor needs. In masks of purposes, bit 0 is purpose 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// The version of the string's format: 2.
    pub version: u8,
    /// The version of the policy that the CMP works by: 4 with TCF 2.2, 5 with TCF 2.3.
    pub policy_version: u8,
    /// Whether it holds for this service alone; others are of the past.
    pub service_specific: bool,
    /// Purposes consented to.
    pub consents: u32,
    /// Purposes whose legitimate interest was disclosed and not objected to.
    pub interests: u32,
    /// Purpose 1 was not disclosed at all, because of the publisher's country.
    pub purpose_one_treatment: bool,
    /// The publisher's country, two letters as numbers from `A` = 0.
    pub publisher_country: [u8; 2],
    /// The vendor has consent.
    pub vendor_consent: bool,
    /// The vendor's legitimate interest was disclosed and not objected to.
    pub vendor_interest: bool,
    /// Purposes that the publisher does not allow the vendor at all.
    pub not_allowed: u32,
    /// Purposes for which the publisher requires the vendor to have consent.
    pub require_consent: u32,
    /// Purposes for which the publisher requires the vendor to rely on legitimate interest.
    pub require_interest: u32,
    /// Whether the vendor was disclosed; `None` = the string does not say who was.
    pub disclosed: Option<bool>,
}

/// The kinds of optional segments.
const DISCLOSED_VENDORS: u32 = 1;
const ALLOWED_VENDORS: u32 = 2;
const PUBLISHER: u32 = 3;

/// Reads what a string says of a vendor. The version is the first thing in it: of other versions nothing else is read.
///
/// # Errors
/// A string that is not of the form: characters, length, a segment that is unknown or there twice.
pub fn read(text: &str, vendor: u16) -> Result<Reading, Undecodable> {
    if text.len() > MAX_BYTES {
        return Err(Undecodable);
    }
    let mut segments = text.split('.');
    let mut core = Bits::new(segments.next().ok_or(Undecodable)?)?;
    let version = core.number(6)? as u8;
    if version != 2 {
        return Ok(Reading { version, ..Reading::default() });
    }
    let mut reading = read_core(&mut core, vendor)?;
    let mut seen = 0u8;
    for segment in segments {
        let mut bits = Bits::new(segment)?;
        let kind = bits.number(3)?;
        let twice = seen & 1 << kind != 0;
        seen |= 1 << kind;
        match kind {
            _ if twice => return Err(Undecodable),
            DISCLOSED_VENDORS => reading.disclosed = Some(has_vendor(&mut bits, vendor)?),
            ALLOWED_VENDORS | PUBLISHER => {}
            _ => return Err(Undecodable),
        }
    }
    Ok(reading)
}

/// The core segment behind its version.
fn read_core(core: &mut Bits<'_>, vendor: u16) -> Result<Reading, Undecodable> {
    // Created, updated, CMP and its version, screen, language, vendor list.
    core.skip(36 + 36 + 12 + 12 + 6 + 12 + 12)?;
    let policy_version = core.number(6)? as u8;
    let service_specific = core.flag()?;
    // Non-standard texts, special features.
    core.skip(1 + 12)?;
    let mut reading = Reading {
        version: 2,
        policy_version,
        service_specific,
        consents: purposes(core)?,
        interests: purposes(core)?,
        purpose_one_treatment: core.flag()?,
        publisher_country: [core.number(6)? as u8, core.number(6)? as u8],
        vendor_consent: has_vendor(core, vendor)?,
        vendor_interest: has_vendor(core, vendor)?,
        ..Reading::default()
    };
    for _ in 0..core.number(12)? {
        let purpose = core.number(6)?;
        let kind = core.number(2)?;
        if !in_ranges(core, vendor)? || !(1..=24).contains(&purpose) {
            continue;
        }
        let bit = 1 << (purpose - 1);
        match kind {
            1 => reading.require_consent |= bit,
            2 => reading.require_interest |= bit,
            // 3 is undefined: a restriction that is not understood forbids.
            _ => reading.not_allowed |= bit,
        }
    }
    Ok(reading)
}

/// A mask of 24 purposes: they come with purpose 1 first.
pub(super) fn purposes(bits: &mut Bits<'_>) -> Result<u32, Undecodable> {
    Ok(bits.number(24)?.reverse_bits() >> 8)
}

/// Whether a vendor is in a list of vendors, a bit field or ranges, and passes over it.
fn has_vendor(bits: &mut Bits<'_>, vendor: u16) -> Result<bool, Undecodable> {
    let most = bits.vendor()?;
    if bits.flag()? { in_ranges(bits, vendor) } else { in_field(bits, vendor, most) }
}

/// Whether a vendor's bit is set in a bit field of `most` bits, and passes over it.
pub(super) fn in_field(bits: &mut Bits<'_>, vendor: u16, most: u16) -> Result<bool, Undecodable> {
    let mut field = *bits;
    bits.skip(usize::from(most))?;
    if !(1..=most).contains(&vendor) {
        return Ok(false);
    }
    field.skip(usize::from(vendor) - 1)?;
    field.flag()
}

/// Whether a vendor is in ranges of integers, and passes over them.
fn in_ranges(bits: &mut Bits<'_>, vendor: u16) -> Result<bool, Undecodable> {
    let mut found = false;
    for _ in 0..bits.number(12)? {
        // Whether an end follows, and the start.
        let entry = bits.number(17)?;
        let start = entry as u16;
        let end = if entry >> 16 == 1 { bits.vendor()? } else { start };
        if start == 0 || end < start {
            return Err(Undecodable);
        }
        found |= (start..=end).contains(&vendor);
    }
    Ok(found && vendor != 0)
}
