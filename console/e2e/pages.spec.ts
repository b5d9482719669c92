/** Every page at three widths in both themes: it loads, fits, has no barrier; and in the states that are not the usual one. */
import type { Page } from "@playwright/test";
import { barriers, enter, enterWith, expect, expectNoSidewaysScroll, open, settled, test } from "./guard";
import { places } from "./places";
import { empty } from "./server";

const WIDTHS = [360, 768, 1440];
const THEMES = ["light", "dark"] as const;
const PICTURES = new URL("../../target/console-screenshots/", import.meta.url).pathname;

/** Places that need neither data nor a server's answer, or of which an empty server has none. */
const isUsual = (name: string) => !["not-found", "forbidden", "audience", "audience-new", "campaign"].includes(name);

/** Looks at what is there in every width and theme, and takes a picture of each. */
async function expectGood(page: Page, name: string, widths = WIDTHS): Promise<void> {
  for (const colorScheme of THEMES) {
    await page.emulateMedia({ colorScheme });
    for (const width of widths) {
      await page.setViewportSize({ width, height: 900 });
      await expect(page.locator("html")).toHaveAttribute("data-theme", colorScheme);
      await settled(page);
      await test.step(`${name}, ${width} px, ${colorScheme}`, async () => {
        await page.screenshot({ path: `${PICTURES}${name}-${width}-${colorScheme}.png`, fullPage: true });
        await expectNoSidewaysScroll(page);
        expect(await barriers(page)).toEqual([]);
      });
    }
  }
}

for (const { name, path, role } of places) {
  for (const width of WIDTHS) {
    test(`${name} at ${width} px`, async ({ context, page }) => {
      await enter(context, role);
      await page.setViewportSize({ width, height: 900 });
      await open(page, path);
      await expectGood(page, name, [width]);
    });
  }
}

test("signing in", async ({ page, watch }) => {
  // The browser itself notes every refused request: this is how the page learns that nobody is signed in.
  watch.allow(/status of 401/);
  await open(page, "/");
  await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  await expectGood(page, "sign-in");
  await page.getByLabel("Key").fill("vaglio_00000000_wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("That key opens nothing here")).toBeVisible();
  await expectGood(page, "sign-in-refused");
});

test.describe("a server without data", () => {
  test.skip(empty.planner === "", "no such server was named");
  for (const { name, path } of places.filter((place) => isUsual(place.name))) {
    test(`${name} has nothing to show`, async ({ context, page, watch }) => {
      // What needs a generation is refused while there is none.
      watch.allow(/status of 503/);
      await enterWith(context, empty.planner, empty.key);
      await page.setViewportSize({ width: 768, height: 900 });
      await open(page, empty.planner + path);
      await expect(page.getByText("Something went wrong on this page")).toHaveCount(0);
      await expectGood(page, `empty-${name}`, [768]);
    });
  }
});

test.describe("a server that has stopped", () => {
  for (const { name, path, role } of places.filter((place) => isUsual(place.name) && !place.form)) {
    test(`${name} says so`, async ({ context, page, watch }) => {
      watch.allow(/ERR_FAILED|ERR_CONNECTION|Failed to load resource/);
      await enter(context, role);
      await page.setViewportSize({ width: 768, height: 900 });
      await context.route(/\/api\/v1\/(?!whoami|session)/, (route) => route.abort("connectionrefused"));
      await page.goto(path);
      await expect(page.locator("h1, h2").first()).toBeVisible();
      await expect(page.getByText("Something went wrong on this page")).toHaveCount(0);
      await expect(page.getByText("The server does not answer").first()).toBeVisible();
      await page.screenshot({ path: `${PICTURES}stopped-${name}.png`, fullPage: true });
      await expectNoSidewaysScroll(page);
      expect(await barriers(page)).toEqual([]);
    });
  }

  test("what was there stays, and says how old it is", async ({ context, page, watch }) => {
    watch.allow(/ERR_FAILED|ERR_CONNECTION|Failed to load resource/);
    await enter(context, "operator");
    await open(page, "/");
    await context.route(/\/api\/v1\//, (route) => route.abort("connectionrefused"));
    await expect(page.getByText(/This could not be renewed/).first()).toBeVisible({ timeout: 60_000 });
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expectGood(page, "stale-home", [768]);
  });
});
