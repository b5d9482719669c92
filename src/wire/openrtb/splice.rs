//! New entries of `user.data` in a JSON body: where they go, and putting them there. Nothing is read here.

/// Where new entries of `user.data` go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// These bytes of the body are replaced.
    from: usize,
    to: usize,
    /// What is written around the entries; `None` = there is no place for them.
    around: Option<(&'static str, &'static str)>,
}

impl Place {
    /// `user` or `user.data` is something else than it should be: the request stays as it is.
    pub const NOWHERE: Place = Place { from: 0, to: 0, around: None };

    pub(super) fn new(from: usize, to: usize, before: &'static str, after: &'static str) -> Self {
        Place { from, to, around: Some((before, after)) }
    }

    /// Whether there is no place.
    pub fn is_nowhere(&self) -> bool {
        self.around.is_none()
    }

    /// What [`splice`] makes of a body, without copying the body: its bytes up to the first number, then the new ones, then
    /// its bytes from the last number on. `None`: the body as it came.
    pub fn between(&self, entries: &[u8]) -> Option<(usize, Vec<u8>, usize)> {
        let (before, after) = self.around.filter(|_| !entries.is_empty())?;
        let mut between = Vec::with_capacity(before.len() + entries.len() + after.len());
        between.extend_from_slice(before.as_bytes());
        between.extend_from_slice(entries);
        between.extend_from_slice(after.as_bytes());
        Some((self.from, between, self.to))
    }
}

/// Appends to `out` the body with `entries`, one or more JSON objects with commas between, put into their place. The body
/// as it came where there is no place or no entry.
pub fn splice(body: &[u8], place: &Place, entries: &[u8], out: &mut Vec<u8>) {
    let Some((before, after)) = place.around.filter(|_| !entries.is_empty()) else {
        out.extend_from_slice(body);
        return;
    };
    out.reserve(body.len() + before.len() + entries.len() + after.len());
    out.extend_from_slice(&body[..place.from]);
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(entries);
    out.extend_from_slice(after.as_bytes());
    out.extend_from_slice(&body[place.to..]);
}
