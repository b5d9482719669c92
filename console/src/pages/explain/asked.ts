/** What can be asked about, and the questions. Each look at people is audited, so nothing is asked again by itself. */
import { queryOptions } from "@tanstack/react-query";
import { api, body, type Schemas } from "../../api/client";
import type { Why } from "../../rules/why";

export type Definition = Schemas["Definition"];
export type Of = Schemas["SampleOf"];

/** Every audience and campaign in force or drafted, by name. */
export const named = queryOptions({
  queryKey: ["definitions", "named"],
  queryFn: async ({ signal }) => {
    const all: Definition[] = [];
    for (const kind of ["audience", "campaign"] as const) {
      let after: string | undefined;
      do {
        const query = { kind, limit: 1000, ...(after !== undefined && { after }) };
        const page = await body(api.GET("/api/v1/definitions", { params: { query }, signal }));
        all.push(...page.definitions);
        after = page.next ?? undefined;
      } while (after !== undefined);
    }
    return all.filter((definition) => definition.state !== "archived");
  },
  staleTime: 60_000,
});

/** Whom a sample is of: a rule as it is typed, or a definition, published or drafted. */
export type About = { rule: string } | { definition: Definition };

/** The text of what is drafted or in force. */
async function textOf({ kind, id }: Definition, drafted: boolean): Promise<string> {
  const [owner = "", name = ""] = id.split("/");
  const path = { kind: `${kind}s`, owner, id: name };
  const found = await body(api.GET("/api/v1/{kind}/{owner}/{id}", { params: { path } }));
  const texts = [drafted ? found.draft?.text : undefined, found.published?.text, found.text, found.draft?.text];
  return texts.find((text) => typeof text === "string") ?? "";
}

export interface Someone {
  pseudonym: string;
  member: boolean;
  why: Why;
}

export type Sample = Omit<Schemas["SampleAnswer"], "people"> & { people: Someone[] };

export async function sample(about: About, of: Of, count: number): Promise<Sample> {
  const question = "rule" in about ? { rule: about.rule } : await meant(about.definition, of);
  // A definition is an object or its text; the description knows the object alone.
  const asked = { ...question, of, count } as Schemas["SampleQuestion"];
  return (await body(api.POST("/api/v1/sample", { body: asked }))) as unknown as Sample;
}

async function meant(definition: Definition, of: Of): Promise<object> {
  const moving = of === "joiners" || of === "leavers";
  if (definition.kind === "audience" && definition.state === "published" && !moving) return { audience: definition.id };
  return { definition: await textOf(definition, moving) };
}

/** A change that would turn an answer over. */
export interface Change {
  rule: string;
  holds: boolean;
  at?: string;
}

export interface Changes {
  by_itself?: Change;
  by_facts: Change[];
  more: boolean;
}

export interface Membership {
  id: string;
  role?: "include" | "exclude";
  member: boolean;
  why?: Why | null;
  changes?: Changes | null;
}

export interface Cap {
  impressions: number;
  /** `1 day`; nothing = the whole flight. */
  per: string | null;
}

export type Verdict = Omit<Schemas["Verdict"], "caps"> & { caps: Cap[] };

export type Explanation = Omit<Schemas["Explanation"], "audiences" | "campaign"> & {
  audiences: Membership[];
  campaign?: Verdict | null;
};

export async function explain(eid: Schemas["Eid"], what: string): Promise<Explanation> {
  const params = { query: { ...eid, what } };
  return (await body(api.GET("/api/v1/explain", { params }))) as unknown as Explanation;
}
