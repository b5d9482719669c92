/** What these pages ask the planner. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { Problem, api, ask, body, problemOf, type Schemas } from "../../api/client";
import type { Filters } from "./filters";

export type Definition = Schemas["Definition"];

/** The most that the planner gives at once: so many are filtered and sorted here without another question. */
const PAGE = 1_000;

/** Audiences, filtered by the server as far as it can; `fits` of `filters.ts` does the rest. */
export function listed(filters: Pick<Filters, "owner" | "folder" | "tag" | "state" | "text">) {
  const { owner, folder, tag, state, text } = filters;
  return infiniteQueryOptions({
    queryKey: ["definitions", "audience", { owner, folder, tag, state, text }],
    queryFn: ({ signal, pageParam }) => {
      const query = {
        kind: "audience",
        limit: PAGE,
        ...(owner && { owner }),
        ...(folder && { folder }),
        ...(tag && { tag }),
        ...(state && { state }),
        ...(text && { q: text }),
        ...(pageParam && { after: pageParam }),
      };
      return body(api.GET("/api/v1/definitions", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (before) => before,
  });
}

/** How large audiences were, by generation. */
export const sizes = queryOptions({
  queryKey: ["sizes"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/sizes", { signal })),
});

/** The audiences of a generation, with why they must be looked at. */
export function generation(number: number | undefined) {
  return queryOptions({
    queryKey: ["generation", number],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v1/generations/{generation}", { params: { path: { generation: number ?? 0 } }, signal })),
    enabled: number !== undefined,
  });
}

const pathOf = (id: string) => {
  const [owner = "", name = ""] = id.split("/");
  return { kind: "audiences", owner, id: name };
};

export function audience(id: string) {
  return queryOptions({
    queryKey: ["definition", "audience", id],
    queryFn: ({ signal }) => body(api.GET("/api/v1/{kind}/{owner}/{id}", { params: { path: pathOf(id) }, signal })),
  });
}

export function versions(id: string) {
  return infiniteQueryOptions({
    queryKey: ["definition", "audience", id, "versions"],
    queryFn: ({ signal, pageParam }) => {
      const query = { limit: 20, ...(pageParam > 0 && { before: pageParam }) };
      const path = pathOf(id);
      return body(api.GET("/api/v1/{kind}/{owner}/{id}/versions", { params: { path, query }, signal }));
    },
    initialPageParam: 0,
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

export function diff(id: string, from: number, to: number) {
  return queryOptions({
    queryKey: ["definition", "audience", id, "diff", from, to],
    queryFn: ({ signal }) => {
      const params = { path: pathOf(id), query: { from, to } };
      return body(api.GET("/api/v1/{kind}/{owner}/{id}/diff", { params, signal }));
    },
  });
}

/** What changed definitions would do. */
export function preview(question: { definitions?: string; remove?: string[] }) {
  return queryOptions({
    queryKey: ["preview", question],
    queryFn: async ({ signal }) => {
      const headers = { "content-type": "application/json" };
      const answer = await ask("/api/v1/preview", { method: "POST", headers, body: JSON.stringify(question), signal });
      if (!answer.ok) throw await problemOf(answer);
      return (await answer.json()) as Schemas["PreviewAnswer"];
    },
    retry: false,
  });
}

interface Write {
  id: string;
  text: string;
  /** The version that was seen; none = it must be new. */
  seen: number | undefined;
}

/** Writes a draft down. */
export async function write({ id, text, seen }: Write): Promise<Definition> {
  const expected: Record<string, string> = seen === undefined ? { "if-none-match": "*" } : { "if-match": `"${seen}"` };
  const headers = { "content-type": "application/yaml", ...expected };
  const answer = await ask(`/api/v1/audiences/${id.split("/").map(encodeURIComponent).join("/")}`, {
    method: "PUT",
    headers,
    body: text,
  });
  if (!answer.ok) throw await problemOf(answer);
  return (await answer.json()) as Definition;
}

interface Upload {
  text: string;
  publish: boolean;
  dryRun: boolean;
  comment?: string;
  confirm?: string | undefined;
}

/** Many definitions at once. */
export async function upload({ text, publish, dryRun, comment, confirm }: Upload): Promise<Schemas["Changed"]> {
  const query = new URLSearchParams({ publish: String(publish), dry_run: String(dryRun) });
  if (comment) query.set("comment", comment);
  if (confirm) query.set("confirm", confirm);
  const headers = { "content-type": "application/yaml" };
  const answer = await ask(`/api/v1/definitions?${query.toString()}`, { method: "POST", headers, body: text });
  if (!answer.ok) throw await problemOf(answer);
  return (await answer.json()) as Schemas["Changed"];
}

export function isProblem(error: Error | null, status: number): error is Problem {
  return error instanceof Problem && error.status === status;
}
