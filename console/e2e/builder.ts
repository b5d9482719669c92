/** The rule builder, as somebody uses it: rows that are chosen and filled in, and the same rule as text. */
import { expect, type Locator, type Page } from "@playwright/test";

export const textOf = (page: Page): Locator => page.getByRole("textbox", { name: "The same rule as text" });

/** Replaces the rule's text by typing it. */
export async function typeRule(page: Page, rule: string, delay = 0): Promise<void> {
  await textOf(page).click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("Delete");
  await page.keyboard.type(rule, { delay });
}

/** The text of the rule, on one line. */
export async function ruleText(page: Page): Promise<string> {
  const text = await textOf(page).evaluate((it) =>
    it instanceof HTMLTextAreaElement ? it.value : (it.textContent ?? ""),
  );
  return text.replace(/\s+/g, " ").trim();
}

export const conditions = (page: Page): Locator =>
  page.locator("[data-row]").filter({ has: page.getByRole("combobox", { name: "What the condition is about" }) });

/** Chooses from a field that is found by typing. */
export async function choose(within: Locator, field: string, typed: string, option: string | RegExp): Promise<void> {
  const box = within.getByRole("combobox", { name: field });
  await box.fill(typed);
  await within.page().getByRole("option", { name: option }).first().click();
}

/** Chooses from a list that opens when it is clicked. */
export async function select(within: Locator, field: RegExp, option: string): Promise<void> {
  await within.getByRole("button", { name: field }).click();
  await within.page().getByRole("option", { name: option, exact: true }).click();
}

/** One more condition at the end: what it is about is chosen, the rest is the caller's. */
export async function addCondition(page: Page, subject: string): Promise<Locator> {
  const empty = page.getByRole("group", { name: "a condition that is not chosen yet" });
  const more = page.getByRole("button", { name: "Condition", exact: true }).last();
  // The rows come later than the page, and one that is empty may be among them.
  await expect(more).toBeVisible();
  if ((await empty.count()) === 0) await more.click();
  await choose(empty.last(), "What the condition is about", subject, new RegExp(`^${subject}`));
  await expect(empty).toHaveCount(0);
  return conditions(page).last();
}
