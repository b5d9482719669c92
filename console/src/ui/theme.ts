/** Light or dark: as the system has it, unless somebody chose. */
import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark";
const KEY = "vaglio.theme";
const listeners = new Set<() => void>();
const system = typeof matchMedia === "function" ? matchMedia("(prefers-color-scheme: dark)") : undefined;

function stored(): Theme | null {
  const value = localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : null;
}

export function theme(): Theme {
  return stored() ?? (system?.matches ? "dark" : "light");
}

function apply(): void {
  document.documentElement.dataset.theme = theme();
  for (const listener of listeners) listener();
}

/** To be called once, before anything is drawn. */
export function startTheme(): void {
  system?.addEventListener("change", apply);
  apply();
}

export function setTheme(chosen: Theme): void {
  localStorage.setItem(KEY, chosen);
  apply();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, theme);
}
