/** The second half of publishing: from the catalogue to the bid doors, and what to do where it does not get there. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { builds } from "../api/queries";
import type { Schemas } from "../api/client";
import { Failed, Loading } from "../base/states";
import { Button } from "../ui/Button";
import { Notice, Progress } from "../ui/Layout";
import { isSettled, stageOf, type Changed } from "./publishing";

const STEPS = ["waiting", "building", "built", "in_service"] as const;

export function PublishProgress({ changed, onClose }: { changed: Changed; onClose: () => void }) {
  const { t } = useTranslation(["rules", "base"]);
  const stand = useRef<HTMLDivElement>(null);
  // The button that had the focus is gone.
  useEffect(() => stand.current?.focus(), []);
  const asked = useQuery({
    ...builds,
    refetchInterval: (query) => {
      const publishing = query.state.data?.publishing;
      return publishing && isSettled(stageOf(changed, publishing)) ? 5_000 : 700;
    },
  });
  return (
    <div className="stack">
      <div className="stack" ref={stand} tabIndex={-1} style={{ outline: "none" }}>
        {asked.data ? (
          <Standing changed={changed} answer={asked.data} />
        ) : asked.error ? (
          <Failed error={asked.error} retry={() => void asked.refetch()} />
        ) : (
          <Loading lines={2} />
        )}
      </div>
      <div className="row" style={{ justifyContent: "flex-end" }}>
        <Button look="primary" onPress={onClose}>
          {t("base:close")}
        </Button>
      </div>
    </div>
  );
}

function Standing({ changed, answer }: { changed: Changed; answer: Schemas["BuildsAnswer"] }) {
  const { t } = useTranslation("rules");
  const { publishing } = answer;
  const stage = stageOf(changed, publishing);
  switch (stage) {
    case "in_service":
      return (
        <Notice tone="good" live>
          {t("publish.stage.in_service", { generation: publishing.generation ?? 0 })}
        </Notice>
      );
    case "pinned":
      return (
        <Notice tone="warn" live>
          {t("publish.stage.pinned", { generation: publishing.pinned ?? 0 })}
        </Notice>
      );
    case "unknown":
      return <Notice live>{t("publish.stage.unknown")}</Notice>;
    case "failed":
      return <BuildFailed publishing={publishing} />;
    default: {
      const ours = answer.running.find((build) => build.definitions === changed.definitions);
      const within = stage === "building" ? (ours?.progress ?? 0) : 0;
      const done = (STEPS.indexOf(stage) + within) / (STEPS.length - 1);
      return (
        <>
          <Progress label={t(`publish.stage.${stage}`)} done={Math.max(0.05, Math.min(done, 0.98))} />
          <p className="quiet">{t("publish.goesOn")}</p>
        </>
      );
    }
  }
}

function BuildFailed({ publishing }: { publishing: Schemas["PublishingAnswer"] }) {
  const { t } = useTranslation("rules");
  const failure = publishing.failure;
  return (
    <Notice tone="bad" live>
      <div className="stack" style={{ gap: 6 }}>
        <strong>{t("publish.stage.failed")}</strong>
        {failure && <span>{t(`publish.failure.${failure.reason}`)}</span>}
        {failure && <span className="quiet">{failure.message}</span>}
        {failure?.errors && failure.errors.length > 0 && (
          <ul>
            {failure.errors.map((fault, at) => (
              <li key={at}>{fault.detail}</li>
            ))}
          </ul>
        )}
      </div>
    </Notice>
  );
}
