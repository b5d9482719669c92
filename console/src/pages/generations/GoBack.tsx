/** The way back: asks, goes, and waits until the bid doors answer from there. */
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { api, body, type Schemas } from "../../api/client";
import { builds, generations, queries } from "../../api/queries";
import { useFormat } from "../../base/format";
import { Failed } from "../../base/states";
import { Button } from "../../ui/Button";
import { Confirm, tell } from "../../ui/Dialogs";
import { Progress } from "../../ui/Layout";

type Line = Schemas["GenerationLine"];
type Listed = Schemas["GenerationsAnswer"];

async function renew(): Promise<void> {
  await Promise.all([
    queries.invalidateQueries({ queryKey: generations.queryKey }),
    queries.invalidateQueries({ queryKey: builds.queryKey }),
    queries.invalidateQueries({ queryKey: ["generation"] }),
  ]);
}

export interface Back {
  asking: Line | undefined;
  close: () => void;
  go: () => void;
  pending: boolean;
  error: Error | null;
  /** It is live, and the bid doors do not answer from it yet. */
  waitingFor: number | undefined;
  button: (line: Line) => ReactNode;
}

/** One dialog for the whole list. */
export function useGoBack(of: Listed): Back {
  const { t } = useTranslation("generations");
  const [asking, setAsking] = useState<Line>();
  const [waitingFor, setWaitingFor] = useState<number>();
  const go = useMutation({
    mutationFn: (generation: number) =>
      body(api.POST("/api/v1/generations/{generation}/rollback", { params: { path: { generation } } })),
    onSuccess: async (answer) => {
      setAsking(undefined);
      if (answer.in_service) tell(t("back.done", { number: answer.generation }));
      else setWaitingFor(answer.generation);
      await renew();
    },
  });
  const waiting = waitingFor !== undefined && of.in_service !== waitingFor;
  useEffect(() => {
    if (!waiting) return undefined;
    const timer = setInterval(() => void queries.invalidateQueries({ queryKey: generations.queryKey }), 1_000);
    return () => clearInterval(timer);
  }, [waiting]);
  return {
    asking,
    close: () => {
      setAsking(undefined);
      go.reset();
    },
    go: () => asking && go.mutate(asking.generation),
    pending: go.isPending,
    error: go.error,
    waitingFor: waiting ? waitingFor : undefined,
    button: (line) => (
      <Button
        small
        aria-label={t("back.buttonOf", { number: line.generation })}
        onPress={() => setAsking(line)}
        isDisabled={waiting}
      >
        {t("back.button")}
      </Button>
    ),
  };
}

export function GoBack({ back, of }: { back: Back; of: Listed }) {
  const { t } = useTranslation(["generations", "base"]);
  const format = useFormat();
  const line = back.asking;
  return (
    <Confirm
      title={t("back.title", { number: line?.generation ?? "" })}
      isOpen={line !== undefined}
      onClose={back.close}
      onConfirm={back.go}
      pending={back.pending}
      action={t("back.action")}
      cancel={t("base:cancel")}
      danger
    >
      {line?.as_of !== undefined && (
        <ul>
          <li>{t("back.asOf", { time: format.time(line.as_of), ago: format.ago(line.as_of) })}</li>
          <li>{t("back.waits")}</li>
          <li>{t("back.objections")}</li>
          {of.live !== null && of.live !== undefined && <li>{t("back.kept", { number: of.live })}</li>}
        </ul>
      )}
      {back.pending && <Progress label={t("back.pending")} />}
      {back.error && <Failed error={back.error} />}
    </Confirm>
  );
}

export function WaitingFor({ back }: { back: Back }) {
  const { t } = useTranslation("generations");
  if (back.waitingFor === undefined) return null;
  return (
    <div role="status">
      <Progress label={t("back.waiting", { number: back.waitingFor })} />
    </div>
  );
}

/** Lets newer ones go live again. */
export function Unpin() {
  const { t } = useTranslation(["generations", "base"]);
  const [asking, setAsking] = useState(false);
  const unpin = useMutation({
    mutationFn: () => body(api.POST("/api/v1/generations/unpin")),
    onSuccess: async () => {
      setAsking(false);
      tell(t("unpin.done"));
      await renew();
    },
  });
  return (
    <>
      <Button small onPress={() => setAsking(true)}>
        {t("unpin.button")}
      </Button>
      <Confirm
        title={t("unpin.title")}
        isOpen={asking}
        onClose={() => setAsking(false)}
        onConfirm={() => unpin.mutate()}
        pending={unpin.isPending}
        action={t("unpin.button")}
        cancel={t("base:cancel")}
      >
        <p>{t("unpin.text")}</p>
        {unpin.error && <Failed error={unpin.error} />}
      </Confirm>
    </>
  );
}
