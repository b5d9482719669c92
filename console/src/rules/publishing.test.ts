import { describe, expect, test } from "vitest";
import { namesIn, stageOf, type Changed } from "./publishing";

const changed: Changed = {
  dry_run: false,
  items: [],
  unchanged: [],
  warnings: [],
  affected: { audiences: [], campaigns: [] },
  definitions: "ours",
  time: "2026-11-01T10:00:00Z",
};

describe("how far a change is", () => {
  test("is what is told of its own definitions", () => {
    expect(stageOf(changed, { state: "building", definitions: "ours", message: "" })).toBe("building");
  });

  test("is not what is still told of those before", () => {
    const before = {
      state: "in_service",
      definitions: "before",
      requested: "2026-11-01T09:00:00Z",
      message: "",
    } as const;
    expect(stageOf(changed, before)).toBe("waiting");
    expect(stageOf(changed, { state: "in_service", definitions: "before", message: "" })).toBe("waiting");
  });

  test("is that of a later change, which has this one, too", () => {
    const later = {
      state: "in_service",
      definitions: "later",
      requested: "2026-11-01T10:00:09Z",
      message: "",
    } as const;
    expect(stageOf(changed, later)).toBe("in_service");
  });
});

test("a key that is not told the definitions follows by the time", () => {
  const { definitions: _, ...owners } = changed;
  const of = (requested: string) => ({ state: "in_service", definitions: "all", requested, message: "" }) as const;
  expect(stageOf(owners, of("2026-11-01T09:59:59Z"))).toBe("waiting");
  expect(stageOf(owners, of("2026-11-01T10:00:00Z"))).toBe("in_service");
});

test("names are what stands between backticks", () => {
  expect(namesIn("the campaign `a/b` excludes `a/c` no more")).toEqual(["a/b", "a/c"]);
});
