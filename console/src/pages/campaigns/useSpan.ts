import { useTranslation } from "react-i18next";

const UNITS: Record<string, string> = { s: "second", m: "minute", h: "hour", d: "day", w: "week" };

/** A length of time as definitions have it (`24h`), as one says it; another spelling stays as it is. */
function spanIn(language: string, span: string): string {
  const [, count, letter] = /^(\d+)\s*([smhdw])$/.exec(span) ?? [];
  const unit = letter === undefined ? undefined : UNITS[letter];
  if (unit === undefined) return span;
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(Number(count));
}

export function useSpan(): (span: string) => string {
  const { i18n } = useTranslation();
  return (span) => spanIn(i18n.language, span);
}
