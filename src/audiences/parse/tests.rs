//! Tests of `parse`.

use super::*;
use crate::audiences::print;
use crate::audiences::rule::*;
use crate::schema::Span;
use proptest::prelude::*;

fn tree(text: &str) -> Expr {
    parse(text, "acme").unwrap_or_else(|errors| panic!("{text}: {errors:#?}")).expr
}

/// The errors of a text as `start..end code: message | help | help`.
fn errors(text: &str) -> Vec<String> {
    let Err(errors) = parse(text, "acme") else { panic!("no error in: {text}") };
    let line = |e: &Diagnostic| {
        let help: String = e.help.iter().map(|help| format!(" | {help}")).collect();
        format!("`{}` {}: {}{help}", &text[e.span.clone()], e.code, e.message)
    };
    errors.iter().map(line).collect()
}

#[test]
fn every_form_reads_and_prints() {
    // Each line is in its printed form: reading and printing gives the line back.
    let forms = include_str!("forms.txt").lines().filter(|line| !line.is_empty() && !line.starts_with("#="));
    for form in forms {
        assert_eq!(print(&tree(form)), form);
    }
}

#[test]
fn other_spellings_read_as_the_printed_form() {
    for (text, printed) in [
        ("AGE >= 18 AND Region = Lazio", "AGE >= 18 and Region = Lazio"),
        ("did buy at least once", "did buy"),
        ("did buy at least 1 time", "did buy"),
        ("did buy exactly twice", "did buy twice"),
        ("did buy within 7d", "did buy within 7 days"),
        ("did buy within 1 week", "did buy within 7 days"),
        ("did buy within 48 h at least 3 times", "did buy at least 3 times within 2 days"),
        ("did buy between 2 and 7 days ago", "did buy between 2 days and 7 days ago"),
        ("did buy between 2h and 7d ago", "did buy between 2 hours and 7 days ago"),
        ("plan has any (gold)", "plan has gold"),
        ("name matches \"a*\"", "name matches any of (\"a*\")"),
        ("in sample 10.50 % of holdout", "in sample 10.5% of \"holdout\""),
        ("in audience haters", "in audience acme/haters"),
        ("((age = 5))", "age = 5"),
        ("age = 5 # years\n and # still\n vip", "age = 5 and vip"),
        ("did buy where cheap between 2 and 3 times", "did buy where cheap between 2 and 3 times"),
        ("did buy where cheap between 2 days and 3 days ago", "did buy where cheap between 2 days and 3 days ago"),
        ("did buy where price between 2 and 3 and vip", "did buy where price between 2 and 3 and vip"),
        ("(did buy where price > 2) and vip", "(did buy where price > 2) and vip"),
    ] {
        assert_eq!(print(&tree(text)), printed, "{text}");
        assert_eq!(tree(printed), tree(text), "{text}");
    }
}

#[test]
fn and_continues_a_where_until_something_else_follows() {
    let Expr::And(parts) = tree("did buy where price > 2 and new and not vip") else { panic!() };
    let Expr::Event(event) = &parts[0] else { panic!() };
    assert_eq!(event.filter.len(), 2);
    let Expr::And(parts) = tree("did buy where price > 2 within 3 days and vip") else { panic!() };
    assert_eq!(parts.len(), 2);
}

#[test]
fn mixing_and_with_or_shows_both_readings() {
    assert_eq!(
        errors("vip and age > 5 or region in (Lazio,  Puglia) and not did buy"),
        ["`or` mixed-and-or: `and` and `or` are mixed without parentheses: it can be read in two ways \
          | either: (vip and age > 5) or (region in (Lazio, Puglia) and not did buy) \
          | or:     vip and (age > 5 or region in (Lazio, Puglia)) and not did buy"]
    );
    for reading in ["(a and b) or (c and d)", "a and (b or c) and d"] {
        assert_eq!(print(&tree(reading)), reading);
    }
}

