/** A campaign's definition: its YAML text, and what a form shows of it. What the form does not know stays in the text. */
import { parseDocument } from "yaml";

export const STATUSES = ["draft", "active", "paused", "archived"] as const;
export type Status = (typeof STATUSES)[number];
export const POLICIES = ["target", "suppress", "unknown"] as const;
export type Policy = (typeof POLICIES)[number];

export interface Exclude {
  audience: string;
  hard: boolean;
}
export interface Cap {
  impressions: number;
  /** A length of time such as `24h`, or `flight`. */
  per: string;
}
export interface Deal {
  exchange: string;
  id: string;
  exclusive: boolean;
}
export interface Reference {
  system: string;
  line_item: string;
}

/** What a form shows. Audiences by their whole ids; an empty text = it is not said. */
export interface CampaignForm {
  id: string;
  owner: string;
  name: string;
  description: string;
  status: Status;
  from: string;
  to: string;
  timezone: string;
  include: string[];
  exclude: Exclude[];
  caps: Cap[];
  min_gap: string;
  priority: number;
  group: string;
  deals: Deal[];
  refs: Reference[];
  no_profile: Policy | "";
  on_failure: Policy | "";
}

type Plain = { [key: string]: unknown };

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const plains = (value: unknown): Plain[] => list(value).filter(isPlain);

function oneOf<T extends string>(known: readonly T[], value: unknown): T | undefined {
  return known.find((one) => one === value);
}

/** An audience's name as rules and campaigns write it: the owner's own may be said without the owner. */
export function whole(reference: string, owner: string): string {
  return reference.includes("/") || owner === "" ? reference : `${owner}/${reference}`;
}

/** What a text says, as far as it can be read. */
function valueOf(yaml: string): unknown {
  try {
    return parseDocument(yaml).toJS();
  } catch {
    // An alias of nothing, say.
    return undefined;
  }
}

/** Whether a form can write into a text: while somebody types, it may be no YAML, or no definition. */
export function isReadable(yaml: string): boolean {
  const value = valueOf(yaml);
  return yaml.trim() === "" || (isPlain(value) && parseDocument(yaml).errors.length === 0);
}

/** Reads the YAML of one campaign. What is wrong with it the server says: here it is read as far as it can be. */
export function readCampaign(yaml: string): CampaignForm {
  const parsed = valueOf(yaml);
  const read = isPlain(parsed) ? parsed : {};
  const owner = text(read["owner"]);
  const flight = isPlain(read["flight"]) ? read["flight"] : {};
  return {
    id: text(read["id"]),
    owner,
    name: text(read["name"]),
    description: text(read["description"]),
    status: oneOf(STATUSES, read["status"]) ?? "draft",
    from: text(flight["from"]),
    to: text(flight["to"]),
    timezone: text(flight["timezone"]),
    include: list(read["include"]).map((one) => whole(text(one), owner)),
    exclude: list(read["exclude"]).map((one) =>
      isPlain(one)
        ? { audience: whole(text(one["audience"]), owner), hard: one["hard"] === true }
        : { audience: whole(text(one), owner), hard: false },
    ),
    caps: plains(read["caps"]).map((cap) => ({ impressions: Number(cap["impressions"]) || 1, per: text(cap["per"]) })),
    min_gap: text(read["min_gap"]),
    priority: Number(read["priority"]) || 0,
    group: text(read["group"]),
    deals: plains(read["deals"]).map((deal) => ({
      exchange: text(deal["exchange"]),
      id: text(deal["id"]),
      exclusive: deal["exclusive"] === true,
    })),
    refs: plains(read["refs"]).map((one) => ({ system: text(one["system"]), line_item: text(one["line_item"]) })),
    no_profile: oneOf(POLICIES, read["no_profile"]) ?? "",
    on_failure: oneOf(POLICIES, read["on_failure"]) ?? "",
  };
}

/** How each field is written; `undefined` = it is left out. */
function written(form: CampaignForm): Record<string, unknown> {
  const said = <T>(values: readonly T[]) => (values.length === 0 ? undefined : values);
  const flight = {
    ...(form.from && { from: form.from }),
    ...(form.to && { to: form.to }),
    ...(form.timezone && { timezone: form.timezone }),
  };
  return {
    id: form.id || undefined,
    owner: form.owner || undefined,
    name: form.name || undefined,
    description: form.description || undefined,
    status: form.status,
    flight: form.from || form.to ? flight : undefined,
    deals: said(form.deals.map(({ exclusive, ...deal }) => (exclusive ? { ...deal, exclusive } : deal))),
    refs: said(form.refs),
    include: said(form.include),
    exclude: said(form.exclude.map(({ audience, hard }) => (hard ? { audience, hard } : audience))),
    no_profile: form.no_profile || undefined,
    on_failure: form.on_failure || undefined,
    caps: said(form.caps),
    min_gap: form.min_gap || undefined,
    priority: form.priority === 0 ? undefined : form.priority,
    group: form.group || undefined,
  };
}

/** Writes into a text what was changed in the form; everything else in it, comments too, stays as it stands. */
export function writeCampaign(yaml: string, form: CampaignForm): string {
  if (yaml.trim() === "") return writeCampaign("{}\n", form);
  // What cannot be read is not written over.
  if (!isReadable(yaml)) return yaml;
  const document = parseDocument(yaml);
  const before = written(readCampaign(yaml));
  for (const [field, value] of Object.entries(written(form))) {
    const same = JSON.stringify(value) === JSON.stringify(before[field]);
    if (same && document.has(field) === (value !== undefined)) continue;
    if (value === undefined) document.delete(field);
    else document.set(field, document.createNode(value));
  }
  if (document.contents && "flow" in document.contents) document.contents.flow = false;
  return document.toString({ lineWidth: 0 });
}

export const EMPTY: CampaignForm = readCampaign("");

/** What the server does where nothing is said (`docs/language.md`). */
export function policiesOf(form: Pick<CampaignForm, "include" | "no_profile" | "on_failure">): {
  noProfile: Policy;
  onFailure: Policy;
} {
  return {
    noProfile: form.no_profile || (form.include.length === 0 ? "target" : "suppress"),
    onFailure: form.on_failure || "suppress",
  };
}

export type Phase = "draft" | "paused" | "archived" | "before" | "after" | "active";

/** Whether it speaks today: its status, and its flight by the day where it runs. */
export function phaseOf(form: Pick<CampaignForm, "status" | "from" | "to" | "timezone">, now: Date): Phase {
  if (form.status !== "active") return form.status;
  const today = dayIn(now, form.timezone);
  const began = form.from === "" || (form.from.length === 10 ? form.from <= today : new Date(form.from) <= now);
  const over = form.to !== "" && (form.to.length === 10 ? form.to < today : new Date(form.to) <= now);
  return over ? "after" : began ? "active" : "before";
}

function dayIn(now: Date, timezone: string): string {
  try {
    return new Intl.DateTimeFormat("en-CA", { timeZone: timezone || undefined, dateStyle: "short" }).format(now);
  } catch {
    return now.toISOString().slice(0, 10);
  }
}
