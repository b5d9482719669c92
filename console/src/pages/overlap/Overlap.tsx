/** How audiences share their people: words, an UpSet picture, every pair. What is chosen is in the address (`?a=`). */
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { vocabulary } from "../../api/queries";
import { useFormat } from "../../base/format";
import { Long } from "../../base/Long";
import { Empty } from "../../base/states";
import { Told } from "../../base/Told";
import { AudiencePicker } from "../../rules/AudiencePicker";
import { Card, Page, Stat } from "../../ui/Layout";
import { Pairs } from "./Pairs";
import { PickedPeople } from "./PickedPeople";
import { together, type OverlapAnswer } from "./regions";
import { Sentences } from "./Sentences";
import { Upset } from "./Upset";

const MOST = 12;

export default function Overlap() {
  const { t } = useTranslation("overlap");
  const [address, go] = useSearchParams();
  const ids = [...new Set(address.getAll("a"))].slice(0, MOST);
  return (
    <Page title={t("title")} lede={t("lede")}>
      <Card>
        <AudiencePicker
          label={t("choose")}
          value={ids}
          onChange={(chosen) =>
            go(
              chosen.map((id): [string, string] => ["a", id]),
              { replace: true },
            )
          }
          max={MOST}
        />
      </Card>
      {ids.length < 2 ? (
        <Empty title={t("chooseTwo")}>
          <p>{t("chooseTwoHelp")}</p>
        </Empty>
      ) : (
        <Long<OverlapAnswer> path="/api/v1/overlap" question={{ sets: ids.map((audience) => ({ audience })) }}>
          {(answer) => <Found ids={ids} answer={answer} />}
        </Long>
      )}
    </Page>
  );
}

function Found({ ids, answer }: { ids: readonly string[]; answer: OverlapAnswer }) {
  const { t } = useTranslation("overlap");
  const format = useFormat();
  const [picked, pick] = useState<readonly number[]>();
  const names = useNames(ids);
  const alone = answer.exclusive.filter((part) => part.sets.length === 1);
  return (
    <>
      <Card title={t("inWords")}>
        <div className="row" style={{ gap: "8px 32px", alignItems: "start" }}>
          <Stat label={t("together")} value={<Told told={together(answer)} />} note={t("togetherNote")} />
          <Stat label={t("inOne")} value={<Told told={together({ ...answer, exclusive: alone })} />} />
          <Stat
            label={t("inAll")}
            value={<Told told={answer.exclusive.find((part) => part.sets.length === ids.length) ?? { count: 0 }} />}
          />
        </div>
        <Sentences answer={answer} names={names} />
        <p className="quiet">
          {t("countedOver", {
            people: format.number(answer.profiles),
            generation: answer.generation,
            time: format.time(answer.as_of),
          })}
        </p>
      </Card>
      <Upset answer={answer} names={names} onPick={pick} />
      <Pairs answer={answer} names={names} onPick={pick} />
      {picked && (
        <PickedPeople
          ids={ids}
          names={names}
          picked={picked.flatMap((at) => ids[at] ?? [])}
          onClose={() => pick(undefined)}
        />
      )}
    </>
  );
}

/** What planners call them; the id until it is known. */
function useNames(ids: readonly string[]): string[] {
  const known = useQuery(vocabulary).data?.audiences;
  const asked = ids.join(" ");
  return useMemo(() => asked.split(" ").map((id) => known?.find((one) => one.id === id)?.name ?? id), [asked, known]);
}
