//! The whole server killed at any moment: of ingest, build, swap, rollback and recovery. The ledger is its client's: what
//! was acknowledged to it is there after a restart, once, and in force; what was not is sent again.

use crate::dice::{Dice, rounds};
use crate::run::{copy_of, vaglio};
use crate::serving::{Serving, objection, open_world, ping};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use vaglio::log::{Record, Which, oldest, read};
use vaglio::schema::Clock;

/// A line on its way, and whom it is about.
#[derive(Debug, Clone)]
struct Line {
    id: String,
    person: u64,
    text: String,
}

#[derive(Debug, Default)]
struct Client {
    /// Of each person, how many events were acknowledged.
    pings: BTreeMap<u64, u32>,
    objectors: Vec<u64>,
    acknowledged: Vec<String>,
    /// Sent, and nobody knows what became of it.
    unsure: Vec<Line>,
    next: u64,
}

impl Client {
    /// What it sends next: what it is unsure of, or something new.
    fn batch(&mut self, dice: &mut Dice) -> Vec<Line> {
        if !self.unsure.is_empty() {
            return std::mem::take(&mut self.unsure);
        }
        // A rule is asked at the start of a minute: what happens in this one is seen from the next.
        let now = Clock::System.now().0 - 60;
        (0..1 + dice.below(5))
            .map(|_| {
                self.next += 1;
                // Three events a person, one behind the other.
                let (id, person) = (format!("event-{}", self.next), self.next / 3);
                Line { text: ping(&id, person, now), id, person }
            })
            .collect()
    }

    /// Sends; `false` when no answer came.
    fn send(&mut self, server: &Serving, lines: Vec<Line>) -> bool {
        let text: String = lines.iter().map(|line| line.text.as_str()).collect();
        let answer = server.send(&text).filter(|answer| answer.status == 200);
        let Some(answer) = answer.map(|answer| answer.json()) else {
            self.unsure.extend(lines);
            return false;
        };
        assert_eq!(answer["rejected"], 0, "{answer}");
        assert_eq!(answer["results"].as_array().unwrap().len(), lines.len(), "{answer}");
        for line in lines {
            *self.pings.entry(line.person).or_default() += 1;
            self.acknowledged.push(line.id);
        }
        true
    }

    fn object(&mut self, server: &Serving) {
        self.next += 1;
        let person = (1 << 31) + self.next;
        let text = objection(&format!("objection-{}", self.next), person, Clock::System.now().0);
        if let Some(answer) = server.send(&text).filter(|answer| answer.status == 200) {
            assert_eq!(answer.json()["accepted"], 1, "{answer:?}");
            self.objectors.push(person);
        }
    }

    /// What the log on the disk says: every acknowledged event once, no event twice.
    fn against_the_log(&self, world: &Path) -> Vec<String> {
        let loaded = vaglio::config::load_file(&world.join("vaglio.yaml")).unwrap();
        let hasher = loaded.key_hasher(false).unwrap();
        let (directory, mut found) = (world.join("data/log/events"), BTreeMap::new());
        let mut wrong = Vec::new();
        let outcome = oldest(&directory).and_then(|from| {
            read(&directory, from, Which::All, &mut |_, bytes| {
                *found.entry(Record::decode(bytes)?.id).or_insert(0) += 1;
                Ok(())
            })
        });
        wrong.extend(outcome.err().map(|error| format!("the log cannot be read: {error}")));
        wrong.extend(found.iter().filter(|it| *it.1 != 1).map(|(id, count)| format!("{id:x} is there {count} times")));
        let lost = self.acknowledged.iter().filter(|id| !found.contains_key(&hasher.event_id(id.as_bytes())));
        wrong.extend(lost.map(|id| format!("{id} was acknowledged and is lost")));
        wrong
    }

    /// What the server answers: every acknowledged event counts once, every objector is blocked.
    fn against_the_answers(&self, server: &Serving) -> Vec<String> {
        let mut wrong = Vec::new();
        for (person, count) in &self.pings {
            let (status, audiences) = server.look_up(*person);
            let has = |name: &str| audiences.iter().any(|it| it == name);
            if !has("acme/pinged") || has("acme/thrice") != (*count == 3) {
                wrong.push(format!("person {person} did {count} pings: {status}, {audiences:?}"));
            }
        }
        for person in &self.objectors {
            let (status, audiences) = server.look_up(*person);
            if status != "blocked" || !audiences.is_empty() {
                wrong.push(format!("person {person} objected: {status}, {audiences:?}"));
            }
        }
        wrong
    }
}

/// What goes on beside the server.
fn beside(world: &Path, dice: &mut Dice) -> Option<Child> {
    let arguments: &[&str] = match dice.below(6) {
        0 => &["build", "--quiet"],
        1 => &["build", "--quiet", "--activate-only"],
        2 => &["rollback"],
        3 => &["rollback", "--unpin"],
        _ => return None,
    };
    Some(vaglio(world, arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// One life of the server, ended by a kill.
fn live_and_die(world: &Path, client: &mut Client, dice: &mut Dice) {
    // Its own builder, or one beside it.
    let interval = if dice.once_in(3) { "1" } else { "0" };
    let settings = [("VAGLIO_BUILD__INDEX_INTERVAL_SECONDS", interval)];
    let early = dice.once_in(5).then(|| Duration::from_millis(dice.below(150)));
    let Some(mut server) = Serving::start(world, &settings, early) else { return };
    let mut beside = beside(world, dice);
    let (kill, life) = (server.killer(), Duration::from_millis(5 + dice.below(250)));
    let killer = std::thread::spawn(move || {
        std::thread::sleep(life);
        kill();
    });
    loop {
        if dice.once_in(8) {
            client.object(&server);
        }
        let batch = client.batch(dice);
        if !client.send(&server, batch) {
            break;
        }
    }
    killer.join().unwrap();
    server.kill();
    if let Some(child) = &mut beside {
        if dice.once_in(2) {
            let _ = child.kill();
        }
        let _ = child.wait();
    }
}

/// A last life in which nothing is killed.
fn live_and_check(world: &Path, client: &mut Client) {
    let mut server = Serving::start(world, &[], None).unwrap();
    let unsure = std::mem::take(&mut client.unsure);
    assert!(unsure.is_empty() || client.send(&server, unsure), "the server takes what was sent again");
    assert_eq!(client.against_the_answers(&server), Vec::<String>::new());
    server.kill();
    assert_eq!(client.against_the_log(world), Vec::<String>::new());
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_when_the_server_is_killed_at_any_moment() {
    let (rounds, begun) = (rounds(30), Instant::now());
    let world = open_world();
    let (mut folder, mut client, mut acknowledged) = (copy_of(world.path()), Client::default(), 0);
    for round in 0..rounds {
        let mut dice = Dice(round);
        live_and_die(folder.path(), &mut client, &mut dice);
        let wrong = client.against_the_log(folder.path());
        assert!(wrong.is_empty(), "after round {round}: {wrong:#?}");
        if round % 8 == 7 {
            live_and_check(folder.path(), &mut client);
            acknowledged += client.acknowledged.len();
            (folder, client) = (copy_of(world.path()), Client::default());
        }
    }
    println!("{rounds} kills of a server, {acknowledged} events acknowledged, {:?}", begun.elapsed());
}
