import { describe, expect, test } from "vitest";
import en from "./en";
import it from "./it";

type Words = { [key: string]: string | Words };

/** Every path to a text, with the names that are put into it. */
function paths(words: Words, at = ""): string[] {
  return Object.entries(words).flatMap(([key, value]) => {
    const path = `${at}/${key}`;
    if (typeof value !== "string") return paths(value, path);
    const names = [...value.matchAll(/{{\s*(\w+)/g)].map((found) => found[1]).toSorted();
    return [`${path} (${names.join(", ")})`];
  });
}

describe("languages", () => {
  // Italian needs `_many` where English does not: for millions.
  const plain = (all: string[]) => all.filter((path) => !/_many \(/.test(path)).toSorted();

  test("say the same things with the same names in them", () => {
    expect(plain(paths(it as Words))).toEqual(plain(paths(en as Words)));
  });

  test("leave nothing empty", () => {
    const empty = (words: Words): boolean =>
      Object.values(words).some((text) => (typeof text === "string" ? text.trim() === "" : empty(text)));
    expect(empty(en as Words)).toBe(false);
    expect(empty(it as Words)).toBe(false);
  });
});
