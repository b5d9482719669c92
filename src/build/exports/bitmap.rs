//! An audience as a roaring bitmap in the portable format, with what its ordinals stand for: for Spark, Java and C, and without
//! an identifier.

use super::place::{Written, failed};
use super::who::Eligible;
use super::{Inputs, Report};
use crate::error::{Error, Result};
use crate::snapshot::keys::Keys;
use serde_json::json;
use std::io::Write;

/// Writes bitmap, map and description.
pub(super) fn export(
    inputs: &Inputs<'_>,
    stem: &str,
    eligible: &Eligible,
    report: &mut Report,
) -> Result<Vec<Written>> {
    let (manifest, place) = (inputs.serving.manifest(), inputs.place);
    let mut out = place.create(&format!("{stem}-full.roaring"))?;
    let mut people = eligible.people.clone();
    people.optimize();
    people.serialize_into(&mut out).map_err(|error| failed(out.name(), error))?;
    let bitmap = out.commit(people.len())?;

    let keys = Keys::open(inputs.serving.snapshot().section("keys")?)?;
    let mut out = place.create(&format!("{stem}-ordinals.csv"))?;
    let name = out.name().to_owned();
    let mut put = |line: std::fmt::Arguments<'_>| out.write_fmt(line).map_err(|error| failed(&name, error));
    put(format_args!("ordinal,type,profile_key\n"))?;
    let (mut lines, mut profiles) = (0, 0);
    for ordinal in &people {
        inputs.stop_if_cancelled()?;
        let mut any = false;
        for (key, id_type) in keys.of(ordinal) {
            let Some(id_type) = manifest.id_types.get(usize::from(id_type)) else { continue };
            if inputs.ask.wants(id_type) {
                put(format_args!("{ordinal},{id_type},{key}\n"))?;
                report.count(id_type).exported += 1;
                report.count(id_type).identifiers += 1;
                (lines, any) = (lines + 1, true);
            }
        }
        profiles += u64::from(any);
    }
    let map = out.commit(lines)?;
    report.profiles.exported = profiles;
    report.profiles.not_exportable = people.len() - profiles;

    let description = json!({
        "audience": inputs.audience.id,
        "generation": manifest.generation,
        "as_of": manifest.as_of,
        "profiles": manifest.profiles,
        "members": people.len(),
        "key_fingerprint": inputs.hasher.fingerprint(),
        "bitmap": { "file": last(&bitmap.name), "sha256": bitmap.sha256, "format": "roaring, portable" },
        "ordinals": { "file": last(&map.name), "sha256": map.sha256, "columns": ["ordinal", "type", "profile_key"] },
    });
    let text = serde_json::to_vec_pretty(&description)
        .map_err(|error| Error::internal(format!("the description of a bitmap cannot be written: {error}")))?;
    let mut out = place.create(&format!("{stem}.json"))?;
    out.write_all(&text).map_err(|error| failed(out.name(), error))?;
    Ok(vec![bitmap, map, out.commit(1)?])
}

/// A file's own name.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
