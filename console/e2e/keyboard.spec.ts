/** Without a mouse: where the focus is, what is skipped, where it returns to. */
import type { Page } from "@playwright/test";
import { enter, expect, open, test } from "./guard";
import { places } from "./places";

/** What has the focus, and whether one can see that it has. */
function focused(page: Page) {
  return page.evaluate(async () => {
    // The text editor draws its ring a moment after it has the focus.
    await new Promise((drawn) => setTimeout(drawn, 50));
    const element = document.activeElement;
    if (!element || element === document.body) return { name: "nothing", seen: false };
    const box = element.getBoundingClientRect();
    const ringed = (it: Element) => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(it);
      return (outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
    };
    // A field's ring may be drawn by what is around it; the text editor's is.
    const around = [element, element.parentElement, element.closest(".cm-editor")];
    const label = element.getAttribute("aria-label") ?? element.textContent?.trim().slice(0, 40) ?? "";
    return {
      name: `${element.tagName.toLowerCase()} ${label}`,
      seen: around.some((it) => it !== null && ringed(it)) && box.width > 0 && box.height > 0,
    };
  });
}

test("the first key press offers to skip the menu", async ({ context, page }) => {
  await enter(context, "operator");
  await open(page, "/");
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press("Enter");
  await expect(page.locator("#content")).toBeFocused();
});

for (const { name, path, role } of places) {
  test(`the focus can be seen all along ${name}, and is caught nowhere`, async ({ context, page }) => {
    await enter(context, role);
    await open(page, path);
    const unseen: string[] = [];
    const met = new Set<string>();
    for (let pressed = 0; pressed < 60; pressed += 1) {
      await page.keyboard.press("Tab");
      const { name, seen } = await focused(page);
      // Past the last element the browser's own bars have it.
      if (name === "nothing") break;
      met.add(name);
      if (!seen) unseen.push(name);
    }
    expect(unseen).toEqual([]);
    expect(met.size).toBeGreaterThan(3);
  });
}

test("the account's dialog gives the focus back", async ({ context, page }) => {
  await enter(context, "operator");
  await open(page, "/");
  const account = page.getByRole("button", { name: "You" });
  await account.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "You" })).toBeVisible();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "You" })).toHaveCount(0);
  await expect(account).toBeFocused();
});

test("the menu of a small screen opens and closes by keyboard", async ({ context, page }) => {
  await enter(context, "operator");
  await page.setViewportSize({ width: 360, height: 800 });
  await open(page, "/");
  const menu = page.getByRole("button", { name: "Menu" });
  await menu.focus();
  await page.keyboard.press("Enter");
  await expect(menu).toHaveAttribute("aria-expanded", "true");
  const audiences = page.getByRole("link", { name: "Audiences", exact: true });
  await expect(audiences).toBeVisible();
  await audiences.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/audiences/);
});
