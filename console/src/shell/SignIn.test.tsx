import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { App } from "./App";

const wait = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

test("a wrong key is told, and the form stays", async () => {
  const problem = { type: "urn:vaglio:problem:unauthenticated", title: "", detail: "no", code: "unauthenticated" };
  vi.stubGlobal("fetch", async () => {
    // As a network does: an answer that is there at once hides what is shown meanwhile.
    await wait(20);
    return Response.json({ ...problem, status: 401 }, { status: 401 });
  });
  render(<App />);
  await userEvent.type(await screen.findByLabelText(/^Key/), "vaglio_wrong");
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
  await wait(200);
  expect(screen.queryByText("That key opens nothing here")).not.toBeNull();
});
