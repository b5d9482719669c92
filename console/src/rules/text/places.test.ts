import { expect, test } from "vitest";
import { offsetOf, placesIn } from "./places";

const nothing = { rule: null, tree: null, errors: [], warnings: [] };

test("characters are counted as somebody sees them", () => {
  expect(offsetOf("ab\ncd", 2, 2)).toBe(4);
  expect(offsetOf('name = "😀" and x', 1, 16)).toBe(16);
  expect(offsetOf("a", 9, 9)).toBe(1);
});

test("a fault is underlined where it is, with what would mend it", () => {
  const text = "age > 3\n and regin = x";
  const errors = [{ detail: "no such trait", help: "did you mean `region`?", line: 2, column: 6 }];
  const [place] = placesIn(text, { ...nothing, errors });
  expect(text.slice(place?.from, place?.to)).toBe("regin");
  expect(place?.instead).toBe("region");
});

test("a known length is believed, quotes are a word, and the end has something to underline", () => {
  const text = 'a = "two words" and';
  const at = (column: number, length?: number) => {
    const [place] = placesIn(text, {
      ...nothing,
      errors: [{ detail: "x", line: 1, column, ...(length && { length }) }],
    });
    return text.slice(place?.from, place?.to);
  };
  expect(at(5)).toBe('"two words"');
  expect(at(1, 3)).toBe("a =");
  expect(at(20)).toBe("d");
});
