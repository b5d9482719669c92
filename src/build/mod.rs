//! The fold: sources -> columns (index), columns and rules -> bitmaps, forward index and flips (activate), then a new
//! generation.
//!
//! Contents: [`fold`] rows into graph and columns; [`index`] their sections; [`provenance`] what became of the rows;
//! [`stale`] facts whose sources are too old; [`memory`] forecast and peak.

mod fold;
pub mod index;
pub mod memory;
pub mod provenance;
pub mod stale;

#[cfg(test)]
mod tests;
