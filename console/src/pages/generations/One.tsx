import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";
import { api, body, type Schemas } from "../../api/client";
import { generations } from "../../api/queries";
import { useOperates } from "../../base/builds";
import { useFormat } from "../../base/format";
import { Answer, Empty } from "../../base/states";
import { Button, ButtonLink } from "../../ui/Button";
import { SearchField } from "../../ui/Fields";
import { Badge, Card, Notice, Page, Stat } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import { GoBack, WaitingFor, useGoBack } from "./GoBack";
import { States } from "./List";
import { madeBy } from "./comparing";

type Detail = Schemas["GenerationAnswer"];
type Audience = Schemas["AudienceLine"];

/** A generation: what it was built from, and who is in what. */
export function One() {
  const { t } = useTranslation("generations");
  const generation = Number(useParams().generation);
  const listed = useQuery(generations);
  const detail = useQuery({
    queryKey: ["generation", generation],
    queryFn: ({ signal }) =>
      body(api.GET("/api/v1/generations/{generation}", { params: { path: { generation } }, signal })),
  });
  return (
    <Page
      title={t("one.title", { number: generation })}
      lede={<Link href="/generations">{t("one.back")}</Link>}
      actions={listed.data && <Actions of={listed.data} generation={generation} />}
    >
      <Answer query={detail}>
        {(data) => (
          <>
            {listed.data && <States line={data} of={listed.data} />}
            {data.refused ? (
              <Notice tone="bad">{t("one.refused", { why: data.refused })}</Notice>
            ) : (
              <Summary of={data} />
            )}
            <Sources of={data} />
            <Audiences of={data.audience_list} />
          </>
        )}
      </Answer>
    </Page>
  );
}

function Actions({ of, generation }: { of: Schemas["GenerationsAnswer"]; generation: number }) {
  const { t } = useTranslation("generations");
  const operates = useOperates();
  const back = useGoBack(of);
  const line = of.generations.find((one) => one.generation === generation);
  if (line === undefined || line.refused) return null;
  const other = of.in_service === generation ? undefined : of.in_service;
  return (
    <>
      <WaitingFor back={back} />
      {of.generations.length > 1 && (
        <ButtonLink
          href={
            other === null || other === undefined
              ? `/generations/compare?after=${generation}`
              : `/generations/compare?before=${generation}&after=${other}`
          }
        >
          {t("one.compare")}
        </ButtonLink>
      )}
      {operates && of.live !== generation && back.button(line)}
      <GoBack back={back} of={of} />
    </>
  );
}

function Summary({ of }: { of: Detail }) {
  const { t } = useTranslation("generations");
  const format = useFormat();
  if (of.as_of === undefined) return null;
  return (
    <Card title={t("one.summary")}>
      <div className="grid">
        <Stat label={t("columns.profiles")} value={format.number(of.profiles ?? 0)} />
        <Stat label={t("columns.audiences")} value={format.number(of.audiences ?? 0)} />
        <Stat label={t("columns.bytes")} value={format.bytes(of.bytes ?? 0)} />
      </div>
      <p>
        {t("one.asOf", { time: format.time(of.as_of), ago: format.ago(of.as_of) })} {t(`one.made.${madeBy(of)}`)}{" "}
        {of.created && t("one.created", { time: format.time(of.created) })}
      </p>
    </Card>
  );
}

function Sources({ of }: { of: Detail }) {
  const { t } = useTranslation("generations");
  const format = useFormat();
  const sources = of.sources ?? [];
  if (sources.length === 0) return null;
  return (
    <Card title={t("sources.title")}>
      <Table
        label={t("sources.of")}
        rows={sources}
        idOf={(source) => source.name}
        columns={[
          { id: "name", name: t("sources.source"), cell: (source) => source.name },
          { id: "fresh", name: t("sources.fresh"), cell: fresh },
          {
            id: "newest",
            name: t("sources.newest"),
            cell: (source) => (source.newest ? format.time(source.newest) : "–"),
          },
          { id: "taken", name: t("sources.taken"), number: true, cell: (source) => format.number(source.accepted) },
          {
            id: "rejected",
            name: t("sources.rejected"),
            number: true,
            cell: (source) => format.number(source.rejected),
          },
        ]}
      />
    </Card>
  );
}

const fresh = (source: Schemas["SourceAge"]) => <Freshness stale={source.stale} />;

function Freshness({ stale }: { stale: boolean }) {
  const { t } = useTranslation("generations");
  return <Badge tone={stale ? "warn" : "good"}>{t(stale ? "sources.stale" : "sources.isFresh")}</Badge>;
}

/** So many rows are shown at first. */
const FIRST = 50;

function Audiences({ of }: { of: readonly Audience[] }) {
  const { t } = useTranslation(["generations", "base"]);
  const format = useFormat();
  const [text, setText] = useState("");
  const [all, setAll] = useState(false);
  const found = of
    .filter((one) => one.id.toLowerCase().includes(text.trim().toLowerCase()))
    .toSorted((a, b) => (b.members ?? -1) - (a.members ?? -1));
  return (
    <Card title={t("one.audiences")} aside={<span className="quiet">{t("one.found", { count: found.length })}</span>}>
      {of.length === 0 ? (
        <Empty title={t("one.noAudiences")}>
          <p>{t("one.noAudiencesHelp")}</p>
        </Empty>
      ) : (
        <>
          <SearchField label={t("one.search")} value={text} onChange={setText} />
          {found.length === 0 && <p role="status">{t("one.notFound")}</p>}
          {found.length > 0 && (
            <Table
              label={t("one.audiencesOf")}
              rows={all ? found : found.slice(0, FIRST)}
              idOf={(one) => one.id}
              columns={[
                { id: "id", name: t("one.audience"), cell: audience },
                {
                  id: "kind",
                  name: t("one.kind"),
                  cell: (one) => t(one.kind === "suppress" ? "one.suppress" : "one.target"),
                },
                {
                  id: "members",
                  name: t("one.members"),
                  number: true,
                  cell: (one) =>
                    one.members === null || one.members === undefined ? t("one.notTold") : format.number(one.members),
                },
              ]}
            />
          )}
          {!all && found.length > FIRST && (
            <div>
              <Button onPress={() => setAll(true)}>{t("base:more")}</Button>
            </div>
          )}
        </>
      )}
    </Card>
  );
}

const audience = (one: Audience) => (
  <>
    <Link href={`/audiences/${one.id}`}>{one.id}</Link>
    {one.flagged && (
      <>
        {" "}
        <Badge tone="warn">{one.flagged}</Badge>
      </>
    )}
  </>
);
