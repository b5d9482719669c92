//! What is drawn of runs. A [`Picture`] is a value: panels, a key, a sentence for those who do not see it, and the figures as a table;
//! it is drawn twice, for wide and for narrow pages.
//!
//! Contents: `canvas` plotters and its SVG; `axes`; `over_time` second by second; `distribution` of waits; `saturation` against the
//! rate. What must not live here: the page around them.

mod axes;
mod canvas;
mod distribution;
mod over_time;
mod saturation;

pub use canvas::{ALIKE, Ink, Size};
pub use distribution::{histogram, quantiles};
pub use over_time::{latency, throughput};
pub use saturation::saturation;

use super::parts::Table;
use crate::error::Result;
use canvas::Panel;

/// How something in the key looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swatch {
    Line,
    Area,
}

/// One picture.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Unique on its page.
    pub id: String,
    pub title: String,
    /// How it is to be read.
    pub note: String,
    /// What is to be seen in it.
    pub words: String,
    pub key: Vec<(Ink, Swatch, String)>,
    panels: Vec<Panel>,
    /// Height of the wide drawing, pixels.
    height: u32,
    /// The same in figures.
    pub table: Table,
}

impl Picture {
    /// For pages of at least 45 em.
    ///
    /// # Errors
    /// plotters refuses: a bug of ours.
    pub fn wide(&self) -> Result<String> {
        canvas::draw(&self.panels, Size(960, self.height), &format!("{}-wide", self.id), &self.title, &self.words)
    }

    /// For telephones.
    ///
    /// # Errors
    /// As [`Picture::wide`].
    pub fn narrow(&self) -> Result<String> {
        let panels: Vec<Panel> = self.panels.iter().cloned().map(Panel::with_half_the_ticks).collect();
        let height = self.height.min(460);
        canvas::draw(&panels, Size(380, height), &format!("{}-narrow", self.id), &self.title, &self.words)
    }
}

impl Panel {
    /// Every second word of the axis across, from its beginning.
    fn with_half_the_ticks(mut self) -> Self {
        if self.x.ticks.len() > 5 {
            let ticks = std::mem::take(&mut self.x.ticks).into_iter().step_by(2);
            self.x.ticks = ticks.collect();
        }
        self
    }
}
