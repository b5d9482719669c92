/** What is built, in words: its progress, what waits, why one failed and what to do. The home page and the generations show it. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, type Schemas } from "../api/client";
import { builds, generations, queries } from "../api/queries";
import { Button } from "../ui/Button";
import { Confirm, tell } from "../ui/Dialogs";
import { Badge, Notice, Progress, type Tone } from "../ui/Layout";
import { useFormat } from "./format";
import { useMay, useWho } from "./session";

type Builds = Schemas["BuildsAnswer"];
type Failure = Schemas["FailureAnswer"];

/** What is of the whole installation takes a key for every owner. */
export function useForAll(): boolean {
  return useWho()?.owner === "*";
}

/** Builds and rollbacks are of the whole installation. */
export function useOperates(): boolean {
  const may = useMay();
  return useForAll() && may("operate");
}

/** Where the published definitions are, in a sentence. */
export function Publishing({ of }: { of: Builds }) {
  const { t } = useTranslation("builds");
  if (!of.builds) return <p className="quiet">{t("elsewhere")}</p>;
  const { state, pinned, failure } = of.publishing;
  const tone: Tone =
    state === "failed" ? "bad" : state === "pinned" ? "warn" : state === "in_service" ? "good" : "plain";
  return (
    <Notice tone={tone}>
      {t(`publishing.${state}`, { pinned: pinned ?? "" })}
      {failure && <WhatFailed failure={failure} />}
    </Notice>
  );
}

/** Why something failed, and what to do about it. */
export function WhatFailed({ failure }: { failure: Failure }) {
  const { t } = useTranslation("builds");
  return (
    <div>
      <p>
        <strong>{t(`reason.${failure.reason}`)}.</strong> {t(`todo.${failure.reason}`)}
      </p>
      <p className="quiet">{failure.message}</p>
      {failure.errors !== undefined && failure.errors.length > 0 && (
        <ul>
          {failure.errors.slice(0, 10).map((fault, at) => (
            <li key={at}>
              {[fault.file, fault.line, fault.column].filter(Boolean).join(":")} {fault.detail}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** What runs and what waits; who may, ends it. */
export function Running({ of }: { of: Builds }) {
  const { t } = useTranslation(["builds", "base"]);
  const format = useFormat();
  const may = useMay();
  const forAll = useForAll();
  const phase = usePhase();
  return (
    <>
      {of.running.map((one) => (
        <div key={`${one.kind} ${one.since}`} className="stack" style={{ gap: 4 }}>
          <Progress
            label={t("running", { kind: t(`kind.${one.kind}`), phase: phase(one.phase) })}
            done={one.progress ?? undefined}
          />
          <span className="quiet">{t("since", { ago: format.ago(one.since), why: t(`why.${one.why}`) })}</span>
        </div>
      ))}
      {of.running.length > 0 && may("export") && forAll && <Cancel />}
      {of.queued.map((one) => (
        <p key={`${one.kind} ${one.since}`}>
          {t("queued", { kind: t(`kind.${one.kind}`), why: t(`why.${one.why}`) })}
          {one.not_before && ` · ${t("notBefore", { time: format.time(one.not_before) })}`}
        </p>
      ))}
    </>
  );
}

/** The phases the server names; one that is new here is told as it is. */
function usePhase(): (phase: string) => string {
  const { t, i18n } = useTranslation("builds");
  return (phase) => {
    const known = i18n.exists(`builds:phase.${phase}`, { ns: "builds" });
    return known ? t(`phase.${phase}` as "phase.collect") : t("phase.other", { phase });
  };
}

function Cancel() {
  const { t } = useTranslation("builds");
  const [asking, setAsking] = useState(false);
  const cancel = useMutation({
    mutationFn: () => api.DELETE("/api/v1/builds/current"),
    onSuccess: () => tell(t("cancelled")),
    onError: (error) => tell(error.message, "bad"),
    onSettled: () => {
      setAsking(false);
      void queries.invalidateQueries({ queryKey: generations.queryKey });
      return queries.invalidateQueries({ queryKey: builds.queryKey });
    },
  });
  return (
    <div>
      <Button small look="danger" onPress={() => setAsking(true)}>
        {t("cancel")}
      </Button>
      <Confirm
        title={t("cancelTitle")}
        isOpen={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => cancel.mutate()}
        pending={cancel.isPending}
        action={t("cancel")}
        cancel={t("cancelKeep")}
        danger
      >
        <p>{t("cancelText")}</p>
      </Confirm>
    </div>
  );
}

export function Outcome({ outcome }: { outcome: Schemas["Outcome"] }) {
  const { t } = useTranslation("builds");
  const tone = { done: "good", failed: "bad", cancelled: "plain" } as const;
  return <Badge tone={tone[outcome]}>{t(`outcome.${outcome}`)}</Badge>;
}

/** How long something took. */
export function useDuration(): (seconds: number) => string {
  const { t } = useTranslation("builds");
  const format = useFormat();
  return (seconds) =>
    seconds < 60
      ? t("seconds", { seconds: format.number(seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)) })
      : t("minutes", { minutes: Math.floor(seconds / 60), seconds: Math.round(seconds % 60) });
}
