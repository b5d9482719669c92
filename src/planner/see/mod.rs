//! What planners see before they publish: reach, overlap, a campaign's funnel, what a change would do, samples, lint, the
//! vocabulary. Everything is counted over one generation, at its own minute.
//!
//! Contents: [`ask`] what a question names and whether the asker may; [`reach`], [`overlap`], [`funnel`], [`preview`], [`sample`], [`lint`],
//! [`vocabulary`], [`mod@rule`] one question each (`near`: what is there
//! already and nearly the same), as functions over a [`View`] that need no HTTP; `http` their paths. Who is told exact counts
//! and who is not is `protect`'s.

pub mod ask;
pub mod funnel;
mod http;
pub mod lint;
mod near;
pub mod overlap;
pub mod preview;
pub mod reach;
mod remark;
pub mod rule;
pub mod sample;
pub mod vocabulary;

pub use ask::Named;
pub(super) use http::routes;
pub use remark::Remark;

use super::View;
use super::generations::sizes::Sizes;
use super::long::Places;
use super::protect::{Protect, Spent, Teller};
use super::reply::Fault;
use crate::access::Who;
use crate::config::Loaded;
use crate::error::{Error, Problem};
use crate::evaluate::survey::Watch;
use crate::overlay::Blocked;
use crate::overlay::Overlay;
use crate::schema::{Generation, KeyHasher, Timestamp};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What is remembered between questions.
#[derive(Debug, Default)]
pub struct Seeing {
    /// What is told of others' audiences.
    pub protect: Protect,
    /// The questions that are being answered.
    pub places: Places,
    /// How large audiences were.
    pub sizes: Sizes,
}

/// What a question is asked over, and by whom.
pub struct Ground<'a> {
    /// The generation.
    pub view: &'a View,
    /// The configuration and its vocabulary.
    pub loaded: &'a Loaded,
    /// Who asks.
    pub who: &'a Who,
    /// How far it is, and whether anybody still waits.
    pub watch: &'a Watch,
    /// What is told of others' audiences.
    pub protect: &'a Protect,
    /// The installation's secret.
    pub keys: &'a KeyHasher,
    /// The moment of the question: what is live is looked at now.
    pub now: Timestamp,
    /// Who was seen in the bidstream within so many days: word `i` stands for ordinals from `64 * i`; `None` = nobody knows.
    pub seen: &'a dyn Fn(u32) -> Option<Vec<u64>>,
    /// What changed since the generation, where somebody follows it.
    pub overlay: Option<Arc<Overlay>>,
    /// Who objects.
    pub blocked: Option<&'a Blocked>,
}

/// Why a question gets no answer.
#[derive(Debug)]
pub enum Wrong {
    /// It is not as it must be: everything that is wrong, each at its place.
    Asked(Vec<Fault>),
    /// It names what does not exist, or not for who asks.
    Absent(String, String),
    /// Who asks may not be told this.
    Withheld(String, String),
    /// The owner has asked all that may be asked for now.
    Spent(Spent),
    /// Nobody waits for the answer any more.
    BrokenOff,
    /// Something failed.
    Failed(Error),
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Wrong {
        Wrong::Failed(error)
    }
}

impl From<Spent> for Wrong {
    fn from(spent: Spent) -> Wrong {
        Wrong::Spent(spent)
    }
}

impl Wrong {
    /// As a command reports it.
    pub fn into_error(self) -> Error {
        match self {
            Wrong::Asked(faults) => {
                let problems = faults.into_iter().map(|fault| {
                    let problem = Problem::new(fault.detail).help(fault.help.unwrap_or_default());
                    match (fault.line, fault.column) {
                        (Some(line), Some(column)) => problem.at(line, column),
                        _ => problem,
                    }
                });
                Error::usage("the question is not right").with_problems(problems.collect())
            }
            Wrong::Absent(message, help) | Wrong::Withheld(message, help) => {
                let help = if help.is_empty() { help } else { format!("; {help}") };
                Error::usage(format!("{message}{help}"))
            }
            Wrong::Spent(_) => Error::busy("the owner has asked all that may be asked within an hour"),
            Wrong::BrokenOff => Error::busy("the question was broken off"),
            Wrong::Failed(error) => error,
        }
    }
}

/// Over what something was counted, and how long it took.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CountedOver)]
pub struct Over {
    /// The generation.
    pub generation: u64,
    /// The minute that everything was counted at.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
    /// Its profiles.
    pub profiles: u64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
}

impl Ground<'_> {
    /// Over what it was counted, since an instant.
    pub fn over(&self, since: std::time::Instant) -> Over {
        Over {
            generation: self.view.generation().0,
            as_of: self.view.as_of(),
            profiles: self.view.columns().ordinals().into(),
            took_ms: (since.elapsed().as_secs_f64() * 1e5).round() / 100.0,
        }
    }

    /// Who tells counts of a question that does or does not depend on others' audiences and asks for so many sets.
    ///
    /// # Errors
    /// The owner has asked all that may be asked for now.
    pub fn teller(&self, foreign: bool, sets: usize) -> Result<Teller<'_>, Wrong> {
        let asks = (self.who.owner.as_deref(), foreign, u32::try_from(sets).unwrap_or(u32::MAX));
        let of: (Generation, &[u32]) = (self.view.generation(), self.view.columns().seeds());
        Ok(self.protect.teller(asks, &self.loaded.config.protection, self.keys, of, self.now.0)?)
    }
}
