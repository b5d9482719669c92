/** What a page shows while, instead of and around an answer: loading, refused, forbidden, empty, stale. */
import type { UseQueryResult } from "@tanstack/react-query";
import { Inbox, Lock } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/client";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Layout";
import { useFormat } from "./format";
import { useMay, type Right } from "./session";

export function Loading({ lines = 4 }: { lines?: number }) {
  const { t } = useTranslation();
  return (
    <div role="status" className="stack">
      <span className="visually-hidden">{t("loading")}</span>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} className="skeleton" aria-hidden style={{ width: `${90 - 13 * (line % 4)}%` }} />
      ))}
    </div>
  );
}

/** Nothing is there: says so, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="state">
      <Inbox size={32} aria-hidden />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Forbidden() {
  const { t } = useTranslation();
  return (
    <div className="state">
      <Lock size={32} aria-hidden />
      <h2>{t("forbidden")}</h2>
      <p>{t("forbiddenHelp")}</p>
    </div>
  );
}

/** What was refused, why, what to do; every fault at its place. */
export function Failed({ error, retry }: { error: Error; retry?: () => void }) {
  const { t } = useTranslation();
  const problem = error instanceof Problem ? error : undefined;
  return (
    <Notice tone="bad" live>
      <div className="stack" style={{ gap: 6 }}>
        <strong>{problem?.code === "unreachable" ? t("unreachable") : sentence(error.message)}</strong>
        {problem?.help && <span>{sentence(problem.help)}</span>}
        {problem !== undefined && problem.errors.length > 0 && (
          <ul>
            {problem.errors.map((fault, at) => (
              <li key={at}>
                {placeOf(fault)} {fault.detail}
                {fault.help !== undefined && fault.help !== null && <span className="quiet"> ({fault.help})</span>}
              </li>
            ))}
          </ul>
        )}
        {retry && (
          <div>
            <Button small onPress={retry}>
              {t("retry")}
            </Button>
          </div>
        )}
      </div>
    </Notice>
  );
}

function placeOf(fault: Problem["errors"][number]): string {
  const line = fault.line ? [fault.line, fault.column].filter(Boolean).join(":") : "";
  const place = [fault.file, line || fault.field].filter(Boolean).join(":");
  return place === "" ? "" : `${place}:`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

interface AnswerProps<T> {
  query: UseQueryResult<T, Error>;
  children: (data: T) => ReactNode;
  lines?: number;
}

/**
 * An answer in each of its states. An older answer stays on the page while it cannot be renewed, and says how old it is.
 * What is empty is for `children` to say.
 */
export function Answer<T>({ query, children, lines }: AnswerProps<T>) {
  const { t } = useTranslation();
  const format = useFormat();
  const { data, error } = query;
  if (error instanceof Problem && error.status === 403) return <Forbidden />;
  if (data === undefined) {
    return error ? <Failed error={error} retry={() => void query.refetch()} /> : <Loading {...(lines && { lines })} />;
  }
  return (
    <>
      {error && (
        <Notice tone="warn" live>
          {t("old", { ago: format.ago(new Date(query.dataUpdatedAt).toISOString()) })}{" "}
          <Button small onPress={() => void query.refetch()}>
            {t("retry")}
          </Button>
        </Notice>
      )}
      {children(data)}
    </>
  );
}

/** Shows its children to those who may, and tells the others. */
export function Only({ right, children }: { right: Right; children: ReactNode }) {
  return useMay()(right) ? children : <Forbidden />;
}
