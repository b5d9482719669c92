/** What the pages of campaigns ask. */
import { queryOptions } from "@tanstack/react-query";
import { api, body } from "../../api/client";

export type Kind = "campaigns" | "groups" | "pressure";

export interface Place {
  kind: Kind;
  owner: string;
  id: string;
}

/** `owner/id` in its two parts. */
export function placeOf(kind: Kind, id: string): Place {
  const at = id.indexOf("/");
  return { kind, owner: id.slice(0, at), id: id.slice(at + 1) };
}

/** All of a kind; a list has no texts. */
export const definitions = (kind: "campaign" | "group" | "pressure") =>
  queryOptions({
    queryKey: ["definitions", kind],
    queryFn: async ({ signal }) => {
      const all = [];
      let after: string | undefined;
      do {
        const query = { kind, limit: 200, ...(after !== undefined && { after }) };
        const page = await body(api.GET("/api/v1/definitions", { params: { query }, signal }));
        all.push(...page.definitions);
        after = page.next ?? undefined;
      } while (after !== undefined);
      return all;
    },
  });

export const definition = (place: Place) =>
  queryOptions({
    queryKey: ["definition", place],
    queryFn: ({ signal }) => body(api.GET("/api/v1/{kind}/{owner}/{id}", { params: { path: place }, signal })),
  });

export const versions = (place: Place) =>
  queryOptions({
    queryKey: ["versions", place],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v1/{kind}/{owner}/{id}/versions", { params: { path: place, query: { limit: 50 } }, signal })),
  });

export const diff = (place: Place, from: number, to: number) =>
  queryOptions({
    queryKey: ["diff", place, from, to],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v1/{kind}/{owner}/{id}/diff", { params: { path: place, query: { from, to } }, signal })),
    staleTime: Infinity,
  });

const DAY = 86_400_000;

/** Verdicts of whole UTC days up to and with today. Without a campaign: of all. */
export const verdicts = (days: number, campaign?: string) =>
  queryOptions({
    queryKey: ["statistics", "verdicts", days, campaign],
    queryFn: ({ signal }) => {
      const end = (Math.floor(Date.now() / DAY) + 1) * DAY;
      const query = {
        what: "verdicts",
        step: "day",
        from: new Date(end - days * DAY).toISOString(),
        to: new Date(end).toISOString(),
        ...(campaign !== undefined && { campaign }),
      } as const;
      return body(api.GET("/api/v1/statistics", { params: { query }, signal }));
    },
    refetchInterval: 60_000,
  });
