import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { api, body, type Schemas } from "../../api/client";
import { generations } from "../../api/queries";
import { useFormat } from "../../base/format";
import { Answer, Empty, Loading } from "../../base/states";
import { Button } from "../../ui/Button";
import { Checkbox, SearchField, Select } from "../../ui/Fields";
import { Badge, Card, Notice, Page, Stat } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import styles from "./Generations.module.css";
import { byMoved, chosen, differs, type Moved } from "./comparing";

type Comparison = Schemas["ComparisonAnswer"];

/** Who came and who left between two generations. */
export function Compare() {
  const { t } = useTranslation("generations");
  const listed = useQuery(generations);
  return (
    <Page
      title={t("compare.title")}
      lede={
        <>
          {t("compare.lede")} <Link href="/generations">{t("one.back")}</Link>
        </>
      }
    >
      <Answer query={listed}>{(data) => <Chosen of={data} />}</Answer>
    </Page>
  );
}

function Chosen({ of }: { of: Schemas["GenerationsAnswer"] }) {
  const { t } = useTranslation("generations");
  const format = useFormat();
  const [search, setSearch] = useSearchParams();
  const usable = of.generations.filter((one) => one.as_of !== undefined);
  const pair = chosen(
    usable.map((one) => one.generation),
    of.in_service,
    { before: search.get("before"), after: search.get("after") },
  );
  const { before = 0, after = 0 } = pair ?? {};
  const compared = useQuery({
    queryKey: ["generation", "compare", before, after],
    queryFn: ({ signal }) => {
      const params = { path: { before, after } };
      return body(api.GET("/api/v1/generations/{before}/compare/{after}", { params, signal }));
    },
    enabled: pair !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (pair === undefined) {
    return (
      <Empty title={t("compare.noTwo")}>
        <p>{t("compare.noTwoHelp")}</p>
      </Empty>
    );
  }
  const choices = usable.map((one) => ({
    id: String(one.generation),
    name: t(of.in_service === one.generation ? "compare.choiceInService" : "compare.choice", {
      number: one.generation,
    }),
    note: one.as_of === undefined ? "" : format.time(one.as_of),
  }));
  const choose = (which: "before" | "after") => (id: string) =>
    setSearch({ before: String(before), after: String(after), [which]: id }, { replace: true });
  return (
    <>
      <div className={styles.pair}>
        <Select label={t("compare.before")} choices={choices} value={String(before)} onChange={choose("before")} />
        <Select label={t("compare.after")} choices={choices} value={String(after)} onChange={choose("after")} />
        <Button onPress={() => setSearch({ before: String(after), after: String(before) }, { replace: true })}>
          {t("compare.swap")}
        </Button>
      </div>
      {before === after ? (
        <Notice>{t("compare.same")}</Notice>
      ) : compared.isPending && !compared.error ? (
        <>
          <p role="status">{t("compare.working")}</p>
          <Loading />
        </>
      ) : (
        <Answer query={compared}>{(data) => <Result of={data} />}</Answer>
      )}
    </>
  );
}

function Result({ of }: { of: Comparison }) {
  const { t } = useTranslation("generations");
  const format = useFormat();
  const { profiles } = of;
  const moves = ["new", "gone", "merged", "split"] as const;
  return (
    <>
      <Card title={t("columns.profiles")}>
        <div className={styles.figures}>
          <Stat
            label={t("compare.profiles")}
            value={format.number(profiles.after)}
            note={t("compare.profilesBefore", { number: format.number(profiles.before) })}
          />
          {moves.map((move) => (
            <Stat
              key={move}
              label={t(`compare.moves.${move}`)}
              value={format.number(profiles[move])}
              note={t(`compare.movesHelp.${move}`)}
            />
          ))}
        </div>
        <p className="quiet">{t(of.same_index ? "compare.sameIndex" : "compare.otherIndex")}</p>
      </Card>
      <Audiences of={of} />
      <Card title={t("compare.campaigns")}>
        {of.campaigns.length === 0 ? (
          <p className="quiet">{t("compare.noCampaigns")}</p>
        ) : (
          <Table
            label={t("compare.campaignsOf")}
            rows={of.campaigns}
            idOf={(one) => one.id}
            columns={[
              {
                id: "id",
                name: t("compare.campaign"),
                cell: campaign,
              },
              { id: "definition", name: t("compare.definition"), cell: definition },
            ]}
          />
        )}
      </Card>
    </>
  );
}

const campaign = (one: Schemas["CampaignCompared"]) => <Link href={`/campaigns/${one.id}`}>{one.id}</Link>;

const FIRST = 50;

function Audiences({ of }: { of: Comparison }) {
  const { t } = useTranslation(["generations", "base"]);
  const format = useFormat();
  const [text, setText] = useState("");
  const [changedOnly, setChangedOnly] = useState(true);
  const [all, setAll] = useState(false);
  const found = byMoved(of.audiences).filter(
    (one) => (!changedOnly || differs(one)) && one.id.toLowerCase().includes(text.trim().toLowerCase()),
  );
  const most = Math.max(1, ...found.map((one) => Math.max(one.joins ?? 0, one.leaves ?? 0)));
  const told = (count: number | null | undefined) =>
    count === null || count === undefined ? "–" : format.number(count);
  return (
    <Card
      title={t("compare.audiences")}
      aside={<span className="quiet">{t("one.found", { count: found.length })}</span>}
    >
      <div className="row">
        <SearchField label={t("one.search")} value={text} onChange={setText} />
        <Checkbox isSelected={changedOnly} onChange={setChangedOnly}>
          {t("compare.changedOnly")}
        </Checkbox>
      </div>
      {found.length === 0 ? (
        <p role="status">{t(changedOnly && text === "" ? "compare.noneChanged" : "one.notFound")}</p>
      ) : (
        <Table
          label={t("one.audiencesOf")}
          rows={all ? found : found.slice(0, FIRST)}
          idOf={(one) => one.id}
          columns={[
            { id: "id", name: t("one.audience"), cell: named },
            { id: "before", name: t("compare.before"), number: true, cell: (one) => told(one.before) },
            { id: "after", name: t("compare.after"), number: true, cell: (one) => told(one.after) },
            {
              id: "joins",
              name: t("compare.joins"),
              number: true,
              cell: (one) => moved(told(one.joins), (one.joins ?? 0) / most, styles.joins),
            },
            {
              id: "leaves",
              name: t("compare.leaves"),
              number: true,
              cell: (one) => moved(told(one.leaves), (one.leaves ?? 0) / most, styles.leaves),
            },
            {
              id: "moved",
              name: t("compare.moved"),
              number: true,
              cell: (one) => (one.moved === undefined ? t("one.notTold") : format.share(one.moved)),
            },
          ]}
        />
      )}
      {!all && found.length > FIRST && (
        <div>
          <Button onPress={() => setAll(true)}>{t("base:more")}</Button>
        </div>
      )}
    </Card>
  );
}

const named = (one: Moved) => (
  <>
    <Link href={`/audiences/${one.id}`}>{one.id}</Link> {definition(one)}
  </>
);

const definition = (one: { definition?: string | null }) => (one.definition ? <Changed how={one.definition} /> : null);

function Changed({ how }: { how: string }) {
  const { t } = useTranslation("generations");
  if (how === "added") return <Badge tone="good">{t("compare.added")}</Badge>;
  if (how === "removed") return <Badge tone="bad">{t("compare.removed")}</Badge>;
  return <Badge tone="accent">{t("compare.changed")}</Badge>;
}

/** A figure with its bar: all bars of the table are to one scale. */
const moved = (text: string, share: number, look: string | undefined) => (
  <>
    {text}
    <span className={styles.bar} aria-hidden>
      <span className={look} style={{ width: share > 0 ? `max(2px, ${share * 100}%)` : 0 }} />
    </span>
  </>
);
