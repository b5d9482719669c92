//! `vaglio generations --compare A B`: how two generations differ, as a table or as JSON.

use crate::cli::{Format, figures, print, print_json};
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::evaluate::survey::Watch;
use crate::planner::generations::compare::{Compared, Comparison, Defined};
use crate::planner::generations::compare_two;
use crate::schema::Generation;
use crate::snapshot::Store;
use serde_json::{Value, json};

/// Compares and prints.
///
/// # Errors
/// A generation that is not there, or is damaged.
pub fn run(loaded: &Loaded, store: &Store, pair: &[u64], format: Format) -> Result<()> {
    let &[before, after] = pair else { return Err(Error::usage("--compare takes two generations")) };
    let there = |number| crate::cli::find_generation(store, Some(Generation(number)));
    let compared = compare_two(loaded, store, there(before)?, there(after)?, &Watch::default())?;
    let comparison = compared.ok_or_else(|| Error::internal("the comparison ended by itself"))?;
    match format {
        Format::Json => print_json(&as_json(&comparison)),
        Format::Text => print(&text(&comparison)),
    }
}

fn as_json(comparison: &Comparison) -> Value {
    let Comparison { fates, profiles, .. } = comparison;
    let audience = |it: &Compared| {
        json!({
            "id": it.id, "before": it.members.0, "after": it.members.1, "joins": it.moves.joins,
            "leaves": it.moves.leaves, "definition": it.defined.map(Defined::name),
        })
    };
    let campaigns = comparison.campaigns.iter().map(|(id, how)| json!({"id": id, "definition": how.name()}));
    json!({
        "before": comparison.before, "after": comparison.after, "same_index": comparison.same_index,
        "profiles": {
            "before": profiles.0, "after": profiles.1, "new": fates.new, "gone": fates.gone,
            "merged": fates.merged, "split": fates.split,
        },
        "audiences": comparison.audiences.iter().map(audience).collect::<Vec<_>>(),
        "campaigns": campaigns.collect::<Vec<_>>(),
    })
}

fn text(comparison: &Comparison) -> String {
    let Comparison { before, after, fates, profiles, .. } = comparison;
    let count = figures::count;
    let mut out = format!(
        "Generation {before}: {} profiles; generation {after}: {}\n",
        count(profiles.0.into()),
        count(profiles.1.into())
    );
    if comparison.same_index {
        out.push_str("Both share an index: nobody is new or gone.\n\n");
    } else {
        out.push_str(&format!(
            "Matched by identifiers: {} new, {} gone, {} merged, {} split\n\n",
            count(fates.new),
            count(fates.gone),
            count(fates.merged),
            count(fates.split)
        ));
    }
    let size = |members: Option<u64>| members.map_or_else(|| "-".to_owned(), count);
    let mut rows = vec![["audience", "before", "after", "joins", "leaves", "definition"].map(str::to_owned).to_vec()];
    rows.extend(comparison.audiences.iter().map(|it| {
        let definition = it.defined.map_or("", Defined::name).to_owned();
        let (joins, leaves) = (count(it.moves.joins), count(it.moves.leaves));
        vec![it.id.to_string(), size(it.members.0), size(it.members.1), joins, leaves, definition]
    }));
    out.push_str(&figures::table(&rows));
    for (id, how) in &comparison.campaigns {
        out.push_str(&format!("campaign {id}: {}\n", how.name()));
    }
    out
}
