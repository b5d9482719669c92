import { QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { queries, whoami } from "../api/queries";
import { PublishDialog } from "./PublishDialog";

const who = { name: "k1", owner: "acme", role: "planner", may: [] } as const;
const dry = {
  dry_run: true,
  items: [{ kind: "audience", id: "acme/gold", version: 2, state: "published" }],
  unchanged: [],
  warnings: [],
  affected: { audiences: ["acme/gold"], campaigns: ["acme/autumn"] },
  needs_confirmation: [
    { code: "members_moved", kind: "audience", id: "acme/gold", detail: "", members: 66, joins: 0, leaves: 37 },
  ],
  confirm: "token",
  definitions: "d2",
};

/** A server that answers each path in turn; what it was sent is kept. */
function serve(answers: Record<string, { status?: number; body: unknown }[]>): Record<string, unknown>[] {
  const sent: Record<string, unknown>[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const { pathname } = new URL(request.url);
    if (request.method === "POST") sent.push((await request.json()) as Record<string, unknown>);
    const left = answers[pathname] ?? [];
    const answer = left.length > 1 ? left.shift() : left[0];
    return new Response(JSON.stringify(answer?.body), { status: answer?.status ?? 200 });
  });
  return sent;
}

function show(role: "planner" | "operator" = "planner") {
  queries.setQueryData(whoami.queryKey, { ...who, may: [], role });
  const items = [{ kind: "audience", id: "acme/gold" }];
  render(
    <QueryClientProvider client={queries}>
      <PublishDialog items={items} isOpen onClose={() => {}} />
    </QueryClientProvider>,
  );
}

test("asks for what must be confirmed, sends the token, and says when it is in service", async () => {
  const state = (state: string) => ({
    body: { builds: true, publishing: { state, definitions: "d2", generation: 7 }, running: [], queued: [], ended: [] },
  });
  const sent = serve({
    "/api/v1/publish": [{ body: dry }, { body: { ...dry, dry_run: false, change: 2, time: "2026-11-01T10:00:00Z" } }],
    "/api/v1/builds": [state("building"), state("in_service")],
    "/api/v1/whoami": [{ body: who }],
  });
  show();
  expect(await screen.findByText("Many people move: of 66 in acme/gold, 37 leave and 0 join.")).toBeDefined();
  const publish = screen.getByRole("button", { name: "Publish" });
  expect(publish.hasAttribute("disabled")).toBe(true);
  await userEvent.click(screen.getByRole("checkbox"));
  fireEvent.change(screen.getByRole("textbox"), { target: { value: "fewer, on purpose" } });
  await userEvent.click(publish);
  expect(
    await screen.findByText(/in service: the bid doors answer from it \(generation 7\)/, {}, { timeout: 3000 }),
  ).toBeDefined();
  expect(sent[1]).toEqual({
    items: [{ kind: "audience", id: "acme/gold" }],
    dry_run: false,
    comment: "fewer, on purpose",
    confirm: "token",
  });
}, 20_000);

test("what changed meanwhile must be read and confirmed again", async () => {
  const problem = { status: 409, code: "needs_confirmation", detail: "this must be confirmed" };
  serve({
    "/api/v1/publish": [{ body: dry }, { status: 409, body: problem }, { body: { ...dry, confirm: "newer" } }],
    "/api/v1/whoami": [{ body: who }],
  });
  show();
  await userEvent.click(await screen.findByRole("checkbox"));
  await userEvent.click(screen.getByRole("button", { name: "Publish" }));
  expect(await screen.findByText(/Somebody changed something meanwhile/)).toBeDefined();
  await vi.waitFor(() => expect(screen.getByRole<HTMLInputElement>("checkbox").checked).toBe(false));
}, 20_000);

test("says who can where the key may not", async () => {
  serve({ "/api/v1/whoami": [{ body: { ...who, role: "operator" } }] });
  show("operator");
  expect(await screen.findByText(/Planners and approvers publish/)).toBeDefined();
  expect(screen.queryByRole("button", { name: "Publish" })).toBeNull();
}, 20_000);
