import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import type { Schemas } from "../../api/client";
import { useFormat } from "../../base/format";
import { useMay } from "../../base/session";
import { Answer, Empty } from "../../base/states";
import { Button, ButtonLink } from "../../ui/Button";
import { SearchField, Select } from "../../ui/Fields";
import { Page } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import { STATUSES, readCampaign, type CampaignForm } from "./definition";
import { definition, definitions, placeOf, verdicts } from "./questions";
import { StateOf } from "./StateOf";
import { useReason } from "./useReason";

type Definition = Schemas["Definition"];

/** So many stand on the page at first, and come with each "more". */
const STEP = 50;

export function CampaignList() {
  const { t } = useTranslation("campaigns");
  const may = useMay();
  const all = useQuery(definitions("campaign"));
  return (
    <Page
      title={t("title")}
      lede={t("lede")}
      actions={
        <>
          <ButtonLink href="/campaigns/limits">{t("limits.title")}</ButtonLink>
          {may("define") && (
            <ButtonLink look="primary" href="/campaigns/new">
              {t("new")}
            </ButtonLink>
          )}
        </>
      }
    >
      <Answer query={all}>
        {(found) =>
          found.length === 0 ? (
            <Empty title={t("none")}>
              <p>{t("noneHelp")}</p>
            </Empty>
          ) : (
            <Filtered all={found} />
          )
        }
      </Answer>
    </Page>
  );
}

function Filtered({ all }: { all: readonly Definition[] }) {
  const { t } = useTranslation(["campaigns", "base"]);
  const [address, go] = useSearchParams();
  const sought = address.get("q") ?? "";
  const status = address.get("status") ?? "";
  const room = Number(address.get("room")) || STEP;
  const set = (name: string, value: string) =>
    go(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === "") next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  const words = sought.toLocaleLowerCase().split(/\s+/);
  const fitting = all.filter((one) => {
    const text = `${one.name ?? ""} ${one.id}`.toLocaleLowerCase();
    return (status === "" || one.sort === status) && words.every((word) => text.includes(word));
  });
  return (
    <>
      <div className="row">
        <div style={{ flex: "1 1 14rem" }}>
          <SearchField label={t("search")} value={sought} onChange={(value) => set("q", value)} />
        </div>
        <Select
          label={t("status")}
          hideLabel
          value={status || "any"}
          choices={[{ id: "any", name: t("anyStatus") }, ...STATUSES.map((id) => ({ id, name: t(`statuses.${id}`) }))]}
          onChange={(chosen) => set("status", chosen === "any" ? "" : chosen)}
        />
        <span className="quiet" role="status">
          {t("found", { count: fitting.length })}
        </span>
      </div>
      {fitting.length === 0 ? (
        <Empty title={t("nothingFits")}>
          <Button onPress={() => go({}, { replace: true })}>{t("clear")}</Button>
        </Empty>
      ) : (
        <Listed shown={fitting.slice(0, room)} />
      )}
      {fitting.length > room && (
        <div>
          <Button onPress={() => set("room", String(room + STEP))}>{t("base:more")}</Button>
        </div>
      )}
    </>
  );
}

function Listed({ shown }: { shown: readonly Definition[] }) {
  const { t } = useTranslation("campaigns");
  const format = useFormat();
  const today = useQuery(verdicts(1));
  // A list has no texts, and what a campaign says is in its text.
  const texts = useQueries({
    queries: shown.map((one) => ({ ...definition(placeOf("campaigns", one.id)), staleTime: 60_000 })),
  });
  const rows = shown.map((one, at) => {
    const text = texts[at]?.data?.text;
    return { ...one, form: typeof text === "string" ? readCampaign(text) : undefined };
  });
  return (
    <Table
      label={t("title")}
      rows={rows}
      idOf={(row) => row.id}
      columns={[
        {
          id: "name",
          name: t("name"),
          cell: (row) => (
            <>
              <Link href={`/campaigns/${row.id}`}>{row.name ?? row.id}</Link>
              <div className="quiet mono">{row.id}</div>
            </>
          ),
        },
        { id: "status", name: t("status"), cell: (row) => <StateOf of={row} form={row.form} /> },
        { id: "today", name: t("today"), cell: (row) => <Today of={row.id} statistics={today.data} /> },
        { id: "flight", name: t("flight"), cell: (row) => row.form && <Flight form={row.form} /> },
        { id: "group", name: t("groupPriority"), cell: (row) => row.form && groupOf(row.form) },
        {
          id: "include",
          name: t("includes"),
          number: true,
          cell: (row) => row.form && (row.form.include.length || t("everybody")),
        },
        {
          id: "exclude",
          name: t("excludes"),
          number: true,
          cell: (row) => row.form && format.number(row.form.exclude.length),
        },
        {
          id: "deals",
          name: t("deals"),
          number: true,
          cell: (row) => row.form && format.number(row.form.deals.length),
        },
      ]}
    />
  );
}

function groupOf({ group, priority }: CampaignForm): string {
  return [group, priority === 0 ? "" : String(priority)].filter(Boolean).join(" · ") || "–";
}

/** From when to when, in short. */
function Flight({ form }: { form: CampaignForm }) {
  const { t } = useTranslation("campaigns");
  const format = useFormat();
  const day = (of: string) => (of === "" ? "…" : format.day(of));
  if (form.from === "" && form.to === "") return <>{t("always")}</>;
  return (
    <>
      {day(form.from)} – {day(form.to)}
    </>
  );
}

/** What was answered today, the most frequent first. */
function Today({ of, statistics }: { of: string; statistics: Schemas["Statistics"] | undefined }) {
  const { t } = useTranslation("campaigns");
  const format = useFormat();
  const reason = useReason();
  if (!statistics) return null;
  const sums = new Map<string, number>();
  for (const total of statistics.totals) {
    if (total.campaign !== of) continue;
    const why = total.reason || total.verdict || "";
    sums.set(why, (sums.get(why) ?? 0) + total.count);
  }
  const most = [...sums].toSorted(([, one], [, other]) => other - one);
  if (most.length === 0) return <span className="quiet">{t("notAsked")}</span>;
  return (
    <ul style={{ listStyle: "none", margin: 0, padding: 0, minWidth: "11rem" }}>
      {most.slice(0, 3).map(([why, count]) => (
        <li key={why}>
          <strong>{format.short(count)}</strong> <span className="quiet">{reason(why)}</span>
        </li>
      ))}
      {most.length > 3 && <li className="quiet">{t("andMore", { count: most.length - 3 })}</li>}
    </ul>
  );
}
