//! The rule language, campaigns, and the catalogue as a value. No I/O beyond what is handed in as text.
//!
//! Contents: [`rule`] the syntax tree; [`mod@parse`] text -> tree with spans ([`lex`] its words); [`mod@print`] tree -> text; [`mod@tree`] the same as JSON;
//! [`typecheck`] against the declarations; [`lint`] what is legal and probably not meant; [`order`] references between
//! audiences; [`definitions`] the YAML files; [`frequency`] how often at most; [`diagnostic`] and [`render`] what is said about them; [`catalogue`] what
//! a generation carries; [`versions`] the history of every definition; [`validity`] from when to when
//! audiences count.

pub mod catalogue;
pub mod definitions;
pub mod diagnostic;
pub mod frequency;
pub mod lex;
pub mod lint;
pub mod order;
pub mod parse;
pub mod print;
pub mod render;
pub mod rule;
pub mod tree;
pub mod typecheck;
pub mod validity;
pub mod versions;

pub use catalogue::{Audience, AudienceKind, Campaign, Catalogue};
pub use diagnostic::{Diagnostic, Severity};
pub use parse::{Parsed, parse};
pub use print::print;
pub use rule::{Expr, Rule};
