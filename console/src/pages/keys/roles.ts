import type { Schemas } from "../../api/client";

export type Role = Schemas["Role"];

/** From those whom a console is made for to those of machines. */
export const ROLES: readonly Role[] = ["planner", "approver", "operator", "privacy", "ingest", "bidder"];

/** Roles that concern every owner: a key of one owner could do nothing with them. */
export function isForAll(role: Role): boolean {
  return role === "privacy";
}
