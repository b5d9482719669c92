//! Explanations: trees, facts and where they come from, and what would change an answer; said by example.

use super::edges::{NOW, catalogue, did, world};
use super::worlds::audience;
use super::*;
use crate::audiences::Expr;
use crate::audiences::rule::{Compare, Literal, Test, TraitTest, When};
use crate::log::{Record, Said, Stay, Value};
use crate::schema::{AudienceId, Declarations, ListSource, Span, TraitDecl, TraitKind};

#[test]
fn an_explanation_shows_every_part_its_truth_and_the_facts() {
    let (sections, mut catalogue) = (Sections::encode(&world(&[-7_200, -60, 0])).unwrap(), catalogue());
    let adult = Expr::Trait(TraitTest { name: "age".to_owned(), test: Test::IsKnown });
    let missing = Expr::Trait(TraitTest { name: "plan".to_owned(), test: Test::IsTrue });
    let rule = Expr::And(vec![
        adult,
        Expr::Not(Box::new(missing)),
        Expr::InAudience(AudienceId::new("acme", "near")),
        Expr::InAudience(AudienceId::new("acme", "list")),
    ]);
    catalogue.audiences.push(audience("why".into(), Some(rule), true));
    let columns = sections.open().unwrap();
    let question = Question { catalogue: &catalogue, columns: &columns, now: Timestamp(NOW), zone: &TimeZone::UTC };
    let mut lines = Vec::new();
    let tree = question.audience(&AudienceId::new("acme", "why"), 0).unwrap();
    tell(&tree, 0, &mut lines);
    let expected = [
        "- in audience acme/why []",
        "  - age is known and not plan and in audience acme/near and in audience acme/list []",
        "    + age is known [age is 0]",
        "    + not plan []",
        "      - plan [plan is unknown]",
        "    - in audience acme/near []",
        "      - did call within 1 hour [call happened once: 2026-10-24T19:30:00Z]",
        "    + in audience acme/list [on the list until 2026-10-24T21:31:00Z]",
    ];
    assert_eq!(lines, expected);
    assert_eq!(question.audience(&AudienceId::new("acme", "nothing"), 0), None);
}

#[test]
fn an_explanation_tells_an_audience_once() {
    // Each refers to the one before twice: told in full, the last would be 2^60 parts.
    let (sections, mut catalogue) = (Sections::encode(&world(&[-7_200, -60, 0])).unwrap(), catalogue());
    let mut before = "near".to_owned();
    for level in 0..60 {
        let again = Expr::InAudience(AudienceId::new("acme", &before));
        before = format!("level{level:02}");
        let rule = Expr::Or(vec![Expr::Not(Box::new(again.clone())), again]);
        catalogue.audiences.push(audience(before.clone(), Some(rule), true));
    }
    catalogue.audiences.sort_by(|a, b| a.id.cmp(&b.id));
    let columns = sections.open().unwrap();
    let question = Question { catalogue: &catalogue, columns: &columns, now: Timestamp(NOW), zone: &TimeZone::UTC };
    let mut lines = Vec::new();
    tell(&question.audience(&AudienceId::new("acme", &before), 0).unwrap(), 0, &mut lines);
    assert_eq!(lines.len(), 4 * 60 + 2, "{lines:?}");
    assert_eq!(lines.last().map(|line| line.trim()), Some("+ in audience acme/level58 [its rule is told above]"));
}

fn tell(tree: &Tree, depth: usize, lines: &mut Vec<String>) {
    lines.push(format!("{}{} {} [{}]", "  ".repeat(depth), if tree.truth { "+" } else { "-" }, tree.text, tree.fact));
    tree.parts.iter().for_each(|part| tell(part, depth + 1, lines));
}

fn record(ago: i64, said: Said<'static>) -> Record<'static> {
    Record { id: ago as u128, time: NOW - ago, received: NOW, keys: Default::default(), said }
}

fn call(ago: i64) -> Record<'static> {
    record(ago, Said::Event { name: "call".into(), properties: vec![] })
}

fn is_trait(name: &str, test: Test) -> Expr {
    Expr::Trait(TraitTest { name: name.to_owned(), test })
}

