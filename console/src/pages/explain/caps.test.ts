import { expect, test } from "vitest";
import { spanOf, used } from "./caps";

const AT = "2026-11-22T12:00:00Z";
const SHOWN = ["2026-11-20T12:00:00Z", "2026-11-21T13:00:00Z", "2026-11-22T11:59:00Z"];

test("a cap counts what was shown within its time", () => {
  expect(used({ impressions: 3, per: "1 day" }, SHOWN, AT)).toEqual({ seen: 2, left: 1 });
  expect(used({ impressions: 1, per: "1 day" }, SHOWN, AT)).toEqual({ seen: 2, left: 0 });
  expect(used({ impressions: 3, per: "10 minutes" }, SHOWN, AT)).toEqual({ seen: 1, left: 2 });
  expect(used({ impressions: 10, per: null }, SHOWN, AT)).toEqual({ seen: 3, left: 7 });
});

test("times are read as the planner writes them", () => {
  expect(spanOf("36 hours")).toEqual({ count: 36, unit: "hour" });
  expect(spanOf(null)).toBeUndefined();
  expect(spanOf("a while")).toBeUndefined();
});
