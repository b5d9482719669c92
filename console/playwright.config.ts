import { defineConfig } from "@playwright/test";
import { quietChromium } from "./e2e/chromium.mjs";

/**
 * The console in a real browser, against a running server. `cargo test --features faults --test console` makes the
 * worlds and says here where they are: `VAGLIO_E2E_PLANNER`, `..._BIDS`, `..._KEY` (an operator's), `..._WORLD` (the
 * directory with lookups.ndjson), `..._EMPTY` and `..._EMPTY_KEY` (a server without a generation).
 */
export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  globalSetup: "./e2e/setup.ts",
  workers: 2,
  retries: 0,
  fullyParallel: true,
  forbidOnly: true,
  // Patience costs nothing where all is well: beside two compilers a page took more than 20 s to come.
  timeout: 180_000,
  globalTimeout: 25 * 60_000,
  expect: { timeout: 45_000 },
  reporter: [["list"]],
  use: {
    baseURL: process.env.VAGLIO_E2E_PLANNER ?? "http://127.0.0.1:8081",
    browserName: "chromium",
    launchOptions: quietChromium(),
    locale: "en-GB",
    timezoneId: "Europe/Rome",
    serviceWorkers: "block",
    actionTimeout: 45_000,
    screenshot: "only-on-failure",
    trace: { mode: "retain-on-failure", screenshots: false, snapshots: false, sources: false },
  },
});
