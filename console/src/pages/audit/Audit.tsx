import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { api, body, type Schemas } from "../../api/client";
import { useFormat } from "../../base/format";
import { Empty, Failed, Loading, Only } from "../../base/states";
import { Button } from "../../ui/Button";
import { Select, TextField } from "../../ui/Fields";
import { Card, More, Notice, Page } from "../../ui/Layout";
import style from "./Audit.module.css";
import { SPANS, sinceOf } from "./since";

type Entry = Schemas["AuditEntry"];

export default function Audit() {
  const { t } = useTranslation("audit");
  return (
    <Page title={t("title")} lede={t("lede")}>
      <Only right="audit">
        <Filter />
        <Trail />
      </Only>
    </Page>
  );
}

/** What is asked for stands in the address, so that it can be sent to somebody. */
function Filter() {
  const { t } = useTranslation("audit");
  const [asked, ask] = useSearchParams();
  const [who, setWho] = useState(asked.get("who") ?? "");
  const [object, setObject] = useState(asked.get("object") ?? "");
  const said = (span: string) => {
    const next = new URLSearchParams();
    for (const [name, value] of [
      ["who", who.trim()],
      ["object", object.trim()],
      ["span", span],
    ] as const)
      if (value !== "") next.set(name, value);
    ask(next);
  };
  const span = asked.get("span") ?? "";
  return (
    <Card title={t("filter")}>
      <form
        className={style.filter}
        onSubmit={(event) => {
          event.preventDefault();
          said(span);
        }}
      >
        <Select
          label={t("since")}
          choices={SPANS.map((id) => ({ id: id || "ever", name: t(`span.${id || "ever"}`) }))}
          value={span || "ever"}
          onChange={(id) => said(id === "ever" ? "" : id)}
        />
        <TextField label={t("who")} hint={t("whoHint")} value={who} onChange={setWho} />
        <TextField label={t("object")} hint={t("objectHint")} value={object} onChange={setObject} />
        <Button type="submit" look="primary">
          {t("apply")}
        </Button>
      </form>
    </Card>
  );
}

function useTrail() {
  const [asked] = useSearchParams();
  const [who, object, span] = [asked.get("who"), asked.get("object"), asked.get("span")];
  return useInfiniteQuery({
    queryKey: ["audit", who, object, span],
    queryFn: ({ signal, pageParam }) => {
      const since = sinceOf(span, Date.now());
      const query = {
        limit: 50,
        ...(who && { who }),
        ...(object && { object }),
        ...(since && { since }),
        ...(pageParam && { before: pageParam }),
      };
      return body(api.GET("/api/v1/audit", { params: { query }, signal }));
    },
    initialPageParam: 0,
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
  });
}

function Trail() {
  const { t } = useTranslation("audit");
  const { t: base } = useTranslation();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useTrail();
  if (data === undefined) return error ? <Failed error={error} retry={() => void refetch()} /> : <Loading lines={8} />;
  const entries = data.pages.flatMap((page) => page.entries);
  const holds = data.pages.every((page) => page.holds);
  return (
    <Card title={t("entries")}>
      <Notice tone={holds ? "good" : "bad"}>{holds ? t("holds") : t("broken")}</Notice>
      {entries.length === 0 && <Empty title={t("none")}>{t("noneHelp")}</Empty>}
      <ol className={style.entries}>
        {entries.map((entry) => (
          <One key={entry.number} entry={entry} />
        ))}
      </ol>
      {error && <Failed error={error} retry={() => void refetch()} />}
      {hasNextPage && (
        <div>
          <Button isPending={isFetchingNextPage} onPress={() => void fetchNextPage()}>
            {base("more")}
          </Button>
        </div>
      )}
    </Card>
  );
}

function One({ entry }: { entry: Entry }) {
  const { t } = useTranslation("audit");
  const format = useFormat();
  const changed = entry.before || entry.after;
  return (
    <li className="stack" style={{ gap: 4 }}>
      <div className="row spread">
        <span>
          <strong>{entry.what}</strong> {entry.object}
        </span>
        <time className="quiet" dateTime={entry.time} title={format.time(entry.time)}>
          {format.time(entry.time)}
        </time>
      </div>
      <span className="quiet">
        {t("by", { who: entry.who, owner: entry.owner ?? t("everybody"), number: entry.number })}
      </span>
      {(changed || entry.subject) && (
        <More title={changed ? t("change") : t("details")}>
          <dl className={style.change}>
            {entry.before && (
              <>
                <dt>{t("before")}</dt>
                <dd className="mono">{entry.before}</dd>
              </>
            )}
            {entry.after && (
              <>
                <dt>{t("after")}</dt>
                <dd className="mono">{entry.after}</dd>
              </>
            )}
            {entry.subject && (
              <>
                <dt>{t("subject")}</dt>
                <dd className="mono">{entry.subject}</dd>
              </>
            )}
          </dl>
        </More>
      )}
    </li>
  );
}
