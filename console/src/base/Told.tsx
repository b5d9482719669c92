import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { useFormat } from "./format";

/** The same as `Told`, as a text: for charts and sentences. */
export function useTold(): (told: Schemas["Told"]) => string {
  const { t } = useTranslation();
  const format = useFormat();
  return useCallback(
    (told: Schemas["Told"]) => {
      if (told.below_floor || told.count === null || told.count === undefined) return t("belowFloor");
      const count = format.number(told.count);
      if (!told.about) return count;
      const margin = told.margin ? ` ± ${format.number(told.margin)}` : "";
      return t("about", { size: count }) + margin;
    },
    [t, format],
  );
}

/** A count as the planner may be told it: exact, about, or too few (`docs/decisions/0011-protected-counts.md`). */
export function Told({ told }: { told: Schemas["Told"] }) {
  return <>{useTold()(told)}</>;
}
