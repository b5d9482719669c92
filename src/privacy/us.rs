//! What the sections of the United States say that a decision needs: opt-outs, known children, Global Privacy Control.
//! And the US privacy string that came before them.

use super::bits::Bits;
use super::{Reason, Undecodable};

/// Where a section's fields lie, in bits; every field has two. The six bits before are the version.
struct Layout {
    /// The section.
    id: u8,
    /// The version of the layout; `None` = the six bits say something else.
    version: Option<u32>,
    /// How long the core is.
    bits: usize,
    /// Opted out of sale, of sharing, of targeted advertising.
    opt_outs: &'static [usize],
    /// Where the consents for known children begin.
    children: usize,
    /// How many there are.
    child_fields: usize,
    /// Whether a further segment is Global Privacy Control. Without: consents for sensitive data, which nothing here needs.
    gpc: bool,
}

const fn layout(id: u8, bits: usize, opt_outs: &'static [usize], children: usize, child_fields: usize) -> Layout {
    Layout { id, version: Some(1), bits, opt_outs, children, child_fields, gpc: true }
}

/// From Maryland on the six bits are the version of a contract between publishers (MSPA). The specification puts a header
/// before the core, which begins with the section's number; no encoder writes it, and it is undecodable here.
const fn headless(id: u8, bits: usize, child_fields: usize, gpc: bool) -> Layout {
    Layout { id, version: None, bits, opt_outs: &[16, 18], children: 20, child_fields, gpc }
}

/// Every layout that is known, by section; as of version 3.2.0 of IAB Tech Lab's own encoder.
const LAYOUTS: [Layout; 22] = [
    layout(7, 60, &[18, 20, 22], 48, 2),
    Layout { id: 7, version: Some(2), bits: 70, opt_outs: &[18, 20, 22], children: 56, child_fields: 3, gpc: true },
    layout(8, 46, &[12, 14], 34, 2),
    layout(9, 40, &[12, 14], 32, 1),
    layout(10, 38, &[12, 14], 30, 1),
    layout(11, 42, &[14, 16], 34, 1),
    layout(12, 44, &[12, 14], 32, 3),
    layout(13, 46, &[12, 14], 32, 3),
    layout(14, 46, &[12, 14], 32, 3),
    layout(15, 52, &[12, 14], 38, 3),
    layout(16, 42, &[12, 14], 32, 1),
    layout(17, 52, &[12, 14], 34, 5),
    layout(18, 42, &[14, 16], 34, 1),
    layout(19, 42, &[12, 14], 32, 1),
    layout(20, 46, &[12, 14], 32, 3),
    layout(21, 54, &[12, 14], 36, 5),
    layout(22, 42, &[12, 14], 32, 1),
    layout(23, 42, &[12, 14], 32, 1),
    headless(24, 22, 0, true),
    headless(25, 24, 1, false),
    headless(26, 24, 1, false),
    headless(27, 24, 1, false),
];

/// What a section says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// Opted out of sale, of sharing or of targeted advertising.
    pub opted_out: bool,
    /// A known child, without the consent that one of the fields is about.
    pub child_without_consent: bool,
    /// Global Privacy Control is on.
    pub gpc: bool,
}

/// Reads a section.
///
/// # Errors
/// A section that is not known, or whose text is not of its form: characters, length, version, a field with the value 3.
pub fn read(section: u8, text: &str) -> Result<Reading, Undecodable> {
    let mut segments = text.split('.');
    let core = Bits::new(segments.next().ok_or(Undecodable)?)?;
    let version = core.clone().number(6)?;
    let layout = LAYOUTS.iter().find(|layout| layout.id == section && layout.is_of(version)).ok_or(Undecodable)?;
    if core.left() < layout.bits {
        return Err(Undecodable);
    }
    let mut reading = Reading::default();
    for &at in layout.opt_outs {
        reading.opted_out |= field(core, at)? == 1;
    }
    for nth in 0..layout.child_fields {
        reading.child_without_consent |= field(core, layout.children + 2 * nth)? == 1;
    }
    for segment in segments {
        let mut bits = Bits::new(segment)?;
        if layout.gpc && bits.number(2)? != 1 {
            return Err(Undecodable);
        }
        reading.gpc |= layout.gpc && bits.flag()?;
    }
    Ok(reading)
}

impl Layout {
    fn is_of(&self, version: u32) -> bool {
        // A header begins with its section's number, and those are greater than any version of the contract.
        self.version.map_or((1..24).contains(&version), |mine| mine == version)
    }
}

/// A field of two bits: not applicable, yes, no. The fourth value means nothing.
fn field(mut core: Bits<'_>, at: usize) -> Result<u32, Undecodable> {
    core.skip(at)?;
    core.number(2).and_then(|value| if value == 3 { Err(Undecodable) } else { Ok(value) })
}

/// What the US privacy string denies by: `1---` does not apply, `1YNN` notice given and not opted out; `Y` as the third
/// character opts out. What is not of this form cannot be read. Empty = absent.
pub(super) fn us_privacy(text: &str) -> Option<Reason> {
    match text.as_bytes() {
        [] => None,
        [b'1', fields @ ..] if fields.len() == 3 => {
            let known = |byte: &u8| matches!(byte.to_ascii_uppercase(), b'Y' | b'N' | b'-');
            if !fields.iter().all(known) {
                return Some(Reason::UsPrivacyUndecodable);
            }
            fields[1].eq_ignore_ascii_case(&b'Y').then_some(Reason::UsPrivacyOptedOut)
        }
        _ => Some(Reason::UsPrivacyUndecodable),
    }
}
