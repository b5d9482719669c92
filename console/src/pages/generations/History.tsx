import { Link } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { Outcome, WhatFailed, useDuration } from "../../base/builds";
import { useFormat } from "../../base/format";
import { Empty } from "../../base/states";
import { Notice } from "../../ui/Layout";
import { Table } from "../../ui/Table";

type Ended = Schemas["EndedAnswer"];

/** The last builds, with how long they took and why one failed. */
export function History({ of }: { of: Schemas["BuildsAnswer"] }) {
  const { t } = useTranslation(["generations", "builds"]);
  const format = useFormat();
  const duration = useDuration();
  if (!of.builds) return null;
  if (of.ended.length === 0) {
    return (
      <Empty title={t("history.none")}>
        <p>{t("history.noneHelp")}</p>
      </Empty>
    );
  }
  const failed = of.ended.find((one) => one.failure);
  return (
    <div className="stack">
      {failed?.failure && (
        <Notice tone={failed === of.ended[0] ? "bad" : "plain"}>
          <p>{t("history.failed", { ago: format.ago(failed.began) })}</p>
          <WhatFailed failure={failed.failure} />
        </Notice>
      )}
      <Table
        label={t("tabs.builds")}
        rows={of.ended}
        idOf={(one) => `${one.kind} ${one.began}`}
        columns={[
          { id: "kind", name: t("history.kind"), cell: (one) => t(`builds:kind.${one.kind}`) },
          { id: "outcome", name: t("history.outcome"), cell: outcome },
          { id: "generation", name: t("history.generation"), number: true, cell: made },
          { id: "began", name: t("history.began"), cell: (one) => format.time(one.began) },
          { id: "took", name: t("history.took"), number: true, cell: (one) => duration(one.seconds) },
          { id: "why", name: t("history.why"), cell: (one) => t(`builds:why.${one.why}`) },
          {
            id: "service",
            name: t("history.toService"),
            number: true,
            cell: (one) =>
              one.seconds_to_service === null || one.seconds_to_service === undefined
                ? "–"
                : duration(one.seconds_to_service),
          },
        ]}
      />
      <p className="quiet">{t("history.serviceHelp")}</p>
    </div>
  );
}

const outcome = (one: Ended) => <WithReason one={one} />;

function WithReason({ one }: { one: Ended }) {
  const { t } = useTranslation("builds");
  return (
    <>
      <Outcome outcome={one.outcome} /> {one.failure && t(`reason.${one.failure.reason}`)}
    </>
  );
}

const made = (one: Ended) =>
  one.generation === null || one.generation === undefined ? (
    "–"
  ) : (
    <Link href={`/generations/${one.generation}`}>{one.generation}</Link>
  );
