//! What came by the doors, applied record by record, says what a rebuild says that folds the same log.

use crate::scene::{InService, Scene, append};
use crate::world::{DAY, event, listed, says, text};
use std::borrow::Cow;
use std::sync::Arc;
use vaglio::log::{Said, Stay, Value};
use vaglio::lookup::ServingSnapshot;
use vaglio::overlay::Overlay;
use vaglio::snapshot::Planes;

const KNOWN: [[(&str, &str); 2]; 4] = [
    [("crm", "k0"), ("pubcid.org", "k0-cookie")],
    [("crm", "k1"), ("pubcid.org", "k1-cookie")],
    [("crm", "k2"), ("pubcid.org", "k2-cookie")],
    [("crm", "k3"), ("pubcid.org", "k3-cookie")],
];
const STRANGERS: [(&str, &str); 3] = [("pubcid.org", "s0"), ("pubcid.org", "s1"), ("pubcid.org", "s2")];

/// Always the same for a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % sides as u64) as i64
    }

    /// Some seconds before now: often where a window of so many days ends within two hours.
    fn ago(&mut self, days: i64) -> i64 {
        match self.below(3) {
            0 => -60 - self.below(3 * DAY),
            1 => -(days * DAY) + self.below(7_200),
            _ => -60 - self.below(days * DAY + DAY),
        }
    }

    fn said(&mut self) -> (i64, Said<'static>) {
        let recent = -self.below(3 * DAY);
        match self.below(8) {
            0 | 1 => (self.ago(20), self.purchase()),
            2 => (self.ago(50), self.purchase()),
            3 => {
                (recent, says("plan", [None, Some(text("gold")), Some(text("basic"))][self.below(3) as usize].clone()))
            }
            4 => (
                recent,
                says("age", [None, Some(Value::Number(self.below(40) as f64))][self.below(2) as usize].clone()),
            ),
            5 => (recent, says("tags", Some(Value::Tags(vec![["sport", "music"][self.below(2) as usize].into()])))),
            6 => (recent, event("broken")),
            _ => {
                let minutes = (-recent / 60) as u32 + self.below(180) as u32;
                let stay = [Stay::Minutes(minutes), Stay::ByDefault, Stay::Ends][self.below(3) as usize];
                (recent, listed(["acme/vip", "acme/carts"][self.below(2) as usize], stay))
            }
        }
    }

    fn purchase(&mut self) -> Said<'static> {
        let product = ["phone", "pen"][self.below(2) as usize];
        let properties = vec![
            (Cow::Borrowed("amount"), Value::Number(self.below(40) as f64)),
            (Cow::Borrowed("product"), Value::Text(product.into())),
        ];
        Said::Event { name: "purchase".into(), properties }
    }
}

#[test]
fn what_was_applied_is_what_a_rebuild_folds() {
    let mut turned = 0;
    for seed in 0..6 {
        let mut dice = Dice(seed * 77 + 5);
        let rows = [
            "k0,k0-cookie,{t},gold,30,sport",
            "k1,k1-cookie,{t},basic,7,",
            "k2,k2-cookie,{t},,,music",
            "k3,k3-cookie,{t},gold,17,",
        ];
        let bought = ["k0,,{-19d23h30m},o0,20,phone", "k2,,{-19d23h30m},o2,5,pen"];
        let mut scene = Scene::new(&[("crm", &rows), ("shop", &bought), ("vip", &["k1,{t},,", "k3,{t},,"])]);
        for _ in 0..4 {
            let (now, mut records) = (scene.now(), Vec::new());
            for _ in 0..8 {
                let (at, said) = dice.said();
                let known = KNOWN[dice.below(4) as usize];
                let ids = match dice.below(4) {
                    0 => vec![known[0]],
                    1 => vec![known[1]],
                    2 => known.to_vec(),
                    _ => vec![STRANGERS[dice.below(3) as usize]],
                };
                records.push(scene.world.record(&ids, now + at, said));
            }
            append(&scene.world, &mut scene.applier, &records);
        }
        let manifest = scene.world.build();
        let store = scene.world.store();
        let snapshot = store.open_snapshot(manifest.generation, Planes::All, Some(&scene.world.keys)).unwrap();
        let rebuilt =
            InService { serving: ServingSnapshot::new(snapshot).unwrap(), overlay: Arc::new(Overlay::empty()) };
        let cookies = KNOWN.iter().map(|ids| ids[1].1).chain(STRANGERS.iter().map(|id| id.1));
        let cookies: Vec<&str> = cookies.collect();
        let mut said = Vec::new();
        for minutes in [0, 1, 29, 31, 60, 119] {
            scene.set(manifest.as_of.0 + minutes * 60);
            for ticked in [false, true] {
                if ticked {
                    scene.tick();
                }
                for cookie in &cookies {
                    let key = scene.world.keys.key("pubcid.org", cookie);
                    let live = scene.in_service.ask(key, scene.now());
                    let wanted = rebuilt.ask(key, scene.now());
                    assert_eq!(live.outcome, wanted.outcome, "{cookie} after {minutes} minutes, seed {seed}");
                    // Before the tick only what comes first is known.
                    if ticked {
                        let (live, wanted) = (scene.in_service.names(&live), rebuilt.names(&wanted));
                        assert_eq!(live, wanted, "{cookie} after {minutes} minutes, seed {seed}");
                        said.push((*cookie, live.join(" ")));
                    }
                }
            }
        }
        said.sort();
        said.dedup();
        turned += said.len() - cookies.len().min(said.len());
        scene.restart();
        let after: Vec<String> = cookies.iter().map(|cookie| scene.audiences(cookie).join(" ")).collect();
        assert!(
            cookies.iter().zip(after).all(|(cookie, names)| said.contains(&(*cookie, names))),
            "a restart changes nothing"
        );
    }
    assert!(turned > 5, "something turned over while nothing was said: {turned}");
}
