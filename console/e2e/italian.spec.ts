/** In Italian: no text is missing, and none is left in English. */
import { readFileSync, readdirSync } from "node:fs";
import type { Page } from "@playwright/test";
import { enter, expect, open, test } from "./guard";
import { places } from "./places";

test.use({ locale: "it-IT" });

type Words = { [key: string]: string | Words };

/** Every text of a language, by its key within its file. */
function textsOf(language: "en" | "it"): [string, string][] {
  const source = new URL("../src/", import.meta.url).pathname;
  const files = readdirSync(source, { recursive: true, encoding: "utf8" });
  const flat = (words: Words, above = ""): [string, string][] =>
    Object.entries(words).flatMap(([key, text]) =>
      typeof text === "string" ? [[above + key, text] as [string, string]] : flat(text, `${above}${key}.`),
    );
  return files
    .filter((name) => name.endsWith(`/${language}.json`))
    .flatMap((name) => flat(JSON.parse(readFileSync(source + name, "utf8")) as Words));
}

const italian = new Set(textsOf("it").map(([, text]) => text));
const keys = new Set(textsOf("en").map(([key]) => key));
/** Short words may well be the same thing in data ("age", "region"): a sentence is nobody's but ours. */
const english = new Set(
  textsOf("en")
    .map(([, text]) => text)
    .filter((text) => !italian.has(text) && !text.includes("{{") && text.length > 3),
);

/** What can be read or heard on the page. */
function spoken(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const said: (string | null)[] = [document.title];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const parent = texts.currentNode.parentElement;
      if (parent?.closest("script, style, noscript, code, .mono, .cm-editor")) continue;
      said.push(texts.currentNode.textContent);
    }
    for (const element of document.querySelectorAll("[aria-label], [placeholder], [title], [alt]")) {
      for (const name of ["aria-label", "placeholder", "title", "alt"]) said.push(element.getAttribute(name));
    }
    return said.map((text) => text?.trim() ?? "").filter((text) => text !== "");
  });
}

for (const { name, path, role } of places) {
  test(`${name} speaks Italian`, async ({ context, page }) => {
    await enter(context, role);
    await open(page, path);
    await expect(page.locator("html")).toHaveAttribute("lang", "it");
    const said = await spoken(page);
    const asKeys = said.filter((text) => keys.has(text) && /[.A-Z]/.test(text.slice(1)) && !italian.has(text));
    expect(asKeys, "keys without a text").toEqual([]);
    expect(
      said.filter((text) => english.has(text)),
      "texts that are still English",
    ).toEqual([]);
  });
}
