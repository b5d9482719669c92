import { describe, expect, test } from "vitest";
import { newAudience, pairsOf, ruleOf, shareOf, together, waysOf, type OverlapAnswer } from "./regions";

const answer: OverlapAnswer = {
  sets: [
    { label: "o/a", count: 10, share: 0.1 },
    { label: "o/b", count: 40, share: 0.4 },
    { label: "o/c", below_floor: true, share: null },
  ],
  pairs: [
    [{ count: 10 }, { count: 4 }, { count: 0 }],
    [{ count: 4 }, { count: 40 }, { below_floor: true }],
    [{ count: 0 }, { below_floor: true }, { below_floor: true }],
  ],
  exclusive: [
    { sets: [1], count: 36 },
    { sets: [0], count: 6 },
    { sets: [0, 1], count: 4, about: true },
  ],
  generation: 1,
  as_of: "2026-11-01T09:00:00Z",
  profiles: 100,
  took_ms: 1,
};

describe("rules of regions", () => {
  test("an exclusive intersection names what it leaves out", () => {
    expect(ruleOf({ ids: ["o/a", "o/b"], of: "all", but: ["o/c"] })).toBe(
      "in audience o/a and in audience o/b and not in audience o/c",
    );
  });

  test("a union with something taken away has its parentheses, alone it has none", () => {
    expect(ruleOf({ ids: ["o/a", "o/b"], of: "any", but: ["o/c"] })).toBe(
      "(in audience o/a or in audience o/b) and not in audience o/c",
    );
    expect(ruleOf({ ids: ["o/a", "o/b"], of: "any", but: [] })).toBe("in audience o/a or in audience o/b");
  });

  test("two of three can be meant in five ways, one of two in two", () => {
    const ways = waysOf(["o/a", "o/b"], ["o/a", "o/b", "o/c"]);
    expect(ways.map((way) => [way.id, ruleOf(way.region)])).toEqual([
      ["exactly", "in audience o/a and in audience o/b and not in audience o/c"],
      ["all", "in audience o/a and in audience o/b"],
      ["first", "in audience o/a and not in audience o/b"],
      ["second", "in audience o/b and not in audience o/a"],
      ["any", "in audience o/a or in audience o/b"],
    ]);
    expect(waysOf(["o/a"], ["o/a", "o/b"]).map((way) => way.id)).toEqual(["exactly", "all"]);
  });

  test("the new audience belongs to the owner of all of them, or it is asked for", () => {
    const url = new URL(newAudience({ ids: ["o/a"], of: "all", but: ["o/b"] }), "http://x");
    expect(url.searchParams.get("owner")).toBe("o");
    expect(url.searchParams.get("rule")).toBe("in audience o/a and not in audience o/b");
    expect(newAudience({ ids: ["o/a"], of: "all", but: ["p/b"] })).not.toContain("owner=");
  });
});

describe("figures of an overlap", () => {
  test("the pair that shares most comes first; what is not told has no share", () => {
    const pairs = pairsOf(answer);
    expect(pairs.map(({ a, b, ofA, ofB }) => [a, b, ofA, ofB])).toEqual([
      [0, 1, 0.4, 0.1],
      [0, 2, 0, undefined],
      [1, 2, undefined, undefined],
    ]);
    expect(shareOf({ count: 3 }, { count: 0 })).toBeUndefined();
  });

  test("all together are the sum of the parts, and an estimate if one is", () => {
    expect(together(answer)).toEqual({ count: 46, about: true });
    expect(together({ ...answer, exclusive: [{ sets: [0], below_floor: true }] })).toEqual({ below_floor: true });
  });
});
