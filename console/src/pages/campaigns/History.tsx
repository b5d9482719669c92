import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { useFormat } from "../../base/format";
import { useMay } from "../../base/session";
import { Answer } from "../../base/states";
import { Button } from "../../ui/Button";
import { Select } from "../../ui/Fields";
import { Badge, Card } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import looks from "./History.module.css";
import { diff, versions, type Place } from "./questions";

interface HistoryProps {
  place: Place;
  of: Schemas["Definition"];
  publish: (version: number) => void;
}

/** Who changed what, when and why; what differs; the way back. */
export function History({ place, of, publish }: HistoryProps) {
  const { t } = useTranslation("campaigns");
  const ofCatalogue = of.origin === "catalogue";
  const asked = useQuery({ ...versions(place), enabled: ofCatalogue });
  return (
    <Card title={t("history.title")}>
      {ofCatalogue ? (
        <Answer query={asked}>
          {({ versions: all }) => <Versions place={place} of={of} all={all} publish={publish} />}
        </Answer>
      ) : (
        <p>{t("history.inFile")}</p>
      )}
    </Card>
  );
}

type Version = Schemas["VersionAnswer"];

function Versions({ place, of, all, publish }: HistoryProps & { all: readonly Version[] }) {
  const { t } = useTranslation("campaigns");
  const format = useFormat();
  const may = useMay();
  const again = (version: Version) =>
    may("define") && version.version !== of.published?.version && version.state !== "archived";
  return (
    <>
      <Table
        label={t("history.title")}
        rows={all}
        idOf={(version) => String(version.version)}
        columns={[
          {
            id: "version",
            name: t("history.version"),
            cell: (version) => (
              <span className="row" style={{ gap: 6 }}>
                {version.version}
                {version.version === of.published?.version && <Badge tone="good">{t("history.inForce")}</Badge>}
                {version.state === "draft" && <Badge tone="warn">{t("phases.draft")}</Badge>}
                {version.state === "archived" && <Badge>{t("phases.archived")}</Badge>}
              </span>
            ),
          },
          { id: "time", name: t("history.time"), cell: (version) => format.time(version.time) },
          {
            id: "author",
            name: t("history.author"),
            cell: (version) => <span className="mono">{version.author}</span>,
          },
          { id: "comment", name: t("history.comment"), cell: (version) => version.comment ?? "–" },
          {
            id: "again",
            name: t("history.again"),
            hideName: true,
            cell: (version) =>
              again(version) && (
                <Button
                  small
                  aria-label={t("history.againOf", { version: version.version })}
                  onPress={() => publish(version.version)}
                >
                  {t(version.state === "draft" ? "publish" : "history.again")}
                </Button>
              ),
          },
        ]}
      />
      {all.length > 1 && <Difference key={all[0]?.version} place={place} all={all} />}
    </>
  );
}

function Difference({ place, all }: { place: Place; all: readonly Version[] }) {
  const { t } = useTranslation("campaigns");
  const [newest, before] = all;
  const [from, setFrom] = useState(before?.version ?? 1);
  const [to, setTo] = useState(newest?.version ?? 1);
  const asked = useQuery(diff(place, from, to));
  const choices = all.map(({ version }) => ({ id: String(version), name: t("history.versionOf", { version }) }));
  return (
    <div className="stack">
      <h3>{t("history.diff")}</h3>
      <div className="row">
        <Select
          label={t("history.from")}
          choices={choices}
          value={String(from)}
          onChange={(id) => setFrom(Number(id))}
        />
        <Select label={t("history.to")} choices={choices} value={String(to)} onChange={(id) => setTo(Number(id))} />
      </div>
      <Answer query={asked}>
        {(answer) =>
          answer.fields.length === 0 ? (
            <p>{t("history.same")}</p>
          ) : (
            <>
              <p>{t("history.fields", { fields: answer.fields.map((one) => one.field).join(", ") })}</p>
              <Lines lines={answer.lines} />
            </>
          )
        }
      </Answer>
    </div>
  );
}

const SIGNS = { before: "−", after: "+", both: " " } as const;

function Lines({ lines }: { lines: Schemas["DiffAnswer"]["lines"] }) {
  const { t } = useTranslation("campaigns");
  return (
    <div className={`table-scroll ${looks.lines}`} role="region" aria-label={t("history.diff")} tabIndex={0}>
      {lines.map((line, at) => (
        <div key={at} className={looks[line.of]}>
          <span aria-hidden>{SIGNS[line.of]} </span>
          {line.of !== "both" && <span className="visually-hidden">{t(`history.${line.of}`)}</span>}
          {line.text}
        </div>
      ))}
    </div>
  );
}
