/** Exports since the server was started: how far each is, and a way to break it off. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client";
import { useFormat } from "../../base/format";
import { Failed } from "../../base/states";
import { Button } from "../../ui/Button";
import { Confirm, tell } from "../../ui/Dialogs";
import { Badge, Progress, type Tone } from "../../ui/Layout";
import { Table, type Column } from "../../ui/Table";
import { exportsQuery, type Job } from "./asking";
import looks from "./Exports.module.css";

const TONES: Record<Job["state"], Tone> = { running: "accent", done: "good", failed: "bad", cancelled: "warn" };

interface JobsProps {
  jobs: readonly Job[];
  chosen: string | null;
  onChoose: (id: string) => void;
}

export function Jobs({ jobs, chosen, onChoose }: JobsProps) {
  const { t } = useTranslation("exports");
  const format = useFormat();
  const [leaving, setLeaving] = useState<Job | null>(null);
  const columns: Column<Job>[] = [
    { id: "audience", name: t("jobs.audience"), cell: (job) => job.audience },
    { id: "state", name: t("jobs.state"), cell: (job) => <State job={job} /> },
    {
      id: "format",
      name: t("jobs.format"),
      cell: (job) => (
        <>
          {t(`formats.${job.format}.name`)}
          {job.delta && <span className="quiet"> · {t("jobs.delta")}</span>}
        </>
      ),
    },
    { id: "destination", name: t("jobs.destination"), cell: (job) => job.destination },
    {
      id: "when",
      name: t("jobs.when"),
      cell: (job) => <span className={looks.when}>{format.time(job.requested)}</span>,
    },
    { id: "by", name: t("jobs.by"), cell: (job) => job.by },
    {
      id: "do",
      name: t("jobs.do"),
      hideName: true,
      cell: (job) => <Do job={job} isChosen={job.id === chosen} onLeave={setLeaving} onChoose={onChoose} />,
    },
  ];
  return (
    <>
      <Table label={t("jobs.list")} columns={columns} rows={jobs} idOf={(job) => job.id} />
      <p className="quiet">{t("jobs.kept")}</p>
      {leaving && <Leave job={leaving} onClose={() => setLeaving(null)} />}
    </>
  );
}

interface DoProps {
  job: Job;
  isChosen: boolean;
  onLeave: (job: Job) => void;
  onChoose: (id: string) => void;
}

function Do({ job, isChosen, onLeave, onChoose }: DoProps) {
  const { t } = useTranslation("exports");
  const format = useFormat();
  if (job.state === "running") {
    return (
      <Button small onPress={() => onLeave(job)} aria-label={t("jobs.cancelOf", { audience: job.audience })}>
        {t("jobs.cancel")}
      </Button>
    );
  }
  const label = t("jobs.resultOf", { audience: job.audience, when: format.time(job.requested) });
  return (
    <Button small onPress={() => onChoose(job.id)} isDisabled={isChosen} aria-label={label}>
      {t("jobs.result")}
    </Button>
  );
}

function State({ job }: { job: Job }) {
  const { t } = useTranslation("exports");
  if (job.state === "running") {
    return (
      <div className={looks.progress}>
        <Progress label={t("states.running")} done={job.progress} />
      </div>
    );
  }
  return <Badge tone={TONES[job.state]}>{t(`states.${job.state}`)}</Badge>;
}

function Leave({ job, onClose }: { job: Job; onClose: () => void }) {
  const { t } = useTranslation("exports");
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => api.DELETE("/api/v1/exports/{id}", { params: { path: { id: job.id } } }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: exportsQuery.queryKey });
      tell(t("cancel.done", { audience: job.audience }));
      onClose();
    },
  });
  return (
    <Confirm
      title={t("cancel.title", { audience: job.audience })}
      isOpen
      onClose={onClose}
      onConfirm={() => cancel.mutate()}
      action={t("cancel.action")}
      cancel={t("cancel.keep")}
      danger
      pending={cancel.isPending}
    >
      <p>{t("cancel.help")}</p>
      {cancel.error && <Failed error={cancel.error} />}
    </Confirm>
  );
}
