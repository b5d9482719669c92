import { expect, test } from "vitest";
import { sinceOf } from "./since";

test("a span is an instant before now, and anything else is none", () => {
  const now = Date.UTC(2026, 10, 22, 12);
  expect(sinceOf("1d", now)).toBe("2026-11-21T12:00:00.000Z");
  expect(sinceOf("30d", now)).toBe("2026-10-23T12:00:00.000Z");
  for (const none of [null, "", "2d", "ever", "-1d"]) expect(sinceOf(none, now)).toBeUndefined();
});
