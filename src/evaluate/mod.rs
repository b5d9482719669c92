//! A rule over the snapshot's columns: for everybody (bitmaps, block by block) or for one profile (a bool and its facts).
//!
//! One evaluator, two modes, proved equal to each other and to a naive oracle (`tests`). Contents: [`Plan`] rules bound
//! to columns, equal parts merged; [`Moment`] its windows at one minute; `block` and `profile` the two modes; `flips`
//! what turns over between minutes; `explain` why a profile is in or out; `survey` what planners ask of everybody.
//! What must not live here: files.
//!
//! A test of an unknown value is false, and so its `not` is true. A trait that no column holds is unknown; an event
//! that no column holds has never happened. Everything is evaluated at whole minutes.

mod asked;
mod bind;
mod bits;
mod block;
mod events;
mod explain;
mod flips;
mod graph;
mod leaf;
mod live;
mod local_time;
mod moment;
mod plan;
mod profile;
pub mod survey;
mod tally;
mod text;

pub use bits::Bitmap;
pub use block::Scratch;
pub use explain::{Change, Changes, Happened, Known, Origin, Question, Shown, Subject, Tree};
pub use flips::Horizon;
pub use live::{LivePlan, Person};
pub use moment::Moment;
pub use plan::Plan;

#[cfg(test)]
pub(crate) mod tests;
