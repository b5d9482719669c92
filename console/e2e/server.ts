/** The server under test, asked directly: what a page says is compared with what these say. */
import { request, type APIRequestContext } from "@playwright/test";

export type Role = "planner" | "approver" | "privacy" | "operator" | "ingest";

export const planner = process.env.VAGLIO_E2E_PLANNER ?? "http://127.0.0.1:8081";
export const bids = process.env.VAGLIO_E2E_BIDS ?? "";
export const world = process.env.VAGLIO_E2E_WORLD ?? "";
export const empty = { planner: process.env.VAGLIO_E2E_EMPTY ?? "", key: process.env.VAGLIO_E2E_EMPTY_KEY ?? "" };

/** A key of that role; none where the server is asked without keys. `setup.ts` makes them. */
export function keyOf(role: Role): string | undefined {
  return (JSON.parse(process.env.VAGLIO_E2E_KEYS ?? "{}") as Partial<Record<Role, string>>)[role];
}

/** The cookie of somebody of that role who is signed in: its name and its value. */
export function sessionOf(role: Role): { name: string; value: string } | undefined {
  const cookie = (JSON.parse(process.env.VAGLIO_E2E_SESSIONS ?? "{}") as Partial<Record<Role, string>>)[role];
  const [name, value] = cookie?.split("=", 2) ?? [];
  return name !== undefined && value !== undefined ? { name, value } : undefined;
}

async function withKey<T>(key: string | undefined, asks: (api: APIRequestContext) => Promise<T>): Promise<T> {
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  const api = await request.newContext({ baseURL: planner, extraHTTPHeaders: headers });
  try {
    return await asks(api);
  } finally {
    await api.dispose();
  }
}

/** GET or, with a body, POST as somebody of that role; what is refused fails the test. */
export function asked<T>(role: Role, path: string, body?: unknown): Promise<T> {
  return withKey(keyOf(role), async (api) => {
    const answer = await (body === undefined ? api.get(path) : api.post(path, { data: body }));
    if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
    return (await answer.json()) as T;
  });
}

/** What the bid door answers to one line of lookups.ndjson. */
export async function lookUp(question: string): Promise<{ status: string; audiences: string[] }> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${bids}/v1/lookup`, { method: "POST", headers, body: question });
  return (await answer.json()) as { status: string; audiences: string[] };
}
