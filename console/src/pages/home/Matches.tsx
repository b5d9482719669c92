import type { UseQueryResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { useFormat } from "../../base/format";
import { Bars } from "../../ui/Bars";
import { Card } from "../../ui/Layout";
import { matchesBySource } from "./figures";
import { Waiting } from "./Waiting";

/** How many identifiers of each sort belong to somebody who is known. */
export function Matches({ of }: { of: UseQueryResult<Schemas["Statistics"], Error> }) {
  const { t } = useTranslation("home");
  const format = useFormat();
  const matches = of.data && matchesBySource(of.data);
  return (
    <Card title={t("matches.title")} aside={<span className="quiet">{t("verdicts.aside")}</span>}>
      {matches === undefined ? (
        <Waiting of={of} />
      ) : matches.length === 0 ? (
        <p className="quiet">{t("matches.none")}</p>
      ) : (
        <>
          <Bars
            label={t("matches.title")}
            name={t("matches.source")}
            value={t("matches.share")}
            bars={matches.map((one) => ({
              id: one.source,
              name: <span className="mono">{one.source}</span>,
              share: one.known / one.asked,
              text: t("matches.of", {
                share: format.share(one.known / one.asked),
                known: format.number(one.known),
                asked: format.number(one.asked),
              }),
            }))}
          />
          <p className="quiet">{t("matches.help")}</p>
        </>
      )}
    </Card>
  );
}
