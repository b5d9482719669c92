//! A bid request that others are made from: read once, in the order in which its fields stand, and cut where the user goes.
//!
//! Replaced are `id`, `tmax`, the identifiers and signals of `user` and `device`, and `regs`: what is left must not say
//! anything of whoever the template was taken from. White space between tokens is taken out, as it is on the wire.

use crate::error::{Error, Result};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::path::Path;

/// The largest template, bytes.
const MOST_BYTES: u64 = 1 << 20;

/// An impression: its id, and its deals with what kind of auction they are in.
type Imp = (String, Vec<(String, Option<i32>)>);

/// The templates that are built in: an app and a site, with banners, video, native and deals.
const BUILT_IN: [(&str, &str); 6] = [
    ("app-banner", include_str!("templates/app-banner.json")),
    ("app-video", include_str!("templates/app-video.json")),
    ("ctv-video", include_str!("templates/ctv-video.json")),
    ("site-banner", include_str!("templates/site-banner.json")),
    ("site-deals", include_str!("templates/site-deals.json")),
    ("site-native", include_str!("templates/site-native.json")),
];

/// An object's members in their order, each value as it is spelt.
#[derive(Debug, Default)]
pub struct Object(pub Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Object, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl Object {
    /// The object of a member, which is then no longer one; empty when it is missing or something else.
    fn take(&mut self, name: &str) -> Object {
        let found = self.get(name).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        self.without(&[name]);
        found
    }

    /// A member as it is spelt.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.get())
    }

    fn without(&mut self, names: &[&str]) {
        self.0.retain(|(key, _)| !names.contains(&key.as_str()));
    }

    /// `"key":value` of all members, with a comma behind each, without white space.
    fn open(&self) -> String {
        self.0.iter().map(|(key, value)| format!("{}:{},", super::json::quoted(key), compact(value.get()))).collect()
    }
}

/// What a template says that is not of the user.
#[derive(Debug)]
pub struct Template {
    /// Its name: a file's, or that of one that is built in.
    pub name: String,
    /// From behind the request's id into the place of the device: `"imp":[...],"app":{...},"device":{...,"geo":{"city":"Milano",`.
    pub head: String,
    /// The user's members that are kept, each with a comma behind it.
    pub user: String,
    /// The impressions and their deals: (id, deals with whether they are guaranteed).
    pub imps: Vec<Imp>,
    /// Everything but the user and the device, each member with a comma behind it: for forms that have no fields for it.
    pub rest: String,
}

/// The templates of a workload: the files, or those that are built in.
///
/// # Errors
/// All files that are no bid requests.
pub fn read(files: &[impl AsRef<Path>]) -> Result<Vec<Template>> {
    if files.is_empty() {
        return BUILT_IN.iter().map(|(name, text)| Template::parse(name, text)).collect();
    }
    let mut problems = Vec::new();
    let mut templates = Vec::new();
    for file in files {
        let path = file.as_ref();
        let large = std::fs::metadata(path).is_ok_and(|about| about.len() > MOST_BYTES);
        let read = if large {
            Err(Error::input(format!("{}: larger than 1 MiB", path.display())))
        } else {
            std::fs::read_to_string(path)
                .map_err(|error| Error::io(format!("read {}", path.display()), error))
                .and_then(|text| Template::parse(&path.display().to_string(), &text))
        };
        match read {
            Ok(template) => templates.push(template),
            Err(error) => problems.push(crate::error::Problem::new(error.to_string())),
        }
    }
    match problems.is_empty() {
        true => Ok(templates),
        false => Err(Error::usage("these templates cannot be used:").with_problems(problems)),
    }
}

