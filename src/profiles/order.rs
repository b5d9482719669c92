//! Sorting rows by ordinal, and dictionaries without values nobody has: what columns share.

use rayon::prelude::*;
use std::cmp::Ordering;

/// Ordinals a bucket of the first pass: a bucket's rows then fit the cache.
const BUCKET: u32 = 1_024;

/// Positions `0..ordinals.len()` sorted by (ordinal, minor), then by `compare`. Entries for which `keep` is false are
/// left out. Counting sort into buckets of ordinals, then every bucket on its own, in parallel.
pub fn by_ordinal(
    ordinals: &[u32],
    profiles: u32,
    minor: &[u32],
    keep: impl Fn(usize) -> bool,
    compare: impl Fn(u32, u32) -> Ordering + Sync,
) -> Vec<u32> {
    let buckets = (profiles / BUCKET + 1) as usize;
    let mut ends = vec![0usize; buckets];
    let kept = |at: &usize| ordinals[*at] < profiles && keep(*at);
    (0..ordinals.len()).filter(kept).for_each(|at| ends[(ordinals[at] / BUCKET) as usize] += 1);
    let mut total = 0;
    for end in &mut ends {
        let count = std::mem::replace(end, total);
        total += count;
    }
    let mut rows = vec![0u32; total];
    for at in (0..ordinals.len()).filter(kept) {
        let next = &mut ends[(ordinals[at] / BUCKET) as usize];
        rows[*next] = at as u32;
        *next += 1;
    }
    slices(&mut rows, &ends).into_par_iter().for_each(|bucket| {
        let key = |row: u32| (u64::from(ordinals[row as usize]) << 32) | u64::from(minor[row as usize]);
        let mut keyed: Vec<(u64, u32)> = bucket.iter().map(|&row| (key(row), row)).collect();
        keyed.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| compare(a.1, b.1)));
        bucket.iter_mut().zip(keyed).for_each(|(slot, (_, row))| *slot = row);
    });
    rows
}

/// Cuts a slice at ascending ends.
pub fn slices<'a, T>(mut rest: &'a mut [T], ends: &[usize]) -> Vec<&'a mut [T]> {
    let mut start = 0;
    let mut parts = Vec::with_capacity(ends.len());
    for &end in ends {
        let (part, after) = rest.split_at_mut(end - start);
        parts.push(part);
        rest = after;
        start = end;
    }
    parts
}

/// Removes texts that no code (1 + position; 0 = unknown) refers to, and renumbers the codes.
pub fn used_only(codes: &mut [u32], dictionary: Vec<String>) -> Vec<String> {
    let mut used = vec![false; dictionary.len() + 1];
    codes.iter().for_each(|&code| used[code as usize] = true);
    let mut renumbered = vec![0u32; dictionary.len() + 1];
    let mut kept = Vec::new();
    for (position, text) in dictionary.into_iter().enumerate() {
        if used[position + 1] {
            kept.push(text);
            renumbered[position + 1] = kept.len() as u32;
        }
    }
    codes.iter_mut().for_each(|code| *code = renumbered[*code as usize]);
    kept
}
