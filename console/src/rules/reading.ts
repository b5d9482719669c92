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

export async function readRule(question: ToRead, signal: AbortSignal): Promise<Reading> {
  const headers = { "content-type": "application/json" };
  const response = await ask("/api/v1/rule", { method: "POST", headers, body: JSON.stringify(question), signal });
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as Reading;
}
