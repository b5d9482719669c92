import { Link } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { Outcome, Publishing, Running, WhatFailed, useDuration } from "../../base/builds";
import { useFormat } from "../../base/format";
import { Card, Notice } from "../../ui/Layout";

/** What is built, what became of the last, and whether what was published answers. */
export function Building({ of }: { of: Schemas["BuildsAnswer"] }) {
  const { t } = useTranslation(["home", "builds"]);
  const format = useFormat();
  const duration = useDuration();
  const last = of.ended[0];
  return (
    <Card
      title={t("building.title")}
      aside={of.builds && <Link href="/generations?tab=builds">{t("building.more")}</Link>}
    >
      <Publishing of={of} />
      <Running of={of} />
      {of.builds && of.running.length === 0 && of.queued.length === 0 && <p>{t("building.idle")}</p>}
      {last && (
        <div className="stack" style={{ gap: 6 }}>
          <h3>{t("building.last")}</h3>
          <div className="row">
            <Outcome outcome={last.outcome} />
            <span>
              {t("building.lastText", {
                kind: t(`builds:kind.${last.kind}`),
                ago: format.ago(last.began),
                duration: duration(last.seconds),
                why: t(`builds:why.${last.why}`),
              })}
            </span>
          </div>
          {last.failure && last.failure.message !== of.publishing.failure?.message && (
            <Notice tone="bad">
              <WhatFailed failure={last.failure} />
            </Notice>
          )}
        </div>
      )}
    </Card>
  );
}
