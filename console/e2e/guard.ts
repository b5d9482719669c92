/**
 * Every test's page is watched: an error in the browser's console, an uncaught exception, something that the content
 * security policy refused, or a request to another host than the server fails the test.
 */
import { AxeBuilder } from "@axe-core/playwright";
import { test as base, expect, type BrowserContext, type Page } from "@playwright/test";
import { empty, planner, sessionOf, type Role } from "./server";

export { expect, planner };

/** What a test expects to go wrong, and hosts that it brings along. */
export interface Watch {
  allow: (noise: RegExp) => void;
  alsoHost: (origin: string) => void;
}

interface Watched extends Watch {
  allowed: RegExp[];
  hosts: string[];
  seen: string[];
}

export const test = base.extend<{ watch: Watch }>({
  // oxlint-disable-next-line no-empty-pattern -- Playwright reads the names of what a fixture needs from its pattern
  watch: async ({}, provide) => {
    const watched: Watched = {
      // The tests ask one server at the same time, and it answers four questions at once: the pages ask again.
      allowed: [/status of 429/],
      hosts: [new URL(planner).host, ...(empty.planner ? [new URL(empty.planner).host] : [])],
      seen: [],
      allow: (noise) => watched.allowed.push(noise),
      alsoHost: (origin) => watched.hosts.push(new URL(origin).host),
    };
    await provide(watched);
    expect(watched.seen.filter((noise) => !watched.allowed.some((allowed) => allowed.test(noise)))).toEqual([]);
  },
  context: async ({ context, watch }, provide) => {
    const watched = watch as Watched;
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
      });
    });
    context.on("console", (message) => {
      if (message.type() === "error") watched.seen.push(`console: ${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => watched.seen.push(`uncaught: ${error.error().stack ?? error.error().message}`));
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (/^(https?|wss?):$/.test(url.protocol) && !watched.hosts.includes(url.host)) {
        watched.seen.push(`request to another host: ${url.href}`);
      }
    });
    await provide(context);
  },
});

/** Is somebody of that role who signed in earlier. Where the server is asked without keys there is nothing to do. */
export async function enter(context: BrowserContext, role: Role): Promise<void> {
  const session = sessionOf(role);
  if (session) await context.addCookies([{ ...session, url: planner, httpOnly: true, sameSite: "Strict" }]);
}

/** Exchanges a key for a session, without the page. */
export async function enterWith(context: BrowserContext, origin: string, key: string): Promise<void> {
  const answer = await context.request.post(`${origin}/api/v1/session`, { data: { key }, headers: { origin } });
  expect(answer.status(), await answer.text()).toBe(200);
}

/** Opens a path and waits until everything that was asked for is there. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await settled(page);
}

export async function settled(page: Page): Promise<void> {
  await expect(page.locator("h1, h2").first()).toBeVisible();
  await expect(page.locator("main .skeleton")).toHaveCount(0);
  // Charts are loaded, and drawn a moment after their data came.
  await page.waitForFunction(() =>
    [...document.querySelectorAll(".chart")].every((it) => it.querySelector("canvas, svg")),
  );
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 150))));
}

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What axe-core finds wrong, a line each; nobody may be left out, so none of its rules is turned off. */
export async function barriers(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  return violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${rule.help}: ${node.target.join(" ")} ${node.any[0]?.message ?? ""}`),
  );
}

export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const { wide, room, who } = await page.evaluate(() => {
    const { scrollWidth: wide, clientWidth: room } = document.documentElement;
    const over = [...document.querySelectorAll("main *")].filter((it) => it.getBoundingClientRect().right > room + 1);
    return { wide, room, who: over.slice(0, 3).map((it) => it.outerHTML.slice(0, 120)) };
  });
  expect(wide, `the page is wider than the window: ${who.join(" | ")}`).toBeLessThanOrEqual(room);
}
