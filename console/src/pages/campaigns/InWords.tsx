/** A campaign as one would tell it to a colleague. */
import { useQuery } from "@tanstack/react-query";
import { Fragment } from "react";
import { Link } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { vocabulary } from "../../api/queries";
import { useFormat } from "../../base/format";
import { useNow } from "../../base/now";
import { Badge, Card } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import { phaseOf, policiesOf, whole, type CampaignForm } from "./definition";
import { definition, definitions, placeOf } from "./questions";
import { usePressure } from "./usePressure";
import { useSpan } from "./useSpan";

export function InWords({ form, id }: { form: CampaignForm; id: string }) {
  const { t } = useTranslation("campaigns");
  const policies = policiesOf(form);
  const owner = id.slice(0, id.indexOf("/"));
  return (
    <div className="stack">
      {form.description !== "" && <p>{form.description}</p>}
      <div className="halves">
        <Card title={t("words.speaksTo")}>
          {form.include.length === 0 ? (
            <p>{t("words.everybody")}</p>
          ) : (
            <>
              <p>{t("words.anyOf", { count: form.include.length })}</p>
              <Audiences ids={form.include} />
            </>
          )}
        </Card>
        <Card title={t("words.leavesAlone")}>
          {form.exclude.length === 0 ? <p>{t("words.nobodyLeft")}</p> : <Excluded form={form} />}
        </Card>
        <Card title={t("words.howOften")}>
          <HowOften form={form} owner={owner} />
        </Card>
        <Card title={t("words.whoSpeaks")}>
          <Group form={form} owner={owner} />
        </Card>
        <Card title={t("words.when")}>
          <When form={form} />
        </Card>
        <Card title={t("words.where")}>
          <Where form={form} />
        </Card>
        <Card title={t("words.doubt")}>
          <p>
            <strong>{t("words.stranger")}</strong> {t(`words.noProfile.${policies.noProfile}`)}
          </p>
          <p>
            <strong>{t("words.failure")}</strong> {t(`words.onFailure.${policies.onFailure}`)}
          </p>
          <p className="quiet">{t("words.always")}</p>
        </Card>
      </div>
    </div>
  );
}

function Audiences({ ids }: { ids: readonly string[] }) {
  const known = useQuery(vocabulary).data?.audiences;
  return (
    <ul style={{ margin: 0 }}>
      {ids.map((id) => (
        <li key={id}>
          <Link href={`/audiences/${id}`}>{known?.find((one) => one.id === id)?.name ?? id}</Link>{" "}
          <span className="quiet mono">{id}</span>
        </li>
      ))}
    </ul>
  );
}

function Excluded({ form }: { form: CampaignForm }) {
  const { t } = useTranslation("campaigns");
  const hard = form.exclude.filter((one) => one.hard).map((one) => one.audience);
  const soft = form.exclude.filter((one) => !one.hard).map((one) => one.audience);
  return (
    <>
      {hard.length > 0 && (
        <div>
          <p>
            <Badge tone="bad">{t("words.hard")}</Badge> {t("words.hardMeans")}
          </p>
          <Audiences ids={hard} />
        </div>
      )}
      {soft.length > 0 && (
        <div>
          <p>
            <Badge tone="warn">{t("words.soft")}</Badge> {t("words.softMeans")}
          </p>
          <Audiences ids={soft} />
        </div>
      )}
    </>
  );
}

function HowOften({ form, owner }: { form: CampaignForm; owner: string }) {
  const { t } = useTranslation("campaigns");
  const pressure = usePressure(owner);
  const span = useSpan();
  return (
    <>
      {form.caps.length === 0 && form.min_gap === "" && <p>{t("words.noCaps")}</p>}
      <ul style={{ margin: 0 }}>
        {form.caps.map((cap, at) => (
          <li key={at}>
            {cap.per === "flight"
              ? t("words.capFlight", { count: cap.impressions })
              : t("words.cap", { count: cap.impressions, per: span(cap.per) })}
          </li>
        ))}
        {form.min_gap !== "" && <li>{t("words.gap", { gap: span(form.min_gap) })}</li>}
        {pressure.map(({ messages, per }) => (
          <li key={`${messages} ${per}`}>{t("words.pressure", { count: Number(messages), per: span(per), owner })}</li>
        ))}
      </ul>
      <p className="quiet">{t("words.oftenHelp")}</p>
    </>
  );
}

function Group({ form, owner }: { form: CampaignForm; owner: string }) {
  const { t } = useTranslation("campaigns");
  const span = useSpan();
  const group = form.group === "" ? undefined : whole(form.group, owner);
  const all = useQuery(definitions("group"));
  const known = group !== undefined && all.data?.some((one) => one.id === group);
  const asked = useQuery({ ...definition(placeOf("groups", group ?? "")), enabled: known === true });
  if (group === undefined) return <p>{t("words.noGroup")}</p>;
  const limit = /at_most:\s*(\d+)/.exec(asked.data?.text ?? "")?.[1];
  const per = /per:\s*(\S+)/.exec(asked.data?.text ?? "")?.[1];
  return (
    <>
      <p>{t("words.group", { group, priority: form.priority })}</p>
      {limit !== undefined && per !== undefined && (
        <p>{t("words.groupLimit", { count: Number(limit), per: span(per) })}</p>
      )}
    </>
  );
}

function When({ form }: { form: CampaignForm }) {
  const { t } = useTranslation("campaigns");
  const format = useFormat();
  const now = useNow();
  const phase = phaseOf(form, new Date(now));
  const day = (of: string) => (of.length === 10 ? format.day(of) : format.time(of));
  const { from, to } = form;
  return (
    <>
      <p>
        {from === "" && to === "" && t("words.noFlight")}
        {from !== "" && to === "" && t("words.flightFrom", { from: day(from) })}
        {from === "" && to !== "" && t("words.flightTo", { to: day(to) })}
        {from !== "" && to !== "" && t("words.flight", { from: day(from), to: day(to) })}{" "}
        {(from !== "" || to !== "") &&
          t(form.timezone === "" ? "words.zoneOfServer" : "words.zone", { zone: form.timezone })}
      </p>
      <p>{t(`words.phase.${phase}`)}</p>
    </>
  );
}

function Where({ form }: { form: CampaignForm }) {
  const { t } = useTranslation("campaigns");
  return (
    <>
      {form.deals.length === 0 ? (
        <p>{t("words.noDeals")}</p>
      ) : (
        <Table
          label={t("deals")}
          rows={form.deals}
          idOf={(deal) => `${deal.exchange} ${deal.id}`}
          columns={[
            { id: "deal", name: t("words.deal"), cell: (deal) => <span className="mono">{deal.id}</span> },
            { id: "exchange", name: t("words.exchange"), cell: (deal) => deal.exchange },
            { id: "exclusive", name: t("words.exclusive"), cell: (deal) => t(deal.exclusive ? "yes" : "no") },
          ]}
        />
      )}
      {form.refs.length > 0 && (
        <p>
          {t("words.refs")}{" "}
          {form.refs.map((ref, at) => (
            <Fragment key={at}>
              {at > 0 && ", "}
              <span className="mono">
                {ref.system}:{ref.line_item}
              </span>
            </Fragment>
          ))}
        </p>
      )}
    </>
  );
}
