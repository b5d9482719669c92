/** Signing in and out: a key is exchanged once for a session cookie (same-site, not for scripts). */
import { ask, problemOf, type Schemas } from "./client";

export async function signIn(key: string): Promise<Schemas["Whoami"]> {
  const headers = { "content-type": "application/json" };
  const response = await ask("/api/v1/session", { method: "POST", headers, body: JSON.stringify({ key }) });
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as Schemas["Whoami"];
}

export async function signOut(): Promise<void> {
  const response = await ask("/api/v1/session", { method: "DELETE" });
  if (!response.ok) throw await problemOf(response);
}
