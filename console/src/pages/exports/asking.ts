/** What the exports' page asks, and what it may offer of a format and an audience (docs/exports.md). */
import { queryOptions } from "@tanstack/react-query";
import { Problem, api, body, type Schemas } from "../../api/client";

export type Job = Schemas["ExportAnswer"];
export type Format = Schemas["Format"];
export type Report = Schemas["Report"];

/** Jobs since the server was started, and the destinations that the key may use. */
export const exportsQuery = queryOptions({
  queryKey: ["exports"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/exports", { signal })),
  refetchInterval: (query) => (query.state.data?.exports.some((job) => job.state === "running") ? 1_000 : 15_000),
});

/** How many there are, and of which identifier types. */
export const reachOf = (audience: string) =>
  queryOptions({
    queryKey: ["export-reach", audience],
    queryFn: ({ signal }) =>
      body(api.POST("/api/v1/reach", { body: { audience, by: [], owner: null, rule: null, seen_days: null }, signal })),
    staleTime: 60_000,
  });

const FORMATS: readonly Format[] = ["csv", "ndjson", "parquet", "meta", "google", "tiktok", "roaring", "suppression"];

/** What the planner takes where nothing is said; only suppression lists end. */
const USUAL_DAYS = 7;

/** A suppression list is made of audiences to leave alone, and of no other. */
export function formatsFor(kind: string | undefined): readonly Format[] {
  return kind === "target" ? FORMATS.filter((format) => format !== "suppression") : FORMATS;
}

/** What is written anew as a whole each time. */
export function isAlwaysWhole(format: Format): boolean {
  return format === "roaring" || format === "suppression";
}

/** The chosen types with one more or less, in their order; all of them are as good as none chosen. */
export function toggled(names: readonly string[], chosen: readonly string[], name: string): string[] {
  const after = names.filter((one) => (one === name) !== chosen.includes(one));
  return after.length === names.length ? [] : after;
}

/** What an export is asked with. */
export interface Wish {
  audience: string | null;
  format: Format;
  destination: string | null;
  /** Identifier types; none = all. */
  ids: readonly string[];
  delta: boolean;
  objectors: boolean;
  days: string;
  comment: string;
}

export type Missing = "audience" | "destination" | "days";

/** What must be said before it can start. */
export function missing(wish: Wish): Missing[] {
  const days = Number(wish.days);
  const found: Missing[] = [];
  if (wish.audience === null) found.push("audience");
  if (wish.destination === null) found.push("destination");
  if (wish.format === "suppression" && !(Number.isInteger(days) && days >= 1 && days <= 90)) found.push("days");
  return found;
}

/** The request: only what the format and the kind of the audience have a use for. */
export function requestOf(wish: Wish, kind: string | undefined): Schemas["ExportRequest"] {
  const { format } = wish;
  const suppress = kind === "suppress";
  return {
    audience: wish.audience ?? "",
    format,
    destination: wish.destination ?? "",
    delta: wish.delta && !isAlwaysWhole(format),
    ids: format === "roaring" ? [] : [...wish.ids],
    include_objectors: wish.objectors && suppress,
    expires_days: format === "suppression" ? Number(wish.days) : USUAL_DAYS,
    ...(wish.comment.trim() !== "" && { comment: wish.comment.trim() }),
  };
}

/** Which field of the form a refusal is about. */
export function faultOf(error: Error | null, field: string): string | undefined {
  if (!(error instanceof Problem)) return undefined;
  return error.errors.find((fault) => fault.field === `/${field}`)?.detail;
}

/** Whether somebody could not be taken out at the receiver: then the whole audience should be sent. */
export function leavesSomebody(report: Report): boolean {
  return report.cannot_remove > 0;
}
