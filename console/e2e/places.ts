/** Every page, with a key that opens it. */
import type { Role } from "./server";

export interface Place {
  /** What its screenshots are called. */
  name: string;
  path: string;
  role: Role;
}

export const places: readonly Place[] = [
  { name: "home", path: "/", role: "operator" },
  { name: "audiences", path: "/audiences", role: "planner" },
  { name: "audience", path: "/audiences/telco/phone-replacers", role: "planner" },
  { name: "audience-new", path: "/audiences/new?name=Young&rule=age%20between%2018%20and%2034", role: "planner" },
  { name: "overlap", path: "/overlap", role: "planner" },
  { name: "campaigns", path: "/campaigns", role: "planner" },
  { name: "campaign", path: "/campaigns/telco/upgrade-2026", role: "planner" },
  { name: "explain", path: "/explain", role: "planner" },
  { name: "explain-person", path: "/explain", role: "privacy" },
  { name: "uploads", path: "/uploads", role: "planner" },
  { name: "exports", path: "/exports", role: "approver" },
  { name: "generations", path: "/generations", role: "operator" },
  { name: "privacy", path: "/privacy", role: "privacy" },
  { name: "keys", path: "/keys", role: "operator" },
  { name: "audit", path: "/audit", role: "operator" },
  { name: "not-found", path: "/there/is/no/such/page", role: "planner" },
  { name: "forbidden", path: "/keys", role: "planner" },
];
