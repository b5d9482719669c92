/** Who is signed in, and what their key may do (`docs/planner.md`, "Who may do what"). */
import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "../api/client";
import { whoami } from "../api/queries";

export type Who = Schemas["Whoami"];
type Role = Schemas["Role"];

/** What a page or a button needs. */
export type Right = "see" | "define" | "lists" | "export" | "people" | "audit" | "operate";

const ROLES: Record<Right, readonly Role[]> = {
  see: ["planner", "approver", "operator"],
  define: ["planner", "approver"],
  lists: ["planner", "approver", "ingest"],
  export: ["approver", "operator"],
  people: ["privacy"],
  audit: ["privacy", "operator"],
  operate: ["operator"],
};

/** Without a role somebody sits at the machine itself before the first key was made: everything is open. */
export function may(who: Who | undefined, right: Right): boolean {
  if (who === undefined) return false;
  return who.role === undefined || who.role === null || ROLES[right].includes(who.role);
}

export function useWho(): Who | undefined {
  return useQuery(whoami).data;
}

export function useMay(): (right: Right) => boolean {
  const who = useWho();
  return (right) => may(who, right);
}