#[test]
fn errors_say_where_what_and_what_to_do() {
    for (text, expected) in [
        ("", "`` empty-rule: the rule is empty | write a condition such as `age >= 18`, or `everyone`"),
        (
            "age betwen 25 and 44",
            "`betwen` expected: expected a test of `age` (`=`, `between`, `in`, `is known` ...), `and` or `or`, found `betwen` | did you mean `between`?",
        ),
        (
            "dit buy",
            "`buy` expected: expected a test of `dit` (`=`, `between`, `in`, `is known` ...), `and` or `or`, found `buy` | did you mean `did`?",
        ),
        ("age == 5", "`==` unknown-character: `==` means nothing here | write `=`"),
        (
            "age = ",
            "`` expected: expected a value, found the end of the rule | a number, a word, a \"text\", a date, true or false",
        ),
        ("age > 5 and", "`` expected: expected a condition, found the end of the rule"),
        ("(age > 5", "`(` unclosed: this parenthesis is never closed | add `)`"),
        ("age > 5)", "`)` unexpected: `)` has nothing to close here | remove it, or open a parenthesis before"),
        (
            "did buy within 7 dayz",
            "`dayz` expected: expected `minutes`, `hours`, `days` or `weeks`, found `dayz` | did you mean `days`?",
        ),
        (
            "did buy within 1 month",
            "`month` expected: expected `minutes`, `hours`, `days` or `weeks`, found `month` | a month is `30 days`",
        ),
        ("did buy within 90 s", "`90 s` bad-duration: a length of time is one or more whole minutes"),
        (
            "did buy on 2026-02-30",
            "`2026-02-30` bad-date: there is no day `2026-02-30` | dates are written YEAR-MONTH-DAY, such as 2026-11-30",
        ),
        ("name = \"Ann", "`\"Ann` unfinished-text: this text is not finished | end it with `\"`"),
        (
            "never did buy twice",
            "`twice` never-counted: `never` takes no count | write `did` to count, or leave the count out",
        ),
        ("at least 3 of (vip, new)", "`3` bad-count: at least 3 of 2 conditions never hold | use 1 to 2"),
        (
            "in sample 110% of \"x\"",
            "`110` bad-share: a share lies between 0.0001% and 100%, with at most four decimals",
        ),
        (
            "region not in (a)",
            "`not` expected: expected a test of `region` (`=`, `between`, `in`, `is known` ...), `and` or `or`, found `not` | `not` stands in front: `not region in (...)`; it also holds where `region` is unknown",
        ),
        ("age > 5 vip", "`vip` expected-and-or: expected `and` or `or`, found `vip`"),
    ] {
        assert_eq!(errors(text), [expected], "{text}");
    }
}

#[test]
fn one_reading_finds_several_errors() {
    let found = errors("age >< 5 and (region in () and did buy within 7) and never buy");
    assert_eq!(found.len(), 4, "{found:#?}");
}

#[test]
fn limits_hold_without_panic() {
    let first = |text: &str| parse(text, "o").map(|_| ()).map_err(|errors| errors[0].code);
    assert_eq!(first(&"(".repeat(60_000)), Err("too-deep"));
    assert_eq!(first(&"not ".repeat(16_000)), Err("too-deep"));
    assert_eq!(first(&format!("{}a{}", "(".repeat(60), ")".repeat(60))), Ok(()));
    assert_eq!(first(&"a or ".repeat(13_000)), Err("too-many-conditions"));
    assert_eq!(first(&format!("a in ({}1)", "1,".repeat(MAX_LIST))), Err("too-many-values"));
    assert_eq!(first(&"a".repeat(MAX_BYTES + 1)), Err("too-long"));
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z][a-z_.]{0,8}", 1 => "[a-zA-Z0-9àß][a-zA-Z0-9_.-]{0,6}", 1 => Just("within".to_owned()), 1 => Just("2026-11-01".to_owned()), 1 => Just("7d".to_owned())]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![2 => name(), 1 => any::<String>(), 1 => Just("true".to_owned()), 1 => Just("or".to_owned())]
}

fn date() -> impl Strategy<Value = Date> {
    (-10_000i32..60_000).prop_map(Date)
}

fn span() -> impl Strategy<Value = Span> {
    (1i64..500_000).prop_map(|minutes| Span(minutes * 60))
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<bool>().prop_map(Literal::Flag),
        prop_oneof![(-1000i32..1000).prop_map(f64::from), -1e12..1e12, Just(1e300), Just(5e-324)]
            .prop_map(Literal::Number),
        text().prop_map(Literal::Text),
        date().prop_map(Literal::Date),
    ]
}

fn compare() -> impl Strategy<Value = Compare> {
    prop::sample::select(vec![Compare::Eq, Compare::Ne, Compare::Lt, Compare::Le, Compare::Gt, Compare::Ge])
}

fn test(dates: bool) -> impl Strategy<Value = Test> {
    let between = (literal(), literal())
        .prop_filter("a window in a where", move |(low, _)| dates || !matches!(low, Literal::Date(_)));
    let common = prop_oneof![
        Just(Test::IsTrue),
        Just(Test::IsKnown),
        (compare(), literal()).prop_map(|(c, l)| Test::Compare(c, l)),
        between.prop_map(|(a, b)| Test::Between(a, b)),
        prop::collection::vec(literal(), 1..4).prop_map(Test::In),
        prop::collection::vec(text(), 1..4).prop_map(Test::HasAny),
        prop::collection::vec(text(), 1..4).prop_map(Test::HasAll),
        text().prop_map(Test::Contains),
        text().prop_map(Test::StartsWith),
        prop::collection::vec(text(), 1..4).prop_map(Test::MatchesAny),
    ];
    if !dates {
        return common.boxed();
    }
    let of_dates =
        prop_oneof![span().prop_map(Test::Within), span().prop_map(Test::BeforeAgo), date().prop_map(Test::Since)];
    prop_oneof![3 => common, 1 => of_dates].boxed()
}

