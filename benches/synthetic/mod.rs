//! A snapshot that is like a real one in size and shape, of the people in [`people`].

mod people;

#[allow(unused_imports, reason = "not every benchmark needs all of it")]
pub use people::{AUDIENCES, Draw, IDENTIFIERS, MEAN, mix, profiles, write_uid};
use std::io::Write;
use vaglio::audiences::{Audience, AudienceKind, Catalogue};
use vaglio::schema::{AudienceId, KeyHasher, ProfileKey, Segment};
use vaglio::snapshot::filter::write_filter;
use vaglio::snapshot::flips::write_flips;
use vaglio::snapshot::{ForwardWriter, IdentitiesWriter, Plane, SectionRef, Store};

pub fn hasher() -> KeyHasher {
    KeyHasher::new([1; 16])
}

pub fn key(hasher: &KeyHasher, number: u64) -> ProfileKey {
    let mut uid = [0; 36];
    write_uid(number, &mut uid);
    hasher.key("ifa", std::str::from_utf8(&uid).expect("hexadecimal digits and dashes"))
}

pub fn identities(store: &Store, profiles: u32) -> SectionRef {
    let hasher = hasher();
    let mut section = store.section("identities", Plane::Bid).expect("a section");
    let numbers = 0..u64::from(profiles) * IDENTIFIERS;
    let entries = numbers.map(|number| (key(&hasher, number), (number / IDENTIFIERS) as u32));
    IdentitiesWriter::write(entries, &mut section).expect("written");
    section.finish().expect("durable")
}

pub fn filter(store: &Store, profiles: u32) -> SectionRef {
    let hasher = hasher();
    let mut section = store.section("filter", Plane::Bid).expect("a section");
    let numbers = 0..u64::from(profiles) * IDENTIFIERS;
    write_filter(numbers.map(|number| key(&hasher, number)), &mut section).expect("written");
    section.finish().expect("durable")
}

pub fn forward(store: &Store, profiles: u32) -> SectionRef {
    let (draw, mut audiences) = (Draw::new(AUDIENCES, MEAN), Vec::new());
    let section = store.section("forward", Plane::Bid).expect("a section");
    let mut writer = ForwardWriter::new(section, profiles, &draw.order).expect("a writer");
    for profile in 0..u64::from(profiles) {
        draw.of(profile, &mut audiences);
        writer.push(0, &audiences).expect("pushed");
    }
    writer.finish().expect("durable")
}

pub fn flips(store: &Store) -> SectionRef {
    let mut section = store.section("flips", Plane::Bid).expect("a section");
    write_flips(&mut section, &mut Vec::new()).expect("written");
    section.finish().expect("durable")
}

/// The audiences; with `segments`, each has a label of taxonomy 4.
pub fn catalogue(store: &Store, segments: bool) -> SectionRef {
    catalogue_of(store, AUDIENCES, segments)
}

/// The same with another number of them.
pub fn catalogue_of(store: &Store, audiences: u32, segments: bool) -> SectionRef {
    let audience = |number: u32| Audience {
        id: AudienceId::new("bench", &format!("a{number:05}")),
        name: String::new(),
        kind: AudienceKind::Target,
        rule: None,
        ttl: None,
        segment: segments.then(|| Segment { taxonomy: Some(4), id: number.to_string() }),
        folder: None,
        tags: Vec::new(),
        description: None,
        share: Default::default(),
        floor: None,
        valid_from: None,
        valid_to: None,
    };
    let catalogue = Catalogue { audiences: (0..audiences).map(audience).collect(), ..Catalogue::default() };
    let mut section = store.section("catalogue", Plane::Bid).expect("a section");
    section.write_all(&serde_json::to_vec(&catalogue).expect("JSON")).expect("written");
    section.finish().expect("durable")
}
