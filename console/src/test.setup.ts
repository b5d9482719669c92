/** Every unit test speaks English and knows no server: `fetch` must be given by the test that needs it. */
import { cleanup } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, vi } from "vitest";
import { queries } from "./api/queries";
import { startLanguage } from "./base/language";

beforeAll(() => startLanguage("en"));
beforeEach(() => {
  // jsdom has none; react-aria names elements by it.
  vi.stubGlobal("CSS", { escape: (text: string) => text.replaceAll(/[^\w-]/g, "\\$&") });
  vi.stubGlobal("fetch", () => Promise.reject(new Error("this test gave no answer to fetch")));
});
afterEach(() => {
  cleanup();
  queries.clear();
});
