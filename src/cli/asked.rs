//! Whom a question on the command line is about: `SOURCE:UID` arguments -> keys, and the generation that is asked. A raw
//! identifier ends here: it is hashed, and in no error.

use super::find_generation;
use crate::collect::canonical_uid;
use crate::config::Loaded;
use crate::error::{Error, Problem, Result};
use crate::schema::{Generation, KeyHasher, ProfileKey, Timestamp};
use crate::snapshot::{Manifest, Planes, Snapshot, Store};

/// A snapshot that is open, and the keys that are asked about.
#[derive(Debug)]
pub struct Asked {
    /// The generation.
    pub snapshot: Snapshot,
    /// The identifiers, in order of precedence.
    pub keys: Vec<ProfileKey>,
    /// The minute of the answer: now, or the generation's own where the configuration freezes the clock.
    pub now: Timestamp,
}

impl Asked {
    /// Opens a generation (the live one by default) and hashes the identifiers.
    ///
    /// # Errors
    /// No such generation, a refused one, or arguments that are no identifiers.
    pub fn open(loaded: &Loaded, generation: Option<u64>, planes: Planes, ids: &[String]) -> Result<Asked> {
        let store = Store::open(&loaded.config.data_dir)?;
        let generation = find_generation(&store, generation.map(Generation))?;
        let hasher = loaded.key_hasher(false)?;
        let snapshot = store.open_snapshot(generation, planes, Some(&hasher))?;
        let keys = keys(snapshot.manifest(), &hasher, ids)?;
        let now = if snapshot.manifest().frozen { snapshot.manifest().as_of } else { loaded.clock().now() };
        Ok(Asked { snapshot, keys, now: now.floor_minute() })
    }
}

fn keys(manifest: &Manifest, hasher: &KeyHasher, ids: &[String]) -> Result<Vec<ProfileKey>> {
    let mut keys = Vec::new();
    let mut problems = Vec::new();
    for (at, text) in ids.iter().enumerate() {
        match key(manifest, hasher, text) {
            Ok(ranked) => keys.push(ranked),
            Err((message, help)) => {
                problems.push(Problem::new(format!("identifier {}: {message}", at + 1)).help(help));
            }
        }
    }
    if !problems.is_empty() {
        return Err(Error::usage("these arguments are no identifiers:").with_problems(problems));
    }
    keys.sort_by_key(|(rank, _)| *rank);
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

/// An identifier's place in the order of precedence, and its key.
fn key(
    manifest: &Manifest,
    hasher: &KeyHasher,
    text: &str,
) -> std::result::Result<(usize, ProfileKey), (String, String)> {
    let known = || format!("types of this generation: {}", manifest.id_types.join(", "));
    let Some((id_type, uid)) = text.split_once(':') else {
        return Err(("expected SOURCE:UID, such as ifa:123e4567-...".to_owned(), known()));
    };
    let id_type = id_type.trim().to_lowercase();
    if !manifest.id_types.contains(&id_type) {
        return Err((format!("no source has identifiers of type `{id_type}`"), known()));
    }
    let uid = canonical_uid(&id_type, uid).map_err(|why| (format!("{id_type}: {why}"), String::new()))?;
    let rank = manifest
        .precedence
        .iter()
        .position(|name| name.eq_ignore_ascii_case(&id_type))
        .unwrap_or(manifest.precedence.len());
    Ok((rank, hasher.key(&id_type, &uid)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(ids: &[&str]) -> Result<Vec<ProfileKey>> {
        let id_types = ["crm", "email", "ifa"].map(str::to_owned).to_vec();
        let manifest = Manifest { id_types, precedence: vec!["ifa".to_owned()], ..Manifest::default() };
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        keys(&manifest, &KeyHasher::new([3; 16]), &ids)
    }

    #[test]
    fn an_address_counts_raw_or_hashed_and_precedence_orders() {
        let raw = asked(&["email:User@example.com"]).unwrap();
        assert_eq!(raw, asked(&["EMAIL:tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ="]).unwrap());
        let ifa = "ifa:123e4567-e89b-12d3-a456-426614174000";
        assert_eq!(asked(&["crm:7", ifa]).unwrap(), asked(&[ifa, "crm:7"]).unwrap());
        assert_eq!(asked(&["crm:a:b"]).unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_identifier_is_not_repeated() {
        let error = asked(&["secret-17", "email:secret-18", "crn:secret-19", "crm:"]).unwrap_err();
        assert_eq!((error.exit_code(), error.problems().len()), (2, 4));
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.to_string().contains("crm, email, ifa"), "{error}");
    }
}
