import { describe, expect, test } from "vitest";
import type { Definition } from "./asking";
import { choicesOf, filtersOf, fits, isFiltered, queryOf, sorted } from "./filters";

const of = (id: string, more: Partial<Definition> = {}): Definition => ({ kind: "audience", id, ...more });

describe("filters", () => {
  test("go into the URL and come back", () => {
    const filters = filtersOf(new URLSearchParams("q=phone&owner=acme&kind=suppress&state=draft&sort=size"));
    expect(filters).toEqual({
      text: "phone",
      owner: "acme",
      folder: "",
      tag: "",
      kind: "suppress",
      state: "draft",
      sort: "size",
    });
    expect(filtersOf(queryOf(filters))).toEqual(filters);
  });

  test("take nothing that they do not know", () => {
    const filters = filtersOf(new URLSearchParams("kind=nonsense&state=x&sort=y"));
    expect(filters).toMatchObject({ kind: "", state: "", sort: "name" });
    expect(queryOf(filters).toString()).toBe("");
    expect(isFiltered(filters)).toBe(false);
  });

  test("tell kinds apart, which the server does not", () => {
    const filters = filtersOf(new URLSearchParams("kind=target"));
    expect(fits(of("a/b", { sort: "target" }), filters)).toBe(true);
    expect(fits(of("a/b", { sort: "suppress" }), filters)).toBe(false);
  });
});

describe("sorting", () => {
  const all = [
    of("a/old", { name: "Zeta", time: "2026-01-01T00:00:00Z" }),
    of("a/file", { name: "alpha" }),
    of("a/new", { name: "Beta", time: "2026-02-01T00:00:00Z" }),
    of("a/file-too", { name: "Gamma" }),
  ];
  const counts: Record<string, number | null> = { "a/old": 5, "a/file": 50, "a/new": null };
  const by = (sort: "name" | "size" | "change") =>
    sorted(all, sort, (id) => ({ count: counts[id] ?? null }), "en").map((one) => one.id);

  test("is by name whatever its case", () => {
    expect(by("name")).toEqual(["a/file", "a/new", "a/file-too", "a/old"]);
  });
  test("has what is not told last", () => {
    expect(by("size")).toEqual(["a/file", "a/old", "a/new", "a/file-too"]);
    expect(by("change")).toEqual(["a/new", "a/old", "a/file", "a/file-too"]);
  });
});

test("choices are those that there are, once each", () => {
  const all = [of("b/x", { folder: "home", tags: ["q4", "new"] }), of("a/y", { tags: ["q4"] }), of("b/z")];
  expect(choicesOf(all)).toEqual({ owners: ["a", "b"], folders: ["home"], tags: ["new", "q4"] });
});
