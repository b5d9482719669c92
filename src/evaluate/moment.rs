//! One instant of evaluation: every window of a plan as a range, both ends included.

use super::leaf::{DateWindow, Leaf};
use super::local_time::LocalTime;
use crate::audiences::rule::When;
use crate::schema::Timestamp;
use crate::snapshot::columns::{Columns, TraitColumn};

/// A plan's windows at one minute.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The minute.
    pub now: Timestamp,
    /// By leaf: of an event, the seconds in the window; of a date, its codes; of a list, the ends that are still to
    /// come. Both ends rise with time (but where a zone's clocks go back over midnight). Other leaves have none.
    pub windows: Vec<(i64, i64)>,
}

impl Moment {
    pub(super) fn new(now: Timestamp, leaves: &[Leaf], columns: &Columns<'_>, local: &LocalTime) -> Self {
        let now = now.floor_minute();
        let today = local.today(now);
        let window = |leaf: &Leaf| match leaf {
            Leaf::Event(event) => event_window(event.when, now.0, today, local),
            Leaf::Date { column, window } => match &columns.traits()[*column].1 {
                TraitColumn::Date(days) => {
                    let (first, last) = date_window(*window, now.0, local);
                    let (low, high) = days.code_range(first, last);
                    (i64::from(low), i64::from(high))
                }
                _ => (1, 0),
            },
            Leaf::Listed { .. } => ((now.0 + 1).min(u32::MAX.into()), u32::MAX.into()),
            _ => (0, 0),
        };
        Moment { now, windows: leaves.iter().map(window).collect() }
    }
}

/// Whether a leaf's truth can change while no data does.
pub fn moves(leaf: &Leaf) -> bool {
    matches!(leaf, Leaf::Event(_) | Leaf::Date { .. } | Leaf::Listed { .. })
}

/// Seconds, both ends included. What has not happened yet is in no window.
fn event_window(when: When, now: i64, today: i64, local: &LocalTime) -> (i64, i64) {
    let ago = |span: crate::schema::Span| now.saturating_sub(span.0);
    match when {
        When::Ever => (i64::MIN, now),
        When::Within(span) => (ago(span).saturating_add(1), now),
        When::BeforeAgo(span) => (i64::MIN, ago(span).min(now)),
        When::BetweenAgo(near, far) => (ago(far).saturating_add(1), ago(near).min(now)),
        When::Since(date) => (local.midnight(date.0.into()), now),
        When::BetweenDates(first, last) => {
            (local.midnight(first.0.into()), (local.midnight(i64::from(last.0) + 1) - 1).min(now))
        }
        When::Today => (today, now),
    }
}

/// Local days, both ends included: a date counts as its local midnight.
fn date_window(window: DateWindow, now: i64, local: &LocalTime) -> (i64, i64) {
    let ago = |span: crate::schema::Span| now.saturating_sub(span.0);
    let last_until = |time: i64| local.first_day_from(time.saturating_add(1)) - 1;
    match window {
        DateWindow::Within(span) => (local.first_day_from(ago(span).saturating_add(1)), last_until(now)),
        DateWindow::BeforeAgo(span) => (i64::MIN, last_until(ago(span).min(now))),
        DateWindow::Since(day) => (day.into(), last_until(now)),
    }
}
