import { describe, expect, test } from "vitest";
import { byMoved, chosen, differs, madeBy, movedShare } from "./comparing";

describe("audiences compared", () => {
  test("are sorted by the share that moved, then by how many; what is not told is last", () => {
    const told = byMoved([
      { id: "a/still", before: 10, after: 10, joins: 0, leaves: 0 },
      { id: "b/theirs" },
      { id: "a/half", before: 10, after: 10, joins: 2, leaves: 3 },
      { id: "a/large", before: 1_000, after: 1_000, joins: 300, leaves: 200 },
      { id: "a/new", after: 4, joins: 4, leaves: 0, definition: "added" },
    ]);
    expect(told.map((one) => one.id)).toEqual(["a/new", "a/large", "a/half", "a/still", "b/theirs"]);
  });

  test("move by all of it where everybody is another, and never by more", () => {
    expect(movedShare({ id: "a/x", before: 5, after: 5, joins: 5, leaves: 5 })).toBe(1);
    expect(movedShare({ id: "a/x", before: 0, after: 0, joins: 0, leaves: 0 })).toBe(0);
    expect(movedShare({ id: "a/x", before: 5, after: 5 })).toBeUndefined();
  });

  test("differ by members or by definition", () => {
    expect(differs({ id: "a/x", before: 5, after: 5, joins: 0, leaves: 0 })).toBe(false);
    expect(differs({ id: "a/x", before: 5, after: 5, joins: 0, leaves: 0, definition: "changed" })).toBe(true);
    expect(differs({ id: "a/x", before: 5, after: 5, joins: 1, leaves: 1 })).toBe(true);
  });
});

describe("which two are compared", () => {
  const nothing = { before: null, after: null };

  test("is what the address says, where there is such", () => {
    expect(chosen([5, 4, 3], 5, { before: "3", after: "4" })).toEqual({ before: 3, after: 4 });
    expect(chosen([5, 4, 3], 5, { before: "1", after: "x" })).toEqual({ before: 4, after: 5 });
  });

  test("is the one in service and the one before it; after the first one, the next", () => {
    expect(chosen([5, 4, 3], 4, nothing)).toEqual({ before: 3, after: 4 });
    expect(chosen([5, 4, 3], 3, nothing)).toEqual({ before: 4, after: 3 });
  });

  test("is nothing where there are no two", () => {
    expect(chosen([5], 5, nothing)).toBeUndefined();
    expect(chosen([], null, nothing)).toBeUndefined();
  });
});

test("a generation is made of the sources, of the rules alone, or of what was published", () => {
  expect(madeBy({ generation: 3, index_of: 3, fresh: false })).toBe("full");
  expect(madeBy({ generation: 4, index_of: 3, fresh: false })).toBe("activate");
  expect(madeBy({ generation: 5, index_of: 3, fresh: true })).toBe("fresh");
});
