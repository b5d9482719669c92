import { describe, expect, test } from "vitest";
import type { Schemas } from "../../api/client";
import {
  frozenAt,
  matchedShare,
  matchesBySource,
  perSecond,
  rate,
  startOfDay,
  verdictsByReason,
  verdictTotals,
} from "./figures";

type Statistics = Schemas["Statistics"];

function statistics(over: Partial<Statistics>): Statistics {
  return {
    what: "lookups",
    from: "2026-11-22T10:00:00Z",
    to: "2026-11-22T10:08:00Z",
    step: "minute",
    series: [],
    totals: [],
    ...over,
  };
}

describe("lookups per second", () => {
  const series = [
    { outcome: "matched", counts: [0, 0, 60, 60, 60, 120, 120, 6] },
    { outcome: "no_id", counts: [0, 0, 0, 60, 0, 0, 60, 1] },
  ];

  test("add up what became of them and leave out the minute that runs", () => {
    const points = perSecond(statistics({ series }));
    expect(points.map((point) => point.perSecond)).toEqual([0, 0, 1, 2, 1, 2, 3]);
    expect(new Date(points[0]?.at ?? 0).toISOString()).toBe("2026-11-22T10:00:00.000Z");
  });

  test("are the mean of the last five whole minutes", () => {
    expect(rate(perSecond(statistics({ series })))).toBeCloseTo(9 / 5);
    expect(rate([])).toBe(0);
  });

  test("are zero all along where nothing was counted", () => {
    expect(perSecond(statistics({})).map((point) => point.perSecond)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });
});

describe("matches", () => {
  test("are told by source over all callers, the most asked first", () => {
    const totals = [
      { caller: "a", source: "ifa", outcome: "known", count: 3 },
      { caller: "b", source: "ifa", outcome: "unknown", count: 1 },
      { caller: "a", source: "uidapi.com", outcome: "unknown", count: 9 },
    ];
    expect(matchesBySource(statistics({ totals }))).toEqual([
      { source: "uidapi.com", known: 0, asked: 9 },
      { source: "ifa", known: 3, asked: 4 },
    ]);
  });

  test("are no share of nothing", () => {
    expect(matchedShare(statistics({}))).toBeUndefined();
    const totals = [
      { outcome: "matched", count: 1 },
      { outcome: "no_profile", count: 3 },
    ];
    expect(matchedShare(statistics({ totals }))).toBe(0.25);
  });
});

test("verdicts add up over campaigns; one reason may stand under several verdicts", () => {
  const totals = [
    { campaign: "a/x", verdict: "suppress", reason: "no_profile", count: 2 },
    { campaign: "a/y", verdict: "target", reason: "no_profile", count: 9 },
    { campaign: "a/z", verdict: "suppress", reason: "no_profile", count: 5 },
    { campaign: "a/z", verdict: "target", reason: "", count: 1 },
  ];
  const reasons = verdictsByReason(statistics({ what: "verdicts", totals }));
  expect(reasons).toEqual([
    { verdict: "target", reason: "no_profile", count: 9 },
    { verdict: "suppress", reason: "no_profile", count: 7 },
    { verdict: "target", reason: "", count: 1 },
  ]);
  expect(verdictTotals(reasons).map((one) => one.count)).toEqual([10, 7, 0]);
});

describe("the server's clock", () => {
  test("stands still where a generation is of another day than it was made", () => {
    expect(frozenAt({ created: "2026-11-22T10:00:00Z", as_of: "2026-11-01T09:00:00Z" })).toBe(
      Date.parse("2026-11-01T09:00:00Z"),
    );
  });

  test("runs where a long build began hours before", () => {
    expect(frozenAt({ created: "2026-11-22T10:00:00Z", as_of: "2026-11-22T04:00:00Z" })).toBeUndefined();
    expect(frozenAt(undefined)).toBeUndefined();
  });
});

test("a day begins at the reader's midnight", () => {
  const midnight = new Date(startOfDay(Date.parse("2026-11-22T15:30:00Z")));
  expect([midnight.getHours(), midnight.getMinutes(), midnight.getSeconds()]).toEqual([0, 0, 0]);
});
