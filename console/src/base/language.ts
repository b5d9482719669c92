/** The languages the console speaks. A page's words are beside it (`en.json`, `it.json`); a language is loaded when it is spoken. */
import i18n from "i18next";
import { initReactI18next } from "react-i18next";
import type en from "../language/en";

export const languages = { en: "English", it: "Italiano" } as const;
export type Language = keyof typeof languages;

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "base";
    resources: typeof en;
  }
}

const KEY = "vaglio.language";
const load = { en: () => import("../language/en"), it: () => import("../language/it") };

function isLanguage(text: string | null | undefined): text is Language {
  return text !== null && text !== undefined && text in languages;
}

/** What was chosen, else the first of the browser's languages that the console speaks. */
function preferred(): Language {
  const chosen = localStorage.getItem(KEY);
  if (isLanguage(chosen)) return chosen;
  return navigator.languages.map((tag) => tag.slice(0, 2)).find(isLanguage) ?? "en";
}

async function speak(language: Language): Promise<void> {
  if (!i18n.hasResourceBundle(language, "base")) {
    const { default: words } = await load[language]();
    for (const [name, bundle] of Object.entries(words)) i18n.addResourceBundle(language, name, bundle);
  }
  await i18n.changeLanguage(language);
  document.documentElement.lang = language;
}

/** To be awaited once, before anything is drawn. */
export async function startLanguage(language: Language = preferred()): Promise<void> {
  await i18n.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: {},
    defaultNS: "base",
    // React escapes what it draws.
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  await speak(language);
}

export async function setLanguage(language: Language): Promise<void> {
  localStorage.setItem(KEY, language);
  await speak(language);
}
