import { expect, test } from "vitest";
import { rowsOf } from "./funnel";

test("each step tells what it left of everybody and of those before; what is not told has no share", () => {
  const rows = rowsOf({
    steps: [
      { step: "everybody", left: { count: 1000 }, lost: { count: 0 } },
      { step: "in_target", left: { count: 200 }, lost: { count: 800 } },
      { step: "not_excluded", left: { below_floor: true }, lost: { count: 195, about: true } },
      { step: "permitted", left: { count: 0 }, lost: null },
      { step: "of tomorrow", left: { count: 0 } },
    ],
  });
  expect(rows).toEqual([
    { step: "everybody", left: { count: 1000 }, lost: undefined, ofAll: 1, ofBefore: undefined },
    { step: "in_target", left: { count: 200 }, lost: { count: 800 }, ofAll: 0.2, ofBefore: 0.2 },
    {
      step: "not_excluded",
      left: { below_floor: true },
      lost: { count: 195, about: true },
      ofAll: undefined,
      ofBefore: undefined,
    },
    { step: "permitted", left: { count: 0 }, lost: { below_floor: true }, ofAll: 0, ofBefore: undefined },
  ]);
});