impl Template {
    /// Cuts a bid request.
    ///
    /// # Errors
    /// No JSON object, or none with impressions.
    pub fn parse(name: &str, text: &str) -> Result<Template> {
        let wrong = |why: String| Error::usage(format!("{name}: {why}; a template is an OpenRTB bid request in JSON"));
        let mut all: Object = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let imps =
            imps(&all).ok_or_else(|| wrong("`imp` is missing, or no list of impressions with ids".to_owned()))?;
        all.without(&["id", "tmax", "regs"]);
        let (mut user, mut device) = (all.take("user"), all.take("device"));
        user.without(&["id", "buyeruid", "eids", "consent"]);
        let mut ext = user.take("ext");
        ext.without(&["eids", "consent"]);
        let mut geo = user.take("geo");
        geo.without(&["country"]);
        let mut place = device.take("geo");
        place.without(&["country", "type"]);
        device.without(&["ifa", "lmt", "dnt"]);
        let closed = |name: &str, object: &Object| match object.open() {
            members if members.is_empty() => String::new(),
            members => format!("\"{name}\":{{{}}},", members.trim_end_matches(',')),
        };
        Ok(Template {
            name: name.to_owned(),
            rest: all.open(),
            head: format!("{}\"device\":{{{}\"geo\":{{{}", all.open(), device.open(), place.open()),
            user: format!("{}{}{}", user.open(), closed("geo", &geo), closed("ext", &ext)),
            imps,
        })
    }
}

/// The impressions of a bid request, and what of their deals our reading knows.
fn imps(all: &Object) -> Option<Vec<Imp>> {
    #[derive(serde::Deserialize)]
    struct Imp {
        id: String,
        pmp: Option<Pmp>,
    }
    #[derive(serde::Deserialize)]
    struct Pmp {
        #[serde(default)]
        deals: Vec<Deal>,
    }
    #[derive(serde::Deserialize)]
    struct Deal {
        id: String,
        guar: Option<i32>,
    }
    let imps: Vec<Imp> = serde_json::from_str(all.get("imp")?).ok()?;
    let deals = |imp: &mut Imp| imp.pmp.take().map(|pmp| pmp.deals).unwrap_or_default();
    let imps = imps.into_iter().map(|mut imp| {
        let deals = deals(&mut imp).into_iter().map(|deal| (deal.id, deal.guar)).collect();
        (imp.id, deals)
    });
    let imps: Vec<_> = imps.collect();
    (!imps.is_empty()).then_some(imps)
}

/// JSON that is sound, without the white space between its tokens.
fn compact(json: &str) -> String {
    let (mut out, mut inside, mut escaped) = (String::with_capacity(json.len()), false, false);
    for character in json.chars() {
        if inside || !character.is_ascii_whitespace() {
            out.push(character);
        }
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = inside,
            '"' => inside = !inside,
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_is_of_a_realistic_size() {
        let templates = read(&[] as &[&str]).unwrap();
        let mut sizes: Vec<usize> = templates.iter().map(|it| it.head.len() + it.user.len()).collect();
        sizes.sort_unstable();
        let median = (sizes[2] + sizes[3]) / 2;
        assert!((2_600..=3_300).contains(&median), "{sizes:?}");
        assert!(sizes[0] >= 1_700 && sizes[5] <= 6_200, "{sizes:?}");
        assert!(templates.iter().any(|it| it.imps.iter().any(|imp| !imp.1.is_empty())), "deals are on offer");
    }

    #[test]
    fn white_space_goes_from_between_the_tokens_alone() {
        assert_eq!(compact("{ \"a b\" : [1, \"\\\" \\\\\", true ] }"), "{\"a b\":[1,\"\\\" \\\\\",true]}");
    }

    #[test]
    fn what_is_no_bid_request_is_told_all_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let files: Vec<_> = ["[]", "{\"imp\":[]}", "{\"imp\":[{}]}", "no"]
            .iter()
            .enumerate()
            .map(|(n, text)| {
                let path = directory.path().join(n.to_string());
                std::fs::write(&path, text).unwrap();
                path
            })
            .collect();
        assert_eq!(read(&files).unwrap_err().problems().len(), 4);
    }
}
