import { useTranslation } from "react-i18next";
import { Link } from "react-aria-components";
import { useFormat } from "../../base/format";
import { Notice } from "../../ui/Layout";
import type { Warning } from "./warnings";

/** What somebody should know, each with the way to where it is mended. */
export function Warnings({ of, frozenAt }: { of: readonly Warning[]; frozenAt: number | undefined }) {
  const { t } = useTranslation(["home", "builds"]);
  const format = useFormat();
  if (of.length === 0) return null;
  return (
    <section aria-label={t("warningsOf")} className="stack" style={{ gap: 8 }}>
      {of.map((one) => {
        const share = typeof one.values.share === "number" ? format.share(one.values.share) : "";
        const time = frozenAt === undefined ? "" : format.time(new Date(frozenAt).toISOString());
        return (
          <Notice key={one.code} tone={one.tone} live={one.tone === "bad"}>
            {t(`warnings.${one.code}`, { count: 0, ...one.values, share, time })}
            {one.reason && ` ${t(`builds:todo.${one.reason}`)}`}
            {one.to && (
              <>
                {" "}
                <Link href={one.to}>{t(`warningLinks.${linkOf(one.to)}`)}</Link>
              </>
            )}
          </Notice>
        );
      })}
    </section>
  );
}

function linkOf(to: string): "audiences" | "builds" | "generation" | "generations" {
  if (to === "/audiences") return "audiences";
  if (to.includes("tab=builds")) return "builds";
  return to === "/generations" ? "generations" : "generation";
}
