//! Which room stands on which floor, and what a file may import.

use super::lexer::{code, tokens};

/// The floors from the bottom up. Rooms of one floor do not import each other.
const FLOORS: [&[&str]; 10] = [
    &["error"],
    &["schema"],
    &["wire", "config", "telemetry", "disk"],
    &["snapshot", "log", "privacy", "console"],
    &["profiles", "audiences", "overlay", "access"],
    &["lookup", "evaluate", "collect"],
    &["decide", "build", "live"],
    &["hooks", "planner", "load"],
    &["server"],
    &["cli"],
];

/// A bid node runs from files alone: these rooms never import those, however low they stand.
const BID_PLANE: [&str; 3] = ["hooks", "decide", "lookup"];
const BUILDING: [&str; 5] = ["collect", "profiles", "build", "live", "planner"];

/// Only these see protobuf, OpenRTB and HTTP.
const DOORS: [&str; 5] = ["hooks", "planner", "load", "server", "cli"];
const PROTOCOL_CRATES: [&str; 9] = [
    "tonic",
    "tonic_health",
    "tonic_reflection",
    "tonic_prost",
    "prost",
    "hyper",
    "hyper_util",
    "http_body_util",
    "axum",
];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The room a file belongs to: `src/snapshot/store.rs` and `src/error.rs` -> `snapshot`, `error`.
fn room(path: &str) -> &str {
    path.strip_prefix("src/").unwrap_or(path).split(['/', '.']).next().unwrap_or_default()
}

/// How many `super` lead from a file's module to the crate's root.
fn depth(path: &str) -> usize {
    let parts = path.strip_prefix("src/").unwrap_or(path).split('/').count();
    if path.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// What a file imports that it must not.
pub fn imports(path: &str, text: &str) -> Vec<String> {
    let own = room(path);
    if own == "lib" {
        return Vec::new();
    }
    let own_floor = if own == "main" { Some(FLOORS.len()) } else { floor(own) };
    let Some(own_floor) = own_floor else {
        return vec![format!(
            "{path}: `{own}` stands on no floor; give it one in tests/house/floors.rs and src/lib.rs"
        )];
    };
    let mut broken = Vec::new();
    for (line, other) in imported_rooms(path, text) {
        let Some(other_floor) = floor(&other).filter(|_| other != own) else { continue };
        let why = if other_floor >= own_floor {
            "imports go downwards only"
        } else if BID_PLANE.contains(&own) && BUILDING.contains(&other.as_str()) {
            "a bid node runs from files alone"
        } else if other == "wire" && !DOORS.contains(&own) {
            "only hooks, planner, load, server and cli see the wire"
        } else if own == "main" && other != "cli" {
            "main hands over to cli"
        } else {
            continue;
        };
        broken.push(format!("{path}:{line}: {own} imports {other}: {why}"));
    }
    broken
}

/// Every room that paths from the crate's root name, with the line.
fn imported_rooms(path: &str, text: &str) -> Vec<(usize, String)> {
    let tokens = tokens(&code(text));
    let word = |at: usize| tokens.get(at).map_or("", |(_, token)| token.as_str());
    let mut rooms = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let start = at;
        match word(at) {
            "crate" | "vaglio" if word(at + 1) == "::" => at += 2,
            "super" if word(at + 1) == "::" => {
                while word(at) == "super" && word(at + 1) == "::" {
                    at += 2;
                }
                // Inside an inline module a chain may be longer without leaving the room; then its next word is no room.
                if (at - start) / 2 < depth(path) {
                    continue;
                }
            }
            _ => {
                at += 1;
                continue;
            }
        }
        if word(at) == "{" {
            rooms.extend(group(&tokens, at));
        } else if let Some((line, name)) = tokens.get(at) {
            rooms.push((*line, name.clone()));
        }
    }
    rooms
}

/// The first words of the paths in a `{...}` group that opens at `at`.
fn group(tokens: &[(usize, String)], at: usize) -> Vec<(usize, String)> {
    let mut firsts = Vec::new();
    let mut level = 0;
    let mut fresh = true;
    for (line, token) in &tokens[at..] {
        match token.as_str() {
            "{" => level += 1,
            "}" if level == 1 => break,
            "}" => level -= 1,
            "," if level == 1 => fresh = true,
            name if level == 1 && fresh => {
                firsts.push((*line, name.to_owned()));
                fresh = false;
            }
            _ => {}
        }
    }
    firsts
}

/// Protocol libraries below the doors.
pub fn protocols(path: &str, text: &str) -> Vec<String> {
    if DOORS.contains(&room(path)) || room(path) == "wire" {
        return Vec::new();
    }
    let tokens = tokens(&code(text));
    let mut broken = Vec::new();
    for pair in tokens.windows(2) {
        if PROTOCOL_CRATES.contains(&pair[0].1.as_str()) && pair[1].1 == "::" {
            broken.push(format!("{path}:{}: {} below the doors", pair[0].0, pair[0].1));
        }
    }
    broken
}

/// Rooms without a floor or a line in the contents page, and lines without a room.
pub fn rooms(there: &[String], contents_page: &str) -> Vec<String> {
    let declared: Vec<&str> =
        contents_page.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let table: String = contents_page.lines().filter(|line| line.starts_with("//! |")).collect();
    let mut broken = Vec::new();
    for room in there {
        if floor(room).is_none() {
            broken.push(format!("src/{room} stands on no floor"));
        }
        if !declared.contains(&room.as_str()) {
            broken.push(format!("src/lib.rs does not declare `{room}`"));
        }
    }
    for room in declared {
        if !there.iter().any(|name| name == room) {
            broken.push(format!("src/lib.rs declares `{room}`, which is not there"));
        } else if !table.contains(&format!("`{room}`")) {
            broken.push(format!("the table in src/lib.rs does not name `{room}`"));
        }
    }
    broken
}
