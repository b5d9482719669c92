//! The control plane's columns: traits, events, memberships, by ordinal; encodings and mapped views.
//!
//! [`data`] is what an encoder is given: plain vectors, one column at a time.

pub mod data;
