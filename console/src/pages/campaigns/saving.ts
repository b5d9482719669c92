import { api, body, type Schemas } from "../../api/client";
import type { Place } from "./questions";

/** Writes a draft; nothing is in force before it is published. `version` = what it replaces; without, there must be none yet. */
export function saveDraft(place: Place, text: string, version?: number): Promise<Schemas["Definition"]> {
  const header = version === undefined ? { "if-none-match": "*" } : { "if-match": `"${version}"` };
  return body(
    api.PUT("/api/v1/{kind}/{owner}/{id}", {
      params: { path: place, header },
      headers: { "content-type": "application/yaml" },
      body: text,
      bodySerializer: (yaml: string) => yaml,
    }),
  );
}