fn count() -> impl Strategy<Value = Count> {
    let n = || 1u32..50;
    let aggregate = prop::sample::select(vec![Aggregate::Sum, Aggregate::Avg, Aggregate::Min, Aggregate::Max]);
    prop_oneof![
        Just(Count::Never),
        n().prop_map(Count::AtLeast),
        n().prop_map(Count::AtMost),
        n().prop_map(Count::Exactly),
        (0u32..50, n()).prop_map(|(low, more)| Count::Between(low, low + more)),
        n().prop_map(Count::Days),
        (aggregate, name(), compare(), -1e6..1e6).prop_map(|(a, p, c, v)| Count::Aggregate(a, p, c, v)),
        (n(), name()).prop_map(|(n, p)| Count::Distinct(n, p)),
    ]
}

fn window() -> impl Strategy<Value = When> {
    prop_oneof![
        Just(When::Ever),
        Just(When::Today),
        span().prop_map(When::Within),
        span().prop_map(When::BeforeAgo),
        (span(), span()).prop_map(|(near, more)| When::BetweenAgo(near, Span(near.0 + more.0))),
        date().prop_map(When::Since),
        (date(), 0..900i32).prop_map(|(from, days)| When::BetweenDates(from, Date(from.0 + days))),
    ]
}

fn event() -> impl Strategy<Value = EventTest> {
    let pick = prop::sample::select(vec![Pick::All, Pick::First, Pick::Last]);
    let filter = prop::collection::vec((name(), test(false)), 0..3);
    (name(), filter, pick, count(), window()).prop_map(|(name, filter, pick, count, when)| {
        let pick = if count == Count::Never { Pick::All } else { pick };
        EventTest { name, filter, pick, count, when }
    })
}

/// Rules of every form.
pub(in crate::audiences) fn expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        1 => Just(Expr::Everyone),
        1 => (name(), name()).prop_map(|(owner, id)| Expr::InAudience(AudienceId::new(&owner, &id))),
        1 => (1u32..=1_000_000, text()).prop_map(|(share, name)| Expr::Sample(share, name)),
        4 => (name(), test(true)).prop_map(|(name, test)| Expr::Trait(TraitTest { name, test })),
        4 => event().prop_map(Expr::Event),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..5).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 2..5).prop_map(Expr::Or),
            inner.clone().prop_map(|e| Expr::Not(Box::new(e))),
            prop::collection::vec(inner, 1..5).prop_map(|parts| Expr::AtLeast(parts.len() as u32, parts)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_printed_reads_back(tree in expr()) {
        let text = print(&tree);
        match parse(&text, "acme") {
            Ok(parsed) => {
                prop_assert_eq!(&parsed.expr, &tree, "{}", text);
                prop_assert_eq!(print(&parsed.expr), text);
            }
            Err(errors) => prop_assert!(false, "{text}\n{errors:#?}"),
        }
    }

    #[test]
    fn garbage_is_refused_in_words(text in any::<String>()) {
        if let Err(errors) = parse(&text, "acme") {
            prop_assert!(!errors.is_empty());
            for error in errors {
                prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error.span);
            }
        }
    }

    #[test]
    fn word_salad_is_refused_in_words(words in prop::collection::vec(prop::sample::select(SALAD.to_vec()), 0..30)) {
        let text = words.join(" ");
        match parse(&text, "acme") {
            Ok(parsed) => prop_assert_eq!(parse(&print(&parsed.expr), "acme").unwrap().expr, parsed.expr),
            Err(errors) => prop_assert!(!errors.is_empty()),
        }
    }
}

const SALAD: [&str; 48] = [
    "and",
    "or",
    "not",
    "(",
    ")",
    ",",
    "age",
    "buy",
    "did",
    "never",
    "first",
    "last",
    "where",
    "within",
    "7",
    "days",
    "ago",
    "between",
    "2",
    "2026-11-01",
    "at",
    "least",
    "most",
    "exactly",
    "times",
    "once",
    "of",
    "in",
    "audience",
    "sample",
    "10",
    "%",
    "\"x\"",
    "=",
    "!=",
    "<",
    "is",
    "known",
    "has",
    "any",
    "all",
    "with",
    "sum",
    "different",
    "on",
    "today",
    "since",
    "everyone",
];
