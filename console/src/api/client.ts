/** The one way to the planner: typed by its OpenAPI description, with refusals as `Problem`s that are thrown. */
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
type ProblemBody = Schemas["Problem"];
export type Fault = Schemas["Fault"];

/** What the planner refused, as RFC 9457 has it, or why it could not be asked (`code: "unreachable"`, status 0). */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly help: string | undefined;
  readonly errors: readonly Fault[];
  /** After how many seconds it may be tried again. */
  readonly retryAfter: number | undefined;

  constructor(body: Partial<ProblemBody> & { status: number; code: string; detail: string }, retryAfter?: number) {
    super(body.detail);
    this.name = "Problem";
    this.status = body.status;
    this.code = body.code;
    this.help = body.help;
    this.errors = body.errors ?? [];
    this.retryAfter = retryAfter;
  }
}

/** Reads a refusal: what is no problem document (a proxy's page, say) becomes one. */
export async function problemOf(response: Response): Promise<Problem> {
  const retryAfter = Number(response.headers.get("retry-after")) || undefined;
  try {
    const body = (await response.json()) as ProblemBody;
    if (typeof body.detail === "string") return new Problem({ ...body, status: response.status }, retryAfter);
  } catch {
    // Not JSON: what follows says so.
  }
  const detail = `${response.status} ${response.statusText}`.trim();
  return new Problem({ status: response.status, code: "unreadable", detail }, retryAfter);
}

/** `fetch`, with a server that does not answer told as a problem. An abort stays an abort. */
export async function ask(request: Request | string, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(request, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem({ status: 0, code: "unreachable", detail: "the server does not answer" });
  }
}

const refusals: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw await problemOf(response);
    return undefined;
  },
};

export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: ask, credentials: "same-origin" });
api.use(refusals);

/** The body of an answer that is there because refusals are thrown. */
export async function body<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}
