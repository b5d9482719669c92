// The README's pictures, from a running server with some traffic: `node e2e/shots.mjs http://127.0.0.1:8081 KEY`, the key of
// a planner for all owners.
// 1280 px, light, into docs/images/. Each is held under 150 kB; what is not says so.
import { mkdirSync, statSync } from "node:fs";
import { chromium } from "@playwright/test";
import { quietChromium } from "./chromium.mjs";

const LIMIT = 150_000;
const [server = "http://127.0.0.1:8081", key] = process.argv.slice(2);
const images = new URL("../../docs/images/", import.meta.url).pathname;
mkdirSync(images, { recursive: true });

const browser = await chromium.launch(quietChromium());
const context = await browser.newContext({
  baseURL: server,
  viewport: { width: 1280, height: 860 },
  colorScheme: "light",
  locale: "en-GB",
  timezoneId: "Europe/Rome",
  reducedMotion: "reduce",
});
if (key) {
  const answer = await context.request.post(`${server}/api/v1/session`, { data: { key }, headers: { origin: server } });
  if (!answer.ok()) throw new Error(`signing in: ${answer.status()} ${await answer.text()}`);
}
const page = await context.newPage();

async function shot(name, path, prepare = async () => {}) {
  await page.goto(path);
  await page.locator("h1").first().waitFor();
  await prepare();
  await page.waitForFunction(() => document.querySelector("main .skeleton") === null);
  await page.waitForTimeout(1_500);
  const file = `${images}console-${name}.png`;
  await page.screenshot({ path: file });
  const { size } = statSync(file);
  console.log(
    `${(size / 1000).toFixed(0).padStart(4)} kB  docs/images/console-${name}.png${size > LIMIT ? "  TOO BIG" : ""}`,
  );
  if (size > LIMIT) process.exitCode = 1;
}

const rule = "age between 18 and 34 and in audience telco/phone-replacers and not in audience telco/haters";
const builder = new URLSearchParams({ owner: "telco", name: "Young phone replacers, not haters", rule });
const chosen = ["phone-replacers", "old-handset", "upgrade-ready", "android-young"]
  .map((id) => `a=telco/${id}`)
  .join("&");

/** Has a heading stand near the top of the window. */
async function showFrom(name) {
  const heading = page.getByRole("heading", { name }).first();
  await heading.waitFor();
  await heading.evaluate((it) => window.scrollTo(0, it.getBoundingClientRect().top + window.scrollY - 90));
}

await shot("home", "/");
// The whole rule and the whole reach.
await page.setViewportSize({ width: 1280, height: 1112 });
await shot("builder", `/audiences/new?${builder}`, () => page.getByText(/of all profiles/).waitFor());
await page.setViewportSize({ width: 1280, height: 860 });
await shot("overlap", `/overlap?${chosen}`, () => showFrom("Who is in exactly which"));
await shot("campaign", "/campaigns/telco/upgrade-2026?view=funnel", () =>
  page.getByRole("heading", { name: "Funnel" }).waitFor(),
);
await shot("explain", "/explain?what=telco/upgrade-ready", async () => {
  await page.getByRole("button", { name: "Show people" }).click();
  await page
    .getByText(/people are shown/)
    .first()
    .waitFor({ state: "attached" });
  await showFrom(/^Person 1/);
});
await browser.close();