fn older_than(age: f64) -> Expr {
    is_trait("age", Test::Compare(Compare::Gt, Literal::Number(age)))
}

/// A catalogue with one audience more, and somebody: the world's first profile, of whom doors took in some records.
struct Case {
    sections: Sections,
    catalogue: Catalogue,
    facts: Vec<Record<'static>>,
    declarations: Declarations,
}

impl Case {
    fn new(rule: Expr, facts: Vec<Record<'static>>) -> Self {
        let mut catalogue = catalogue();
        catalogue.audiences.push(audience("why".into(), Some(rule), true));
        let age = TraitDecl {
            name: "age".to_owned(),
            kind: TraitKind::Number,
            values: vec![],
            uses: vec![],
            sensitive: false,
            retention_days: None,
            legal_basis: None,
            sources: vec!["crm".to_owned()],
        };
        let list = ListSource { uses: vec![], list: Some("acme/list".to_owned()) };
        let list_sources = [("uploads".to_owned(), list)].into();
        let declarations = Declarations { traits: vec![age], events: vec![], list_sources };
        Case { sections: Sections::encode(&world(&[-7_200, -60, 0])).unwrap(), catalogue, facts, declarations }
    }

    fn ask<T>(&self, ask: impl FnOnce(Question<'_>, &AudienceId, &Subject<'_, 'static>) -> Option<T>) -> T {
        let columns = self.sections.open().unwrap();
        let question =
            Question { catalogue: &self.catalogue, columns: &columns, now: Timestamp(NOW), zone: &TimeZone::UTC };
        let declarations = Some(&self.declarations);
        let subject = Subject { facts: &self.facts, declarations, ..Subject::of(0) };
        ask(question, &AudienceId::new("acme", "why"), &subject).expect("the audience is there")
    }

    fn tree(&self) -> Tree {
        self.ask(|question, id, subject| question.about(id, subject))
    }

    fn changes(&self) -> Changes {
        self.ask(|question, id, subject| question.changes(id, subject))
    }

    /// What would change the answer, a sentence each.
    fn sentences(&self) -> Vec<String> {
        let Changes { by_itself, by_facts, .. } = self.changes();
        by_itself.into_iter().chain(by_facts).map(|change| change.sentence).collect()
    }
}

#[test]
fn facts_say_whether_they_are_live_and_which_sources_feed_them() {
    let likes = |tag: &'static str| ("likes".into(), Some(Value::Tags(vec![tag.into()])));
    let facts = vec![
        call(30),
        call(-90),
        record(20, Said::Traits(vec![("plan".into(), Some(Value::Text("gold".into()))), likes("chess")])),
        record(10, Said::Traits(vec![("born".into(), None), likes("boule")])),
        record(5, Said::Membership { list: "acme/list".into(), stay: Stay::Ends }),
    ];
    let known = |name: &str| is_trait(name, Test::IsKnown);
    let names = ["age", "plan", "likes", "born"].map(known);
    let rule = Expr::Or(names.into_iter().chain([did(When::Ever), in_list()]).collect());
    let case = Case::new(rule, facts);
    let mut lines = Vec::new();
    tell(&case.tree(), 0, &mut lines);
    let expected = [
        "    + age is known [age is 0 (snapshot: crm)]",
        "    + plan is known [plan is \"gold\" (live)]",
        "    + likes is known [likes is \"boule\", \"chess\" (live)]",
        "    - born is known [born is unknown (live)]",
        "    + did call [call happened 2 times: 2026-10-24T21:29:30Z (live), 2026-10-24T19:30:00Z]",
        "    - in audience acme/list [not on the list (live)]",
    ];
    assert_eq!(lines[2..], expected);
    let json = serde_json::to_value(&case.tree().parts[0].parts[4]).unwrap();
    let latest = serde_json::json!([
        { "at": "2026-10-24T21:29:30Z", "from": "live" },
        { "at": "2026-10-24T19:30:00Z", "from": "snapshot" }
    ]);
    let known = serde_json::json!({ "kind": "event", "name": "call", "count": 2, "latest": latest });
    let fact = "call happened 2 times: 2026-10-24T21:29:30Z (live), 2026-10-24T19:30:00Z";
    assert_eq!(json, serde_json::json!({ "rule": "did call", "holds": true, "fact": fact, "known": known }));
}

fn in_list() -> Expr {
    Expr::InAudience(AudienceId::new("acme", "list"))
}

#[test]
fn what_would_change_an_answer_is_said_in_sentences() {
    let recently = || did(When::Within(Span(3_600)));
    // Out: the call is two hours old; so a call, or nothing else.
    let out = Case::new(Expr::And(vec![Expr::Not(Box::new(older_than(30.0))), recently()]), vec![]);
    assert_eq!(out.sentences(), ["would be in if `did call within 1 hour` held"]);
    // In by a live call, until it is an hour old.
    let rule = Expr::And(vec![Expr::Not(Box::new(older_than(30.0))), recently()]);
    let inside = Case::new(rule, vec![call(45)]);
    let expected = [
        "leaves on 2026-10-24T22:30:00Z, when `did call within 1 hour` ends",
        "would leave if `age > 30` held",
        "would leave if `did call within 1 hour` no longer held",
    ];
    assert_eq!(inside.sentences(), expected);
    // A future that comes by itself.
    let soon = Case::new(Expr::And(vec![did(When::BeforeAgo(Span(10_800))), in_list()]), vec![]);
    assert_eq!(soon.sentences(), ["would be in if `did call before 3 hours ago` held"]);
    let longer = vec![record(0, Said::Membership { list: "acme/list".into(), stay: Stay::Minutes(90) })];
    let soon = Case::new(Expr::And(vec![did(When::BeforeAgo(Span(10_800))), in_list()]), longer);
    let expected = [
        "joins on 2026-10-24T22:30:00Z, when `did call before 3 hours ago` begins",
        "would be in if `did call before 3 hours ago` held",
    ];
    assert_eq!(soon.sentences(), expected);
    // Two things are missing: neither alone would do.
    let far = Case::new(Expr::And(vec![older_than(30.0), recently()]), vec![]);
    assert_eq!(far.changes(), Changes::default());
}

#[test]
fn a_huge_rule_is_looked_at_in_part() {
    let many = (0..5_000).map(|age| older_than(f64::from(age))).collect();
    let changes = Case::new(Expr::Or(many), vec![]).changes();
    assert!(changes.more);
    assert_eq!(changes.by_facts.len(), 5);
}

#[test]
fn audiences_that_refer_to_each_other_again_and_again_are_asked_once() {
    // Were a part asked anew by each that needs it, this would be 2^60 questions.
    let mut catalogue = catalogue();
    let mut before = "near".to_owned();
    for level in 0..60 {
        let again = || Box::new(Expr::InAudience(AudienceId::new("acme", &before)));
        let one = Expr::And(vec![*again(), older_than(f64::from(-level - 1))]);
        let other = Expr::And(vec![*again(), older_than(f64::from(level))]);
        let rule = Expr::Or(vec![other, Expr::Not(Box::new(one))]);
        before = format!("level{level:02}");
        catalogue.audiences.push(audience(before.clone(), Some(rule), true));
    }
    catalogue.audiences.sort_by(|a, b| a.id.cmp(&b.id));
    let sections = Sections::encode(&world(&[-7_200, -60, 0])).unwrap();
    let columns = sections.open().unwrap();
    let plan = Plan::compile(&catalogue, &columns, Timestamp(NOW), &TimeZone::UTC);
    let live = LivePlan::compile(&catalogue, &columns, &TimeZone::UTC, |_| false);
    let mut scratch = Scratch::default();
    plan.block(0, &mut scratch);
    for ordinal in 0..3u32 {
        let person = Person { columns: &columns, ordinal: Some(ordinal), seed: 0, facts: &[] };
        for rule in 0..plan.len() {
            let expected = scratch.bitmap(&plan, rule)[0] >> ordinal & 1 == 1;
            assert_eq!(plan.profile(ordinal, rule), expected);
            assert_eq!(live.holds(&person, rule as u32, Timestamp(NOW)), expected);
        }
    }
}
