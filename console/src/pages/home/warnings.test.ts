import { describe, expect, test } from "vitest";
import { warnings, type Known } from "./warnings";

const summary = {
  created: "2026-11-22T10:00:00Z",
  as_of: "2026-11-22T10:00:00Z",
  index_of: 7,
  index_created: "2026-11-22T10:00:00Z",
  fresh: false,
  profiles: 100,
  audiences: 2,
  catalogue_version: "x",
  bytes: 1,
  bid_bytes: 1,
  timings: {},
  sources: [{ name: "crm", stale: false, accepted: 1_000, rejected: 5 }],
};

const well: Known = {
  generations: { live: 7, pinned: null, in_service: 7, generations: [{ generation: 7, ...summary }] },
  builds: {
    builds: true,
    publishing: { state: "in_service", message: "" },
    running: [],
    queued: [],
    ended: [{ kind: "full", outcome: "done", why: "due", began: "2026-11-22T10:00:00Z", seconds: 3 }],
  },
  inService: {
    generation: 7,
    ...summary,
    live: true,
    pinned: false,
    in_service: true,
    audience_list: [{ id: "a/x", kind: "target", members: 10 }],
  },
  statisticsKept: true,
  now: Date.parse("2026-11-22T11:00:00Z"),
};

function codes(over: Partial<Known>): string[] {
  return warnings({ ...well, ...over }).map((one) => one.code);
}

describe("warnings", () => {
  test("are none where all is well, and none before anything is known", () => {
    expect(codes({})).toEqual([]);
    expect(warnings({ statisticsKept: true, now: 0 })).toEqual([]);
  });

  test("say the worst first", () => {
    const builds = { ...well.builds, publishing: { state: "failed", message: "" } } as Known["builds"];
    const generations = { ...well.generations, generations: [], pinned: 6 };
    expect(codes({ builds, generations })).toEqual(["publishFailed", "pinned"]);
  });

  test("tell a failed build until one goes well again; one that somebody ended is no failure", () => {
    const failed = {
      kind: "full",
      outcome: "failed",
      why: "due",
      began: "2026-11-22T10:30:00Z",
      seconds: 1,
      failure: { reason: "source_missing", message: "" },
    } as const;
    const done = { kind: "full", outcome: "done", why: "retry", began: "2026-11-22T10:40:00Z", seconds: 3 } as const;
    const cancelled = { ...done, outcome: "cancelled" } as const;
    const builds = (ended: NonNullable<Known["builds"]>["ended"]) =>
      ({ ...well.builds, ended }) as NonNullable<Known["builds"]>;
    expect(codes({ builds: builds([failed, done]) })).toEqual(["buildFailed"]);
    expect(codes({ builds: builds([cancelled, failed]) })).toEqual(["buildFailed"]);
    expect(codes({ builds: builds([done, failed]) })).toEqual([]);
  });

  test("name stale sources and those with many rows not taken", () => {
    const sources = [
      { name: "crm", stale: true, accepted: 98, rejected: 2 },
      { name: "web", stale: false, accepted: 0, rejected: 0 },
    ];
    const inService = { ...well.inService, sources } as Known["inService"];
    const told = warnings({ ...well, inService });
    expect(told.map((one) => [one.code, one.values.names])).toEqual([
      ["stale", "crm"],
      ["rejects", "crm"],
    ]);
    expect(told[1]?.values.share).toBeCloseTo(0.02);
    expect(told[0]?.to).toBe("/generations/7");
  });

  test("name audiences that nobody is in, not those whose size is not told", () => {
    const audience_list = [
      { id: "a/empty", kind: "target", members: 0 },
      { id: "a/quiet", kind: "suppress", members: 0 },
      { id: "b/theirs", kind: "target" },
    ];
    const told = warnings({ ...well, inService: { ...well.inService, audience_list } as Known["inService"] });
    expect(told.map((one) => [one.code, one.values.names])).toEqual([["noMembers", "a/empty"]]);
  });

  test("tell old data, but not where the clock stands still", () => {
    const now = Date.parse("2026-11-24T11:00:00Z");
    expect(codes({ now })).toEqual(["old"]);
    expect(codes({ now, frozenAt: Date.parse(summary.as_of) })).toEqual(["frozen"]);
  });

  test("tell silence only where somebody used to ask", () => {
    expect(codes({ lookupsOfTheHour: 0, askedLately: true })).toEqual(["quietNow"]);
    expect(codes({ lookupsOfTheHour: 0, askedLately: false })).toEqual([]);
    expect(codes({ lookupsOfTheHour: undefined, askedLately: true })).toEqual([]);
  });

  test("tell refusals and matches by their share of enough", () => {
    expect(codes({ refusals: 2, lookupsToday: 10_000 })).toEqual([]);
    expect(codes({ refusals: 200, lookupsToday: 10_000 })).toEqual(["refused"]);
    expect(codes({ matchedShare: { share: 0.01, asked: 20 } })).toEqual([]);
    expect(codes({ matchedShare: { share: 0.01, asked: 2_000 } })).toEqual(["fewMatches"]);
  });

  test("say that nothing is counted instead of what follows from it", () => {
    expect(codes({ statisticsKept: false, lookupsOfTheHour: 0, askedLately: true })).toEqual(["notKept"]);
  });
});
