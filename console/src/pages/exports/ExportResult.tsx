/** What became of an export, in words: every member is somewhere in them. */
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../base/format";
import { Button } from "../../ui/Button";
import { Card, Notice, Progress } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import { leavesSomebody, type Job, type Report } from "./asking";
import looks from "./Exports.module.css";

export function ExportResult({ job, onClose }: { job: Job; onClose: () => void }) {
  const { t } = useTranslation("exports");
  const place = useRef<HTMLDivElement>(null);
  // It stands below the form and the list: whoever started or chose it is taken there.
  useEffect(() => {
    void place.current?.scrollIntoView({ block: "nearest" });
  }, []);
  return (
    <div ref={place}>
      <Card
        title={t("result.title", { audience: job.audience })}
        aside={
          <Button small look="quiet" onPress={onClose}>
            {t("result.close")}
          </Button>
        }
      >
        {job.state === "running" && (
          <>
            <Progress label={t("result.running", { destination: job.destination })} done={job.progress} />
            <p className="quiet">{t("result.mayLeave")}</p>
          </>
        )}
        {job.state === "cancelled" && <Notice tone="warn">{t("result.cancelled")}</Notice>}
        {job.state === "failed" && (
          <Notice tone="bad" live>
            <div className="stack" style={{ gap: 6 }}>
              <strong>{job.message ?? t("result.failed")}</strong>
              <span>{t("result.failedHelp", { destination: job.destination })}</span>
            </div>
          </Notice>
        )}
        {job.report && <Words job={job} report={job.report} />}
        {job.comment && <p className="quiet">{t("result.comment", { comment: job.comment })}</p>}
      </Card>
    </div>
  );
}

function Words({ job, report }: { job: Job; report: Report }) {
  const { t } = useTranslation("exports");
  const format = useFormat();
  const { objecting, refusing, deleted } = report.withheld;
  const withheld = objecting + refusing + deleted;
  return (
    <div className="stack">
      <Notice tone="good" live>
        {t("result.done", { count: report.profiles.exported, destination: job.destination })}
      </Notice>
      <ul>
        <li>{t("result.members", { count: report.members, when: format.time(report.as_of) })}</li>
        <li>
          {withheld === 0 ? t("result.nobodyWithheld") : t("result.withheld", { count: withheld })}
          {withheld > 0 && (
            <ul>
              {objecting > 0 && <li>{t("result.objecting", { count: objecting })}</li>}
              {refusing > 0 && <li>{t("result.refusing", { count: refusing })}</li>}
              {deleted > 0 && <li>{t("result.deleted", { count: deleted })}</li>}
            </ul>
          )}
        </li>
        {report.objectors > 0 && <li>{t("result.objectors", { count: report.objectors })}</li>}
        {report.profiles.not_exportable > 0 && (
          <li>{t("result.notExportable", { count: report.profiles.not_exportable })}</li>
        )}
        {job.delta && (
          <li>{report.since ? t("result.since", { when: format.time(report.since) }) : t("result.firstDelta")}</li>
        )}
        {report.removed > 0 && <li>{t("result.removed", { count: report.removed })}</li>}
        {report.expires && <li>{t("result.expires", { when: format.time(report.expires) })}</li>}
      </ul>
      {leavesSomebody(report) && (
        <Notice tone="warn">{t("result.cannotRemove", { count: report.cannot_remove })}</Notice>
      )}
      {report.sources_left_out.length > 0 && (
        <Notice>{t("result.sourcesLeftOut", { sources: report.sources_left_out.join(", ") })}</Notice>
      )}
      <Types report={report} />
      <Files report={report} />
      {report.notes.length > 0 && (
        <>
          <h3>{t("result.notes")}</h3>
          <ul>
            {report.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

type OfType = { type: string } & Report["identifiers"][string];

function Types({ report }: { report: Report }) {
  const { t } = useTranslation("exports");
  const format = useFormat();
  const rows: OfType[] = Object.entries(report.identifiers).map(([type, counts]) => Object.assign({ type }, counts));
  if (rows.length === 0) return null;
  const figure = (id: Exclude<keyof OfType, "type">) => ({
    id,
    name: t(`result.types.${id}`),
    number: true,
    cell: (row: OfType) => format.number(row[id]),
  });
  return (
    <>
      <h3>{t("result.types.title")}</h3>
      <Table
        label={t("result.types.title")}
        idOf={(row) => row.type}
        rows={rows}
        columns={[
          {
            id: "type",
            name: t("result.types.type"),
            cell: (row) => t(`ids.names.${row.type}`, { defaultValue: row.type }),
          },
          figure("identifiers"),
          figure("exported"),
          figure("unchanged"),
          figure("not_exportable"),
          figure("not_in_format"),
        ]}
      />
    </>
  );
}

function Files({ report }: { report: Report }) {
  const { t } = useTranslation("exports");
  const format = useFormat();
  return (
    <>
      <h3>{t("result.files.title")}</h3>
      {report.files.length === 0 && <p className="quiet">{t("result.files.none")}</p>}
      <ul className={looks.files}>
        {report.files.map((file) => (
          <li key={file.name} className={looks.file}>
            <strong>{file.name}</strong>
            <span className="quiet">
              {t("result.files.entries", { count: file.entries })} · {format.bytes(file.bytes)}
            </span>
            <span className={`mono quiet ${looks.sum}`}>SHA-256 {file.sha256}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
