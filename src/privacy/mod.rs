//! A request's privacy signals -> a [`Permission`]: what a profile may be read for.
//!
//! - `signals`: what a request carries, as every door decodes it
//! - `permission`: the answer, and the reasons of denials
//! - `policy`: the decision: which signals apply, and what they permit together
//! - [`tcf`]: what a TCF string says of one vendor (`docs/decisions/0006-consent-strings.md`)
//! - [`gpp`]: a GPP string's sections; [`us`]: what the sections of the United States say; [`canada`]: TCF Canada's
//! - `bits`: fields of base64url text, in place; `geo`: where the GDPR applies
//!
//! Pure and total: there is no error, only a denial, and what cannot be proved is not permitted. Denied means that the
//! profile is not read at all. Nothing about the user is known here, and nothing of the wire.

mod bits;
pub mod canada;
mod geo;
pub mod gpp;
mod permission;
mod policy;
mod signals;
pub mod tcf;
#[cfg(test)]
mod tests;
pub mod us;

pub use permission::{Permission, Reason};
pub use policy::Policy;
pub use signals::Signals;

/// The longest consent string that is read, in bytes: the longest in the field are a fifth of it, and the time that a
/// string takes grows with its length.
pub const MAX_BYTES: usize = 16 << 10;

/// A string, or a part of it, that cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undecodable;
