import { expect, test, vi } from "vitest";
import { erase, object } from "./deeds";

const eids = [
  { source: "crm", uid: "C1" },
  { source: "fax", uid: "12" },
];

/** Requests need a whole address outside a browser. */
function answering(answer: (request: Request) => unknown): Request[] {
  const asked: Request[] = [];
  vi.stubGlobal(
    "Request",
    class extends Request {
      constructor(input: string, init?: RequestInit) {
        super(new URL(input, "http://console.test/"), init);
      }
    },
  );
  vi.stubGlobal("fetch", (request: Request) => {
    asked.push(request.clone());
    return Promise.resolve(Response.json(answer(request)));
  });
  return asked;
}

test("each objection is a line of its own, and each line has its fate", async () => {
  const results = [
    { line: 1, status: "accepted" },
    { line: 2, status: "rejected", reason: "there is no identifier type `fax`" },
  ];
  const asked = answering(() => ({ accepted: 1, duplicate: 0, rejected: 1, results }));
  expect(await object(eids, "marketing")).toEqual([undefined, "there is no identifier type `fax`"]);
  const [request] = asked;
  expect(request?.headers.get("content-type")).toBe("application/x-ndjson");
  const lines = ((await request?.text()) ?? "").split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ type, scope, eids }) => ({ type, scope, eids }))).toEqual(
    eids.map((eid) => ({ type: "objection", scope: "marketing", eids: [eid] })),
  );
});

test("a deletion is told with its entry in the audit trail, and holds without it", async () => {
  const entry = { number: 7, time: "2026-11-22T12:00:00Z", who: "key", what: "delete", link: "abc" };
  const done = { identifiers: 3, profiles: 1, purged_by: "2026-11-29T12:00:00Z" };
  const asked = answering(({ method }) => (method === "DELETE" ? done : { entries: [entry], holds: true }));
  expect(await erase(eids)).toEqual({ ...done, entry });
  expect(asked.map(({ method, url }) => `${method} ${new URL(url).pathname}`)).toEqual([
    "DELETE /api/v1/profiles",
    "GET /api/v1/audit",
  ]);
  answering(({ method }) => (method === "DELETE" ? done : { entries: [], holds: true }));
  expect(await erase(eids)).toEqual({ ...done, entry: undefined });
});
