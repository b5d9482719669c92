/** What was typed and not saved: it is kept in this tab until it is saved or thrown away, so leaving by mistake loses nothing. */
import { useEffect, useState } from "react";
import type { Form } from "./definition";

function keyOf(id: string | undefined): string {
  return `vaglio.unsaved.audience.${id ?? "new"}`;
}

interface Kept {
  form: Form;
  /** The version it was typed over. */
  seen: number | undefined;
}

function keptOf(key: string, start: Form): Kept | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "null") as Kept | null;
    return kept ? { ...kept, form: { ...start, ...kept.form } } : undefined;
  } catch {
    return undefined;
  }
}

export function useUnsaved(start: Form, id: string | undefined, version: number | undefined) {
  const key = keyOf(id);
  const [found] = useState(() => keptOf(key, start));
  const [form, setForm] = useState(found?.form ?? start);
  /** It stays when the definition is read again: what was not seen must not be written over. */
  const [seen, setSeen] = useState(found ? found.seen : version);
  /** Whether what is shown was typed earlier. */
  const [isBack, setBack] = useState(found !== undefined && !same(found.form, start));
  const [saved, setSaved] = useState(false);
  const isDirty = !saved && !same(form, start);
  useEffect(() => {
    if (isDirty) sessionStorage.setItem(key, JSON.stringify({ form, seen }));
    else sessionStorage.removeItem(key);
  }, [key, form, isDirty, seen]);
  useEffect(() => {
    if (!isDirty) return undefined;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [isDirty]);
  const discard = () => {
    sessionStorage.removeItem(key);
    setForm(start);
    setSeen(version);
    setBack(false);
  };
  const done = () => {
    sessionStorage.removeItem(key);
    setSaved(true);
  };
  return { form, setForm, isDirty, isBack, discard, done, seen, setSeen };
}

function same(a: Form, b: Form): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
