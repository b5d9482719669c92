/** Once, before all tests: a key of every role, and some traffic, so that the pages have something to show. */
import { readFile } from "node:fs/promises";
import { bids, planner, world, type Role } from "./server";

/** Privacy officers are of no single owner; the others see what planners of the demo's owner see. */
const OWNERS: Record<Exclude<Role, "operator">, string> = {
  planner: "telco",
  approver: "telco",
  privacy: "*",
  ingest: "telco",
};

async function post(url: string, body: string, key?: string): Promise<Response> {
  const headers = { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) };
  return fetch(url, { method: "POST", headers, body });
}

interface Made {
  id: string;
  key: string;
}

async function makeKeys(operator: string): Promise<Record<string, Made>> {
  const keys: Record<string, Made> = {};
  for (const [role, owner] of Object.entries(OWNERS)) {
    const wanted = JSON.stringify({ role, owner, expires: "1d", comment: "end-to-end tests" });
    const answer = await post(`${planner}/api/v1/keys`, wanted, operator);
    if (!answer.ok) throw new Error(`a key for ${role}: ${answer.status} ${await answer.text()}`);
    keys[role] = (await answer.json()) as Made;
  }
  return keys;
}

/** Signs in once for each role: how often an address may try is limited. */
async function openSessions(keys: Record<string, string>): Promise<Record<string, string>> {
  const sessions: Record<string, string> = {};
  for (const [role, key] of Object.entries(keys)) {
    const headers = { "content-type": "application/json", origin: planner };
    const answer = await fetch(`${planner}/api/v1/session`, { method: "POST", headers, body: JSON.stringify({ key }) });
    if (!answer.ok) throw new Error(`signing in as ${role}: ${answer.status} ${await answer.text()}`);
    sessions[role] = answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  }
  return sessions;
}

/** An auction's afternoon: the same people looked up, and decided for. */
async function makeTraffic(): Promise<void> {
  const lines = (await readFile(`${world}/lookups.ndjson`, "utf8")).split("\n").filter((line) => line !== "");
  for (const line of lines.slice(0, 300)) {
    await post(`${bids}/v1/lookup`, line);
    await post(`${bids}/v1/decide`, line);
  }
}

/** @returns what takes the keys away again: an owner has two of a role at most. */
export default async function setup(): Promise<() => Promise<void>> {
  const operator = process.env.VAGLIO_E2E_KEY;
  const made = operator ? await makeKeys(operator) : {};
  if (operator) {
    const keys = Object.fromEntries(Object.entries(made).map(([role, { key }]) => [role, key]));
    process.env.VAGLIO_E2E_KEYS = JSON.stringify({ ...keys, operator });
    process.env.VAGLIO_E2E_SESSIONS = JSON.stringify(await openSessions({ ...keys, operator }));
  }
  if (world && bids) await makeTraffic();
  return async () => {
    const headers = { authorization: `Bearer ${operator}` };
    for (const { id } of Object.values(made))
      await fetch(`${planner}/api/v1/keys/${id}`, { method: "DELETE", headers });
  };
}
