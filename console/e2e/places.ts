/** Every page, with a key that opens it. */
import type { Role } from "./server";

export interface Place {
  /** What its screenshots are called. */
  name: string;
  path: string;
  role: Role;
  /** It is a form: nothing is asked of the server before somebody fills it in. */
  form?: true;
}

export const places: readonly Place[] = [
  { name: "home", path: "/", role: "operator" },
  { name: "audiences", path: "/audiences", role: "planner" },
  { name: "audience", path: "/audiences/telco/phone-replacers", role: "planner" },
  { name: "audience-new", path: "/audiences/new?name=Young&rule=age%20between%2018%20and%2034", role: "planner" },
  { name: "overlap", path: "/overlap?a=telco/phone-replacers&a=telco/old-handset&a=telco/haters", role: "planner" },
  { name: "campaigns", path: "/campaigns", role: "planner" },
  { name: "campaign", path: "/campaigns/telco/upgrade-2026", role: "planner" },
  { name: "explain", path: "/explain", role: "planner" },
  { name: "explain-person", path: "/explain", role: "privacy", form: true },
  { name: "uploads", path: "/uploads", role: "planner" },
  { name: "exports", path: "/exports", role: "approver" },
  { name: "generations", path: "/generations", role: "operator" },
  { name: "privacy", path: "/privacy", role: "privacy", form: true },
  { name: "keys", path: "/keys", role: "operator" },
  { name: "audit", path: "/audit", role: "operator" },
  { name: "not-found", path: "/there/is/no/such/page", role: "planner" },
  { name: "forbidden", path: "/keys", role: "planner" },
];
