/** Every page: its path, who may open it, where it stands in the menu. A page is loaded when it is opened. */
import {
  BookOpenText,
  Crosshair,
  Download,
  FileUp,
  History,
  House,
  KeyRound,
  Megaphone,
  MessageCircleQuestion,
  ShieldCheck,
  SquaresIntersect,
  type LucideIcon,
} from "lucide-react";
import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import type { Right } from "../base/session";

export type PageName =
  | "home"
  | "audiences"
  | "overlap"
  | "campaigns"
  | "explain"
  | "uploads"
  | "exports"
  | "generations"
  | "keys"
  | "audit"
  | "privacy";

export interface PageOf {
  name: PageName;
  /** As react-router has it: `/*` = the page has paths of its own below. */
  path: string;
  /** Any of these opens it. */
  rights: readonly Right[];
  group: "plan" | "data" | "run";
  picture: LucideIcon;
  content: LazyExoticComponent<ComponentType>;
}

export const pages: readonly PageOf[] = [
  page("home", "/", ["see"], "plan", House, () => import("../pages/home/Home")),
  page("audiences", "/audiences/*", ["see"], "plan", Crosshair, () => import("../pages/audiences/Audiences")),
  page("overlap", "/overlap", ["see"], "plan", SquaresIntersect, () => import("../pages/overlap/Overlap")),
  page("campaigns", "/campaigns/*", ["see"], "plan", Megaphone, () => import("../pages/campaigns/Campaigns")),
  page(
    "explain",
    "/explain",
    ["see", "people"],
    "plan",
    MessageCircleQuestion,
    () => import("../pages/explain/Explain"),
  ),
  page("uploads", "/uploads", ["lists"], "data", FileUp, () => import("../pages/uploads/Uploads")),
  page("exports", "/exports", ["export"], "data", Download, () => import("../pages/exports/Exports")),
  page("generations", "/generations/*", ["see"], "data", History, () => import("../pages/generations/Generations")),
  page("privacy", "/privacy", ["people"], "run", ShieldCheck, () => import("../pages/privacy/Privacy")),
  page("keys", "/keys", ["operate"], "run", KeyRound, () => import("../pages/keys/Keys")),
  page("audit", "/audit", ["audit"], "run", BookOpenText, () => import("../pages/audit/Audit")),
];

function page(
  name: PageName,
  path: string,
  rights: readonly Right[],
  group: PageOf["group"],
  picture: LucideIcon,
  load: () => Promise<{ default: ComponentType }>,
): PageOf {
  return { name, path, rights, group, picture, content: lazy(load) };
}
