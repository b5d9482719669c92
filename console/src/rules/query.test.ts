import { describe, expect, test } from "vitest";
import { keepNames, newGroup, newLeaf, queryOf, treeOf, type Node } from "./query";
import type { Tree } from "./tree";

const vip: Tree = { is: "trait", name: "vip", test: { op: "is_true" } };
const age: Tree = { is: "trait", name: "age", test: { op: "between", from: 25, to: 44 } };
const haters: Tree = { is: "audience", id: "acme/haters" };
const bought: Tree = {
  is: "event",
  name: "purchase",
  where: [
    { name: "category", test: { op: "=", value: "phone" } },
    { name: "price", test: { op: ">", value: 100.5 } },
    { name: "new", test: { op: "is_true" } },
  ],
  pick: "all",
  count: { op: "between", from: 0, to: 3 },
  when: { op: "between_ago", from: "12 hours", to: "7 days" },
};
const event = (rest: Partial<Extract<Tree, { is: "event" }>>): Tree => ({
  is: "event",
  name: "buy",
  where: [],
  pick: "all",
  count: { op: "at_least", n: 1 },
  when: { op: "ever" },
  ...rest,
});

const trees: Tree[] = [
  { is: "everyone" },
  { is: "not", of: { is: "everyone" } },
  vip,
  { is: "not", of: vip },
  { is: "not", of: { is: "not", of: vip } },
  { is: "not", of: { is: "not", of: { is: "not", of: { is: "any", of: [vip, age] } } } },
  { is: "all", of: [vip, age, bought] },
  { is: "any", of: [vip, { is: "all", of: [age, haters] }] },
  { is: "all", of: [{ is: "all", of: [vip, age] }, bought] },
  { is: "not", of: { is: "any", of: [vip, { is: "not", of: { is: "all", of: [age, haters] } }] } },
  { is: "at_least", n: 2, of: [vip, age, bought] },
  { is: "at_least", n: 1, of: [{ is: "all", of: [vip, age] }] },
  { is: "not", of: { is: "at_least", n: 1, of: [vip] } },
  { is: "sample", percent: 0.0001, name: "holdout 2026" },
  { is: "trait", name: "region", test: { op: "in", values: ["Lombardia", "Valle d'Aosta"] } },
  {
    is: "trait",
    name: "contract_end",
    test: { op: "between", from: { date: "2026-11-01" }, to: { date: "2026-12-31" } },
  },
  { is: "trait", name: "vip", test: { op: "=", value: false } },
  { is: "trait", name: "model", test: { op: "matches_any", values: ["iphone 1*", "*pro"] } },
  { is: "trait", name: "birthday", test: { op: "within", span: "30 days" } },
  event({ count: { op: "never" }, when: { op: "within", span: "90 minutes" } }),
  event({ pick: "first", when: { op: "since", date: "2026-11-01" } }),
  event({ pick: "last", when: { op: "before_ago", span: "30 days" } }),
  event({ count: { op: "days", n: 3 }, when: { op: "today" } }),
  event({ count: { op: "sum", property: "price", compare: ">=", value: 100 } }),
  event({ count: { op: "distinct", property: "category", n: 3 } }),
  event({ when: { op: "between_dates", from: "2026-11-01", to: "2026-11-30" } }),
];

describe("a tree as rows", () => {
  test.each(trees.map((tree) => [JSON.stringify(tree), tree] as const))("comes back as itself: %s", (_, tree) => {
    expect(treeOf(queryOf(tree))).toEqual({ tree, unfinished: 0 });
  });

  test("has every row's own name", () => {
    const names: string[] = [];
    const gather = (node: Node): void => {
      names.push(node.id);
      if ("rules" in node) node.rules.forEach(gather);
    };
    trees.forEach((tree) => gather(queryOf(tree)));
    expect(new Set(names).size).toBe(names.length);
  });

  test("keeps the names of what stays where it was", () => {
    const before = queryOf({ is: "all", of: [vip, { is: "any", of: [age, haters] }] });
    const after = keepNames(queryOf({ is: "all", of: [haters, { is: "any", of: [age, vip] }, bought] }), before);
    expect(after.id).toBe(before.id);
    expect(after.rules[0]?.id).toBe(before.rules[0]?.id);
    expect(after.rules[1]?.id).toBe(before.rules[1]?.id);
    expect(treeOf(after).tree).toEqual({ is: "all", of: [haters, { is: "any", of: [age, vip] }, bought] });
  });
});

describe("rows that are being filled in", () => {
  test("do not count until they are finished", () => {
    const query = newGroup("all", [
      newLeaf(),
      newLeaf({ is: "audience", id: "" }),
      newLeaf({ is: "audience", id: "a/b" }),
    ]);
    expect(treeOf(query)).toEqual({ tree: { is: "audience", id: "a/b" }, unfinished: 2 });
  });

  test("that are all unfinished say nothing", () => {
    expect(treeOf(newGroup("at_least", [newLeaf()], true, 2))).toEqual({ tree: null, unfinished: 1 });
    expect(treeOf(queryOf(null))).toEqual({ tree: null, unfinished: 0 });
  });

  test("leave out an unfinished condition of an event, not the event", () => {
    const where = [
      { name: "category", test: { op: "=" as const, value: "" } },
      { name: "price", test: { op: ">" as const, value: 3 } },
    ];
    const written = treeOf(newGroup("all", [newLeaf(event({ where }) as Extract<Tree, { is: "event" }>)]));
    expect(written).toEqual({ tree: event({ where: where.slice(1) }), unfinished: 1 });
  });

  test.each<[string, Tree]>([
    ["no number", { is: "trait", name: "age", test: { op: ">", value: Number.NaN } }],
    ["no value", { is: "trait", name: "region", test: { op: "in", values: [] } }],
    ["no span", { is: "trait", name: "birthday", test: { op: "within", span: "NaN days" } }],
    ["no property", event({ count: { op: "sum", property: "", compare: ">", value: 1 } })],
    ["half a window", event({ when: { op: "between_ago", from: "1 day", to: "" } })],
    ["no sample", { is: "sample", percent: 0, name: "x" }],
  ])("with %s do not count", (_, tree) => {
    expect(treeOf(queryOf(tree))).toEqual({ tree: null, unfinished: 1 });
  });
});
