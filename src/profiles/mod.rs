//! The identity graph and the columns while they are being built: which identifiers are one person, and which value of a trait wins.
//!
//! Must not read files (see `collect`) nor evaluate rules.
