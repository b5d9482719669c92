//! Plans judged on phases that are made up.

use super::*;
use crate::load::measured::Counts;

fn workload(goals: &str) -> Workload {
    let text = format!(
        "name: x\ndoors: {{ lookup: 1 }}\narrivals: {{ overload: {{ times: [1, 2], seconds: 1 }} }}\ngoals: {goals}"
    );
    crate::load::reading::from_text(&text, std::path::Path::new("x.yaml")).unwrap()
}

fn phase(name: &str, offered_per_second: f64, accepted: u64, step: bool) -> Measured {
    let counts = Counts { due: 1_000, accepted, ..Counts::default() };
    Measured { name: name.to_owned(), step, seconds: 1.0, offered_per_second, counts, ..Measured::default() }
}

#[test]
fn goodput_is_a_share_of_that_of_the_steps_beside_a_phase() {
    let judged_with = |five: u64, before: u64, after: u64| {
        let step = |accepted| phase("100/s", 100.0, accepted, true);
        let phases =
            [step(100), phase("1x", 100.0, 60, false), step(before), phase("5x", 500.0, five, false), step(after)];
        let mut found = Found { phases: phases.into(), ..Found::default() };
        let peak = Peak { sustained_per_second: 100.0, goodput_per_second: 100.0 };
        judge_overload(&workload("{ goodput_share_of_peak: 0.9 }"), peak, &mut found);
        tell_of_a_higher_peak(peak, &mut found);
        let met: Vec<bool> = found.verdicts.iter().map(|verdict| verdict.met).collect();
        (met, found.peak.map(|peak| peak.goodput_per_second), found.remarks.len())
    };
    let judged = |before, after| judged_with(95, before, after);
    assert_eq!(judged(100, 80), (vec![true], None, 0), "60 at the peak itself are not judged");
    assert_eq!(judged(120, 90), (vec![false], Some(120.0), 1), "95 is not 90 % of 120");
    assert_eq!(judged(90, 120), (vec![false], Some(120.0), 1));
    assert_eq!(judged(70, 60), (vec![true], None, 0), "the machine became slower");
    assert_eq!(
        judged_with(5, 5, 5),
        (vec![false], None, 0),
        "nothing was left of the server, beside the phase neither"
    );
}

#[test]
fn without_a_step_beside_it_a_phase_is_judged_by_the_climb() {
    let mut found = Found { phases: vec![phase("5x", 500.0, 85, false)], ..Found::default() };
    let peak = Peak { sustained_per_second: 100.0, goodput_per_second: 100.0 };
    judge_overload(&workload("{ goodput_share_of_peak: 0.9 }"), peak, &mut found);
    assert!(matches!(&found.verdicts[..], [verdict] if !verdict.met), "{:?}", found.verdicts);
}

#[test]
fn the_generator_is_blamed_for_the_lowest_rate_that_failed() {
    let settings = Saturation { from: 100.0, to: 1_000.0, factor: 2.0, precision: 0.1, ..Saturation::default() };
    let said = |busy_at: &str| {
        let (mut search, mut found) = (Search::new(&settings), Found::default());
        while let Some(rate) = search.next() {
            let name = step_name(rate);
            let generator_busy_share = if name == busy_at { 0.99 } else { 0.5 };
            found.phases.push(Measured { generator_busy_share, ..phase(&name, 0.0, 1, true) });
            search.tell(rate <= 390.0);
        }
        remark_limit(&search, &settings, &mut found);
        found.remarks
    };
    assert_eq!(said("366/s"), Vec::<String>::new(), "the last that was tried, at which the goals held");
    assert!(said("400/s").concat().starts_with("the goals failed at 400/s"), "{:?}", said("400/s"));
}
