/** A question that takes its time: how far it is, a way to break it off, then its answer. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { askLong } from "../api/long";
import { Button } from "../ui/Button";
import { Notice, Progress } from "../ui/Layout";
import { Answer } from "./states";

interface LongProps<T> {
  /** `/api/v1/...`; the question is sent to it as JSON. */
  path: string;
  question: unknown;
  children: (answer: T) => ReactNode;
}

/** Asks when it is drawn, and again when the question is another; the older one is broken off. */
export function Long<T>({ path, question, children }: LongProps<T>) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [done, setDone] = useState<number>();
  const queryKey = ["long", path, question];
  const query = useQuery({
    queryKey,
    queryFn: ({ signal }) => {
      setDone(undefined);
      return askLong<T>(path, question, signal, setDone);
    },
    staleTime: 60_000,
  });
  if (query.data === undefined && query.error === null && query.fetchStatus === "idle") {
    return (
      <Notice live>
        <div className="row spread">
          {t("stopped")}
          <Button small onPress={() => void query.refetch()}>
            {t("askAgain")}
          </Button>
        </div>
      </Notice>
    );
  }
  return (
    <>
      {query.data === undefined && query.fetchStatus === "fetching" && (
        <div className="row">
          <div style={{ flex: "1 1 12rem" }}>
            <Progress label={t("counting")} done={done} />
          </div>
          <Button small onPress={() => void client.cancelQueries({ queryKey, exact: true })}>
            {t("cancel")}
          </Button>
        </div>
      )}
      <Answer query={query}>{children}</Answer>
    </>
  );
}
