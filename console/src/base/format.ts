/** Numbers, shares and times as the chosen language writes them. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

export interface Format {
  /** 12,345 */
  number: (value: number) => string;
  /** 1.2M: where exactness does not matter. */
  short: (value: number) => string;
  /** A share of 1 as 12.3 %. */
  share: (value: number) => string;
  /** A day and a minute, in the reader's time zone. */
  time: (instant: string) => string;
  /** A day, of an instant or of `YYYY-MM-DD`. */
  day: (instant: string) => string;
  /** 3 hours ago */
  ago: (instant: string, now?: number) => string;
  /** 12 MB */
  bytes: (count: number) => string;
}

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

function formatIn(language: string): Format {
  const number = new Intl.NumberFormat(language);
  const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
  const share = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  const time = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const day = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
  const date = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  return {
    number: (value) => number.format(value),
    short: (value) => short.format(value),
    share: (value) => share.format(value),
    time: (instant) => time.format(new Date(instant)),
    day: (instant) => (instant.length === 10 ? date : day).format(new Date(instant)),
    ago: (instant, now = Date.now()) => {
      const seconds = Math.round((new Date(instant).getTime() - now) / 1000);
      const [unit, length] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
      return relative.format(Math.trunc(seconds / length), unit);
    },
    bytes: (count) => {
      const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
      const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(count, 1)) / 3)));
      const unit = units[step] ?? "byte";
      const style = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: step > 1 ? 1 : 0 } as const;
      return new Intl.NumberFormat(language, style).format(count / 1000 ** step);
    },
  };
}

export function useFormat(): Format {
  const { i18n } = useTranslation();
  return useMemo(() => formatIn(i18n.language), [i18n.language]);
}
