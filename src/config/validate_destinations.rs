//! What can be wrong with the places that audiences are exported to.

use super::planning::Destination;
use super::validate::{Report, steps};
use crate::schema::names::is_name;

const NAME: &str = "1 to 100 letters, digits, `_`, `-` or `.`, such as partner";

/// Checks the section.
pub(super) fn check_destinations(destinations: &[Destination], report: &mut Report) {
    for (at, destination) in destinations.iter().enumerate() {
        let name = &destination.name;
        report.require(is_name(name), steps!["destinations", at, "name"], "is not a name", NAME);
        if let Some(first) = destinations[..at].iter().position(|other| other.name == *name) {
            let message = format!("`{name}` is the name of destinations[{first}] too");
            report.wrong(steps!["destinations", at, "name"], message, "give each destination a name of its own");
        }
        if let Some((problem, help)) = wrong_path(&destination.path) {
            report.wrong(steps!["destinations", at, "path"], problem, help);
        }
        for (owner_at, owner) in destination.owners.iter().enumerate() {
            report.require(is_name(owner), steps!["destinations", at, "owners", owner_at], "is not an owner", NAME);
        }
    }
}

fn wrong_path(path: &str) -> Option<(String, &'static str)> {
    let help = "name a directory, or s3://bucket/prefix";
    match path.split_once("://") {
        None if path.trim().is_empty() => Some(("is empty".to_owned(), help)),
        None => None,
        Some(("s3", rest)) if rest.split('/').next().is_none_or(str::is_empty) => {
            Some((format!("{path} names no bucket"), "such as s3://bucket/prefix"))
        }
        Some(("s3", _)) if !cfg!(feature = "lake") => {
            Some((format!("{path}: this vaglio was built without object stores"), "build it with the feature `lake`"))
        }
        Some(("s3", _)) => None,
        Some((scheme, _)) => Some((format!("{path}: nothing is exported to `{scheme}://`"), help)),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load::from_text;
    use std::path::Path;

    fn read(destinations: &str) -> crate::error::Result<crate::config::Loaded> {
        from_text(&format!("destinations: [{destinations}]"), Path::new("/x/vaglio.yaml"), std::iter::empty())
    }

    #[test]
    fn paths_start_at_the_configuration_file() {
        let loaded =
            read("{ name: a, path: out }, { name: b, path: /abs, owners: [acme] }, { name: c, path: 's3://b/p' }");
        let paths: Vec<String> = loaded.unwrap().config.destinations.into_iter().map(|it| it.path).collect();
        assert_eq!(paths, ["/x/out", "/abs", "s3://b/p"]);
    }

    #[test]
    fn mistakes_are_told_at_their_places() {
        let error =
            read("{ name: a b, path: '' }, { name: c, path: 'gs://x' }, { name: c, path: 's3://', owners: [''] }");
        let text = error.unwrap_err().to_string();
        for expected in [
            "destinations[0].name",
            "destinations[0].path",
            "`gs://`",
            "destinations[2].name",
            "no bucket",
            "owners[0]",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }
}
