//! What TCF Canada's section (GPP section 5) says of one vendor. Only express consent is read as consent: whether implied
//! consent would do depends on the vendor's declaration, which is not configured here.

use super::Undecodable;
use super::bits::Bits;
use super::tcf::{in_field, purposes};

/// What a section says of a vendor. In masks of purposes, bit 0 is purpose 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// Purposes with express consent.
    pub express: u32,
    /// The vendor has express consent.
    pub vendor_express: bool,
    /// Purposes that the publisher restricts for the vendor in any other way than to express consent.
    pub not_allowed: u32,
}

/// Reads what a section says of a vendor.
///
/// # Errors
/// A text that is not of the form of version 1. Old encoders wrote ranges of vendors in TCF Europe's form instead of the
/// specification's Fibonacci coding: these are undecodable, for nothing in the text tells which it is.
pub fn read(text: &str, vendor: u16) -> Result<Reading, Undecodable> {
    let mut core = Bits::new(text.split('.').next().ok_or(Undecodable)?)?;
    if core.number(6)? != 1 {
        return Err(Undecodable);
    }
    // Created, updated, CMP and its version, screen, language, vendor list, policy, non-standard stacks, special features.
    core.skip(36 + 36 + 12 + 12 + 6 + 12 + 12 + 6 + 1 + 12)?;
    let express = purposes(&mut core)?;
    let _implied = purposes(&mut core)?;
    let vendor_express = has_vendor(&mut core, vendor)?;
    let _vendor_implied = has_vendor(&mut core, vendor)?;
    let mut reading = Reading { express, vendor_express, not_allowed: 0 };
    // Version 1.0 ends here.
    if core.left() < 12 {
        return Ok(reading);
    }
    for _ in 0..core.number(12)? {
        let (purpose, kind) = (core.number(6)?, core.number(2)?);
        if has_vendor(&mut core, vendor)? && kind != 1 && (1..=24).contains(&purpose) {
            reading.not_allowed |= 1 << (purpose - 1);
        }
    }
    Ok(reading)
}

/// Whether a vendor is in a list of vendors, a bit field or Fibonacci ranges, and passes over it.
fn has_vendor(bits: &mut Bits<'_>, vendor: u16) -> Result<bool, Undecodable> {
    let most = bits.vendor()?;
    if !bits.flag()? {
        return in_field(bits, vendor, most);
    }
    let (mut found, mut greatest) = (false, 0);
    bits.fibonacci_ranges(|first, last| {
        found |= (first..=last).contains(&vendor);
        greatest = last;
    })?;
    // Ranges in TCF Europe's form, read as these, end anywhere but there.
    if greatest == most { Ok(found) } else { Err(Undecodable) }
}
