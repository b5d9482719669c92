//! The rule language, campaigns, and the catalogue as a value. No I/O beyond what is handed in as text.
//!
//! Contents: [`rule`] the syntax tree; `parse` text -> tree with spans; `print` tree -> text; `typecheck` against the
//! declarations; `lint`; `definitions` the YAML files; [`catalogue`] what a generation carries.

pub mod catalogue;
pub mod rule;

pub use catalogue::{Audience, AudienceKind, Campaign, Catalogue};
pub use rule::{Expr, Rule};
