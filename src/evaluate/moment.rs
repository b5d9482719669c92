//! One instant of evaluation: windows as ranges, both ends included.

use super::asked::DateWindow;
use super::leaf::Leaf;
use super::local_time::LocalTime;
use crate::audiences::rule::When;
use crate::schema::{Span, Timestamp};
use crate::snapshot::columns::{Columns, TraitColumn};
use std::cell::OnceCell;

/// A minute and what the calendar says of it, which is asked only if a window needs it.
#[derive(Debug)]
pub struct Minute<'l> {
    /// The minute's start: seconds since the epoch.
    pub now: i64,
    pub local: &'l LocalTime,
    today: OnceCell<i64>,
}

impl<'l> Minute<'l> {
    /// The minute of an instant.
    pub fn new(now: Timestamp, local: &'l LocalTime) -> Self {
        Minute { now: now.floor_minute().0, local, today: OnceCell::new() }
    }

    fn today(&self) -> i64 {
        *self.today.get_or_init(|| self.local.today(Timestamp(self.now)))
    }

    fn ago(&self, span: Span) -> i64 {
        self.now.saturating_sub(span.0)
    }

    /// The seconds in a window of events, both ends included. What has not happened yet is in no window.
    pub fn seconds(&self, when: When) -> (i64, i64) {
        let (now, midnight) = (self.now, |day: i64| self.local.midnight(day));
        match when {
            When::Ever => (i64::MIN, now),
            When::Within(span) => (self.ago(span).saturating_add(1), now),
            When::BeforeAgo(span) => (i64::MIN, self.ago(span).min(now)),
            When::BetweenAgo(near, far) => (self.ago(far).saturating_add(1), self.ago(near).min(now)),
            When::Since(date) => (midnight(date.0.into()), now),
            When::BetweenDates(first, last) => {
                (midnight(first.0.into()), (midnight(i64::from(last.0) + 1) - 1).min(now))
            }
            When::Today => (self.today(), now),
        }
    }

    /// Local days, both ends included: a date counts as its local midnight.
    fn days(&self, window: DateWindow) -> (i64, i64) {
        let last_until = |time: i64| self.local.first_day_from(time.saturating_add(1)) - 1;
        match window {
            DateWindow::Within(span) => {
                (self.local.first_day_from(self.ago(span).saturating_add(1)), last_until(self.now))
            }
            DateWindow::BeforeAgo(span) => (i64::MIN, last_until(self.ago(span).min(self.now))),
            DateWindow::Since(day) => (day.into(), last_until(self.now)),
        }
    }

    /// Whether one date is in a window: the same as [`days`](Self::days), for whom the calendar need not be searched.
    pub fn date_is_in(&self, window: DateWindow, day: i32) -> bool {
        let time = self.local.midnight(day.into());
        time <= self.now
            && match window {
                DateWindow::Within(span) => self.ago(span) < time,
                DateWindow::BeforeAgo(span) => time <= self.ago(span),
                DateWindow::Since(first) => first <= day,
            }
    }
}

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
        let minute = Minute::new(now, local);
        let windows = leaves.iter().map(|leaf| window(leaf, columns, &minute)).collect();
        Moment { now: Timestamp(minute.now), windows }
    }
}

/// A leaf's window.
pub fn window(leaf: &Leaf, columns: &Columns<'_>, minute: &Minute<'_>) -> (i64, i64) {
    match leaf {
        Leaf::Event(event) => minute.seconds(event.when),
        Leaf::Date { column, window } => match &columns.traits()[*column].1 {
            TraitColumn::Date(days) => {
                let (first, last) = minute.days(*window);
                let (low, high) = days.code_range(first, last);
                (i64::from(low), i64::from(high))
            }
            _ => (1, 0),
        },
        Leaf::Listed { .. } => ((minute.now + 1).min(u32::MAX.into()), u32::MAX.into()),
        _ => (0, 0),
    }
}

/// Whether a leaf's truth can change while no data does.
pub fn moves(leaf: &Leaf) -> bool {
    matches!(leaf, Leaf::Event(_) | Leaf::Date { .. } | Leaf::Listed { .. })
}
