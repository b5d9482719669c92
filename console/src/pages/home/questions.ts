/** What the home page asks, again and again. */
import { queryOptions } from "@tanstack/react-query";
import { api, body } from "../../api/client";
import { startOfDay, wholeMinute } from "./figures";

type What = "lookups" | "matches" | "verdicts" | "refusals";

const MINUTE = 60_000;
const DAY = 86_400_000;

const spans = {
  hour: { step: "minute", since: (now: number) => wholeMinute(now) - 60 * MINUTE },
  today: { step: "day", since: startOfDay },
  month: { step: "day", since: (now: number) => startOfDay(now) - 30 * DAY },
} as const;

/** Counts from an instant until now; `now` is the server's, which may stand still. */
function statistics(what: What, span: keyof typeof spans, now: () => number, every: number) {
  const { step, since } = spans[span];
  return queryOptions({
    queryKey: ["statistics", what, span],
    queryFn: ({ signal }) => {
      const until = now();
      const from = new Date(since(until)).toISOString();
      const to = new Date(wholeMinute(until) + MINUTE).toISOString();
      return body(api.GET("/api/v1/statistics", { params: { query: { what, step, from, to } }, signal }));
    },
    refetchInterval: every,
    staleTime: every / 2,
  });
}

/** The last hour's lookups, minute by minute; the last minute still runs. */
export const lookupsOfTheHour = (now: () => number) => statistics("lookups", "hour", now, 15_000);
export const matchesToday = (now: () => number) => statistics("matches", "today", now, 30_000);
export const verdictsToday = (now: () => number) => statistics("verdicts", "today", now, 15_000);
export const refusalsToday = (now: () => number) => statistics("refusals", "today", now, 30_000);
export const lookupsToday = (now: () => number) => statistics("lookups", "today", now, 30_000);
/** Whether anything was ever asked, as far as this page cares. */
export const verdictsOfTheMonth = (now: () => number) => statistics("verdicts", "month", now, 60_000);

/** How many were seen lately; refused to keys of one owner. */
export const seen = queryOptions({
  queryKey: ["seen"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/statistics/seen", { params: { query: { days: 7 } }, signal })),
  refetchInterval: 60_000,
});

/** A generation with its audiences. */
export const audiencesOf = (generation: number | null | undefined) =>
  queryOptions({
    queryKey: ["generation", generation],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v1/generations/{generation}", { params: { path: { generation: generation ?? 0 } }, signal })),
    enabled: generation !== null && generation !== undefined,
    staleTime: 60_000,
  });

/** What somebody defined here rather than in a file: whether there is any, and whether any is published. */
export const ownDefinitions = queryOptions({
  queryKey: ["definitions", "own"],
  queryFn: ({ signal }) =>
    body(
      api.GET("/api/v1/definitions", {
        params: { query: { kind: "audience", origin: "catalogue", limit: 100 } },
        signal,
      }),
    ),
  staleTime: 30_000,
});
