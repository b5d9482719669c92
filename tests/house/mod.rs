//! The rules of the house, as functions that `tests/layering.rs` applies to the sources and to planted violations.

pub mod floors;
pub mod form;
mod lexer;
