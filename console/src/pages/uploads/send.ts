/** Sends a file, telling how much of it is there: `fetch` cannot. */
import { Problem, problemOf, type Schemas } from "../../api/client";

export type Uploaded = Schemas["Uploaded"];
export type Mode = Uploaded["mode"];

export interface Upload {
  list: string;
  mode: Mode;
  file: File;
  dryRun: boolean;
  /** For how many days who joins stays. */
  ttlDays?: number | undefined;
  /** The type of identifiers of which a line does not say it. */
  idType?: string | undefined;
}

export function addressOf({ list, mode, dryRun, ttlDays, idType }: Upload): string {
  const query = new URLSearchParams({ mode, dry_run: String(dryRun) });
  if (ttlDays !== undefined && mode !== "remove") query.set("ttl_days", String(ttlDays));
  if (idType) query.set("type", idType);
  return `/api/v1/lists/${list.split("/").map(encodeURIComponent).join("/")}/members?${query}`;
}

/** @param progress is told the share that was sent; at 1 the server still reads. */
export function send(upload: Upload, signal: AbortSignal, progress: (sent: number) => void): Promise<Uploaded> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const end = () => signal.removeEventListener("abort", stop);
    signal.addEventListener("abort", stop);
    request.upload.addEventListener("progress", (event) => progress(event.total > 0 ? event.loaded / event.total : 0));
    request.upload.addEventListener("load", () => progress(1));
    request.addEventListener("abort", () => {
      end();
      reject(new DOMException("the upload was broken off", "AbortError"));
    });
    request.addEventListener("error", () => {
      end();
      reject(new Problem({ status: 0, code: "unreachable", detail: "the server does not answer" }));
    });
    request.addEventListener("load", () => {
      end();
      answered(request).then(resolve, reject);
    });
    request.open("POST", addressOf(upload));
    request.setRequestHeader("content-type", "application/octet-stream");
    request.send(upload.file);
  });
}

async function answered(request: XMLHttpRequest): Promise<Uploaded> {
  const headers = new Headers();
  const retryAfter = request.getResponseHeader("retry-after");
  if (retryAfter !== null) headers.set("retry-after", retryAfter);
  const { status, statusText } = request;
  const response = new Response(request.responseText, { status, statusText, headers });
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as Uploaded;
}

/** Lines that were not taken, as a file to mend the other one by. */
export function rejectsAsCsv(rejects: Uploaded["rejects"], head: readonly [string, string, string]): string {
  const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const rows = rejects.map((one) => [String(one.line), one.column ?? "", one.reason]);
  return [head, ...rows].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

/** The longest that people stay on a list, in days. */
export function longest(kind: string | undefined): number {
  return kind === "suppress" ? 36_500 : 180;
}

/** Days that were typed: none is a choice, too. */
export function daysOf(text: string, most: number): number | undefined | "wrong" {
  const bare = text.trim();
  if (bare === "") return undefined;
  const days = Number(bare);
  return /^\d+$/.test(bare) && days >= 1 && days <= most ? days : "wrong";
}
