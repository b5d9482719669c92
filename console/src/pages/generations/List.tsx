import { useQuery } from "@tanstack/react-query";
import { Link } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import type { Schemas } from "../../api/client";
import { builds, generations } from "../../api/queries";
import { Publishing, Running, useOperates } from "../../base/builds";
import { useFormat } from "../../base/format";
import { Answer, Empty } from "../../base/states";
import { ButtonLink } from "../../ui/Button";
import { Badge, Card, Notice, Page, Tabs } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import { BuildNow } from "./BuildNow";
import { History } from "./History";
import { GoBack, Unpin, WaitingFor, useGoBack } from "./GoBack";
import { madeBy } from "./comparing";

type Listed = Schemas["GenerationsAnswer"];
type Line = Schemas["GenerationLine"];

/** What was built, and the way back. */
export function List() {
  const { t } = useTranslation("generations");
  const [search, setSearch] = useSearchParams();
  const listed = useQuery(generations);
  const building = useQuery(builds);
  const operates = useOperates();
  const several = (listed.data?.generations.filter((one) => one.as_of !== undefined).length ?? 0) > 1;
  return (
    <Page
      title={t("title")}
      lede={t("lede")}
      actions={
        <>
          {several && <ButtonLink href="/generations/compare">{t("compare.open")}</ButtonLink>}
          {operates && building.data?.builds && <BuildNow />}
        </>
      }
    >
      {building.data && building.data.running.length + building.data.queued.length > 0 && (
        <Card title={t("now")}>
          <Running of={building.data} />
        </Card>
      )}
      <Tabs
        label={t("title")}
        selected={search.get("tab") === "builds" ? "builds" : "generations"}
        onSelect={(tab) => setSearch(tab === "builds" ? { tab } : {}, { replace: true })}
        tabs={[
          {
            id: "generations",
            name: t("tabs.generations"),
            content: <Answer query={listed}>{(data) => <Lines of={data} operates={operates} />}</Answer>,
          },
          {
            id: "builds",
            name: t("tabs.builds"),
            content: (
              <Answer query={building}>
                {(data) => (
                  <div className="stack">
                    <Publishing of={data} />
                    <History of={data} />
                  </div>
                )}
              </Answer>
            ),
          },
        ]}
      />
    </Page>
  );
}

function Lines({ of, operates }: { of: Listed; operates: boolean }) {
  const { t } = useTranslation("generations");
  const format = useFormat();
  const back = useGoBack(of);
  if (of.generations.length === 0) {
    return (
      <Empty title={t("none")}>
        <p>{t("noneHelp")}</p>
      </Empty>
    );
  }
  return (
    <div className="stack">
      {of.pinned !== null && of.pinned !== undefined && (
        <Notice tone="warn">
          <div className="row spread">
            <span>{t("pinnedNow", { number: of.pinned })}</span>
            {operates && <Unpin />}
          </div>
        </Notice>
      )}
      <WaitingFor back={back} />
      <Table
        label={t("title")}
        rows={of.generations}
        idOf={(line) => String(line.generation)}
        columns={[
          { id: "number", name: t("columns.number"), cell: numbered },
          { id: "state", name: t("columns.state"), cell: (line) => badges(line, of) },
          { id: "asOf", name: t("columns.asOf"), cell: (line) => (line.as_of ? format.time(line.as_of) : "–") },
          {
            id: "made",
            name: t("columns.made"),
            cell: (line) => (line.refused ? line.refused : t(`made.${madeBy(line)}`)),
          },
          { id: "profiles", name: t("columns.profiles"), number: true, cell: (line) => numberOr(line.profiles) },
          { id: "audiences", name: t("columns.audiences"), number: true, cell: (line) => numberOr(line.audiences) },
          {
            id: "bytes",
            name: t("columns.bytes"),
            number: true,
            cell: (line) => (line.bytes === undefined ? "–" : format.bytes(line.bytes)),
          },
          ...(operates ? [{ id: "back", name: t("columns.back"), hideName: true, cell: goBack }] : []),
        ]}
      />
      <p className="quiet">{t("kept")}</p>
      <GoBack back={back} of={of} />
    </div>
  );

  function numberOr(value: number | undefined): string {
    return value === undefined ? "–" : format.number(value);
  }

  function goBack(line: Line) {
    return line.refused || line.generation === of.live ? null : back.button(line);
  }
}

const numbered = (line: Line) =>
  line.refused ? line.generation : <Link href={`/generations/${line.generation}`}>{line.generation}</Link>;

const badges = (line: Line, of: Listed) => <States line={line} of={of} />;

/** Live, in service, pinned, unusable: as words. */
export function States({ line, of }: { line: Line; of: Listed }) {
  const { t } = useTranslation("generations");
  const number = line.generation;
  return (
    <div className="row" style={{ gap: 4 }}>
      {of.in_service === number && <Badge tone="good">{t("state.inService")}</Badge>}
      {of.live === number && of.in_service !== number && <Badge tone="accent">{t("state.live")}</Badge>}
      {of.pinned === number && <Badge tone="warn">{t("state.pinned")}</Badge>}
      {line.refused && <Badge tone="bad">{t("state.refused")}</Badge>}
    </div>
  );
}
