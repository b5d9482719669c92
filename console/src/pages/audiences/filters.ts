/** Which audiences are shown, and in which order. It lives in the URL, so that a view can be sent to somebody. */
import type { Schemas } from "../../api/client";
import type { Definition } from "./asking";

export type Told = Schemas["Told"];
const STATES = ["published", "draft", "archived"] as const;
const KINDS = ["target", "suppress"] as const;
export const SORTS = ["name", "size", "change"] as const;
export type Sort = (typeof SORTS)[number];

export interface Filters {
  text: string;
  owner: string;
  folder: string;
  tag: string;
  kind: (typeof KINDS)[number] | "";
  /** `draft` = there is a draft. */
  state: (typeof STATES)[number] | "";
  sort: Sort;
}

function oneOf<T extends string>(text: string | null, choices: readonly T[]): T | undefined {
  return choices.find((choice) => choice === text);
}

export function filtersOf(query: URLSearchParams): Filters {
  const text = (name: string) => query.get(name) ?? "";
  return {
    text: text("q"),
    owner: text("owner"),
    folder: text("folder"),
    tag: text("tag"),
    kind: oneOf(query.get("kind"), KINDS) ?? "",
    state: oneOf(query.get("state"), STATES) ?? "",
    sort: oneOf(query.get("sort"), SORTS) ?? "name",
  };
}

/** The URL's query; what is as always is left out. */
export function queryOf(filters: Filters): URLSearchParams {
  const { text, sort, ...others } = filters;
  const query = new URLSearchParams();
  if (text !== "") query.set("q", text);
  for (const [name, value] of Object.entries(others)) if (value !== "") query.set(name, value);
  if (sort !== "name") query.set("sort", sort);
  return query;
}

export function isFiltered(filters: Filters): boolean {
  const { sort: _, ...others } = filters;
  return Object.values(others).some((value) => value !== "");
}

/** What the server does not filter by. */
export function fits(definition: Definition, filters: Filters): boolean {
  return filters.kind === "" || definition.sort === filters.kind;
}

/** By name as the language sorts, the largest first, or the last changed first; what has no size or time comes last. */
export function sorted(
  definitions: readonly Definition[],
  sort: Sort,
  sizeOf: (id: string) => Told | null | undefined,
  language: string,
): Definition[] {
  const collator = new Intl.Collator(language, { numeric: true });
  const named = (definition: Definition) => definition.name ?? definition.id;
  const size = (definition: Definition) => sizeOf(definition.id)?.count ?? -1;
  const time = (definition: Definition) => (definition.time ? Date.parse(definition.time) : -Infinity);
  return definitions.toSorted((a, b) => {
    const first = sort === "size" ? size(b) - size(a) : sort === "change" ? order(time(b), time(a)) : 0;
    return first || collator.compare(named(a), named(b)) || (a.id < b.id ? -1 : 1);
  });
}

/** A difference that survives two infinities. */
function order(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** What there is to filter by. */
export function choicesOf(definitions: readonly Definition[]): Record<"owners" | "folders" | "tags", string[]> {
  const unique = (values: (string | null | undefined)[]) =>
    [...new Set(values.flatMap((value) => (value ? [value] : [])))].toSorted((a, b) => a.localeCompare(b));
  return {
    owners: unique(definitions.map((definition) => definition.id.split("/")[0])),
    folders: unique(definitions.map((definition) => definition.folder)),
    tags: unique(definitions.flatMap((definition) => definition.tags ?? [])),
  };
}
