/** Questions that take their time: lines of progress, then the result. Aborting the signal breaks the work off. */
import { Problem, ask, problemOf } from "./client";

type Line<T> =
  { progress: number } | { result: T } | { problem: { status: number; code: string; detail: string; help?: string } };

/**
 * Asks with `Accept: application/x-ndjson`.
 * @param progress is told the share that is done, 0 to 1.
 */
export async function askLong<T>(
  path: string,
  question: unknown,
  signal: AbortSignal,
  progress: (done: number) => void = () => {},
): Promise<T> {
  const headers = { accept: "application/x-ndjson", "content-type": "application/json" };
  const response = await ask(path, { method: "POST", headers, body: JSON.stringify(question), signal });
  if (!response.ok) throw await problemOf(response);
  if (!response.headers.get("content-type")?.includes("ndjson")) return (await response.json()) as T;
  for await (const text of lines(response)) {
    const line = JSON.parse(text) as Line<T>;
    if ("result" in line) return line.result;
    if ("problem" in line) throw new Problem(line.problem);
    progress(line.progress);
  }
  throw new Problem({ status: 0, code: "unreachable", detail: "the answer ended before its result" });
}

async function* lines(response: Response): AsyncGenerator<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (reader) {
    const { value, done } = await reader.read();
    if (done) break;
    const parts = (rest + value).split("\n");
    rest = parts.pop() ?? "";
    yield* parts.filter((part) => part !== "");
  }
  if (rest !== "") yield rest;
}
