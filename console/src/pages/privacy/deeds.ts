/** What a privacy officer asks and does. Each is audited or logged; nothing is asked again by itself. */
import { api, body, type Schemas } from "../../api/client";
import type { Eid } from "../../base/eid";

export const SCOPES = ["marketing", "profiling", "all"] as const;
export type Scope = (typeof SCOPES)[number];

/** So many go with one request. */
const BATCH = 5_000;

export interface Event {
  event: string;
  time: string;
  properties: Record<string, unknown>;
}

/** What is held of one profile (`src/planner/export.rs`). */
export interface Profile {
  identifiers: { type: string; hash: string }[];
  traits: { trait: string; value: unknown; sources?: string[] | null }[];
  events: Event[];
  lists: { list: string; until: string | null }[];
  consents: { objects_to_marketing: boolean; objects_to_profiling: boolean; refused: boolean };
  audiences: { id: string; kind: "target" | "suppress" }[];
  exposures: { campaign: string | null; time: string }[];
}

export interface Block {
  identifier: string;
  scope: Scope;
  deleted: boolean;
  since: string;
  until: string | null;
}

export interface Held {
  generation: number;
  as_of: string;
  now: string;
  profiles: Profile[];
  since_the_generation: Record<string, unknown>[];
  objections: Block[];
  objections_are_kept_because: string;
}

export async function held(eid: Eid): Promise<Held> {
  return (await body(api.GET("/api/v1/profiles", { params: { query: eid } }))) as unknown as Held;
}

/** What became of one: nothing = it is in force. */
export type Fate = string | undefined;

/** Objections in the name of people, each by itself. */
export async function object(eids: readonly Eid[], scope: Scope): Promise<Fate[]> {
  const fates: Fate[] = [];
  for (const batch of batches(eids)) {
    const time = new Date().toISOString();
    const lines = batch.map((eid, at) =>
      JSON.stringify({ id: `console-${time}-${at}`, time, type: "objection", scope, eids: [eid] }),
    );
    const params = { query: { results: "all" as const } };
    const answer = await body(
      api.POST("/api/v1/events", {
        params,
        body: lines.join("\n"),
        bodySerializer: (text: string) => text,
        headers: { "content-type": "application/x-ndjson" },
      }),
    );
    const rejected = new Map(answer.results.map(({ line, status, reason }) => [line, status === "rejected" && reason]));
    fates.push(...batch.map((_, at) => rejected.get(at + 1) || undefined));
  }
  return fates;
}

export type Deleted = Schemas["Deleted"] & {
  /** Where it stands in the audit trail. */
  entry?: Schemas["AuditEntry"] | undefined;
};

/** Deletes people; a batch that names what is no identifier is left undone as a whole. */
export async function erase(eids: readonly Eid[]): Promise<Deleted> {
  const all: Deleted = { identifiers: 0, profiles: 0, purged_by: "" };
  for (const batch of batches(eids)) {
    const done = await body(api.DELETE("/api/v1/profiles", { body: { eids: [...batch] } }));
    all.identifiers += done.identifiers;
    all.profiles += done.profiles;
    all.purged_by = done.purged_by;
  }
  return { ...all, entry: await newest("delete") };
}

/** The newest entry of a deed. The deed is done whether or not it can be shown. */
async function newest(what: string): Promise<Schemas["AuditEntry"] | undefined> {
  const params = { query: { what, limit: 1 } };
  return body(api.GET("/api/v1/audit", { params })).then(
    (trail) => trail.entries[0],
    () => undefined,
  );
}

function batches(eids: readonly Eid[]): (readonly Eid[])[] {
  return Array.from({ length: Math.ceil(eids.length / BATCH) }, (_, at) => eids.slice(at * BATCH, (at + 1) * BATCH));
}
