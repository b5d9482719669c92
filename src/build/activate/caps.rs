//! What was shown to whom, out of the columns: the last impressions of each campaign that one of its limits can still ask
//! for. Which those are: [`Catalogue::memory`].

use crate::audiences::Catalogue;
use crate::audiences::frequency::{CAMPAIGN, IMPRESSION, Memory};
use crate::schema::{AudienceId, Timestamp};
use crate::snapshot::caps::Impression;
use crate::snapshot::columns::{BLOCK, Columns, Dictionary, EventColumn, PropColumn};
use std::ops::Range;

/// What is remembered at `now`, sorted.
pub(in crate::build) fn shown(catalogue: &Catalogue, columns: &Columns<'_>, now: Timestamp) -> Vec<Impression> {
    let memory = catalogue.memory(now);
    let mut all = Vec::new();
    if memory.iter().all(|memory| memory.keep == 0) {
        return all;
    }
    let Some(at) = columns.find_event(IMPRESSION) else { return all };
    let column = &columns.events()[at].1;
    let Some(property) = column.find_property(CAMPAIGN).and_then(|at| column.property(at)) else { return all };
    let PropColumn::Category(codes, dictionary) = property else { return all };
    let numbers = numbers(catalogue, dictionary);
    let campaign = |row: usize| numbers.get(codes.get(row) as usize).copied().flatten();
    for block in 0..columns.blocks() {
        let rows = column.rows(block);
        of_block(column, rows, (block * BLOCK) as u32, &memory, campaign, &mut all);
    }
    all
}

/// For each code the campaign that it names; a campaign that is not defined any more has no number.
fn numbers(catalogue: &Catalogue, dictionary: &Dictionary<'_>) -> Vec<Option<u32>> {
    let number = |id: &str| {
        let (owner, name) = id.split_once('/')?;
        catalogue.campaign(&AudienceId::new(owner, name))
    };
    std::iter::once(None).chain(dictionary.iter().map(number)).collect()
}

/// Goes through a block's rows, which are sorted by ordinal, a profile at a time.
fn of_block(
    column: &EventColumn<'_>,
    rows: Range<usize>,
    first: u32,
    memory: &[Memory],
    campaign: impl Fn(usize) -> Option<u32>,
    all: &mut Vec<Impression>,
) {
    let profiles = column.lows[rows.clone()].chunk_by(|a, b| a == b).scan(rows.start, |at, lows| {
        let rows = *at..*at + lows.len();
        *at = rows.end;
        Some((first + u32::from(lows[0]), rows))
    });
    let mut one: Vec<(u32, i64)> = Vec::new();
    for (ordinal, rows) in profiles {
        one.clear();
        one.extend(rows.filter_map(|row| {
            let (campaign, time) = (campaign(row)?, i64::from(column.times[row]));
            (time > memory[campaign as usize].after.0).then_some((campaign, time))
        }));
        one.sort_unstable();
        for same in one.chunk_by(|a, b| a.0 == b.0) {
            let keep = usize::from(memory[same[0].0 as usize].keep);
            let last = &same[same.len().saturating_sub(keep)..];
            all.extend(last.iter().map(|&(campaign, time)| Impression { ordinal, campaign, time }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audiences::definitions::check;
    use crate::schema::Declarations;
    use crate::snapshot::columns::Sections;
    use crate::snapshot::columns::data::{ColumnData, EventData, PropData};
    use jiff::tz::TimeZone;

    const TEXT: &str = "
campaigns:
- { id: a, owner: o, status: active, caps: [{ impressions: 2, per: 1h }] }
- { id: b, owner: o, status: active, caps: [{ impressions: 1, per: flight }] }
- { id: c, owner: o, status: active }
";
    const NOW: i64 = 1_000_000;

    #[test]
    fn the_last_that_count_are_kept() {
        let checked = check(&[("f.yaml".into(), TEXT.to_owned())], &Declarations::default(), &TimeZone::UTC);
        let catalogue = checked.catalogue.unwrap();
        let far = BLOCK as u32 + 3;
        // Code 0 is an impression of nobody knows what, 4 one of a campaign that is gone.
        let rows: [(u32, u32, u32); 10] = [
            (1, NOW as u32 - 3_600, 1),
            (1, NOW as u32 - 3_599, 1),
            (1, NOW as u32 - 50, 1),
            (1, NOW as u32 - 40, 1),
            (2, 7, 2),
            (2, 9, 2),
            (2, NOW as u32, 3),
            (2, NOW as u32, 4),
            (far, NOW as u32 - 1, 0),
            (far, NOW as u32 + 5, 1),
        ];
        let data = EventData {
            ordinals: rows.iter().map(|row| row.0).collect(),
            times: rows.iter().map(|row| row.1).collect(),
            properties: vec![(
                CAMPAIGN.to_owned(),
                PropData::Category {
                    codes: rows.iter().map(|row| row.2).collect(),
                    dictionary: ["o/a", "o/b", "o/c", "o/gone"].map(str::to_owned).to_vec(),
                },
            )],
        };
        let ordinals = far + 1;
        let events = vec![(IMPRESSION.to_owned(), data)];
        let seeds = vec![0; ordinals as usize];
        let sections = Sections::encode(&ColumnData { ordinals, seeds, events, ..ColumnData::default() }).unwrap();
        let kept: Vec<(u32, u32, i64)> = shown(&catalogue, &sections.open().unwrap(), Timestamp(NOW))
            .iter()
            .map(|it| (it.ordinal, it.campaign, it.time))
            .collect();
        assert_eq!(kept, [(1, 0, NOW - 50), (1, 0, NOW - 40), (2, 1, 9), (far, 0, NOW + 5)]);
    }
}
