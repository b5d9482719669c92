/** A rule's text read into a tree, or a tree printed as text, by the server that knows the language. */
import { ask, problemOf, type Fault, type Schemas } from "../api/client";
import type { Tree } from "./tree";

/** What is wrong with a rule; `length` = characters from its place on, where known. */
export type RuleFault = Fault & { length?: number | null };
export type Remark = Schemas["Remark"] & { length?: number | null };

export interface Reading {
  /** As the server would write it; none while there are errors. */
  rule: string | null;
  tree: Tree | null;
  errors: RuleFault[];
  warnings: Remark[];
}

export type ToRead = ({ rule: string } | { tree: Tree }) & { owner?: string };

/** The server answers a few questions at once. This one takes it no time, so it is asked again after so many milliseconds. */
const AGAIN_AFTER = [150, 300, 600, 1_200, 2_400];

export async function readRule(question: ToRead, signal: AbortSignal): Promise<Reading> {
  const headers = { "content-type": "application/json" };
  const wish = { method: "POST", headers, body: JSON.stringify(question), signal };
  let response = await ask("/api/v1/rule", wish);
  for (const pause of AGAIN_AFTER) {
    if (response.status !== 429) break;
    await new Promise((later) => setTimeout(later, pause));
    response = await ask("/api/v1/rule", wish);
  }
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as Reading;
}
