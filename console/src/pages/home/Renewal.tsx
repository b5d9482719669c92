import type { UseQueryResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Problem } from "../../api/client";
import { useFormat } from "../../base/format";
import { Button } from "../../ui/Button";
import { Notice } from "../../ui/Layout";

/** Says that the page renews itself, or since when it could not. One place for the whole page: a server that is gone is one fact. */
export function Renewal({ queries }: { queries: readonly UseQueryResult<unknown, Error>[] }) {
  const { t } = useTranslation(["home", "base"]);
  const format = useFormat();
  const broken = queries.filter((query) => query.data !== undefined && query.error && couldComeBack(query.error));
  if (broken.length === 0) return null;
  const since = Math.min(...broken.map((query) => query.dataUpdatedAt));
  return (
    <Notice tone="warn" live>
      {t("base:old", { ago: format.ago(new Date(since).toISOString()) })}{" "}
      <Button small onPress={() => broken.forEach((query) => void query.refetch())}>
        {t("base:retry")}
      </Button>
    </Notice>
  );
}

function couldComeBack(error: Error): boolean {
  return !(error instanceof Problem) || error.status === 0 || error.status >= 500;
}
