import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { useWho } from "../../base/session";
import { Only } from "../../base/states";
import { Page } from "../../ui/Layout";
import { listed } from "./asking";
import { emptyForm, idOf } from "./definition";
import { Editor } from "./Editor";
import { choicesOf } from "./filters";

/** A new audience; a rule may come with the address (`?rule=…&owner=…`). */
export function New() {
  const { t } = useTranslation("audiences");
  const [query] = useSearchParams();
  const who = useWho();
  const all = useInfiniteQuery(listed({ owner: "", folder: "", tag: "", state: "", text: "" }));
  const owners = useMemo(() => choicesOf(all.data?.pages.flatMap((page) => page.definitions) ?? []).owners, [all.data]);
  const own = who?.owner !== undefined && who.owner !== "*" ? who.owner : undefined;
  const owner = own ?? query.get("owner") ?? owners[0] ?? "";
  const name = query.get("name") ?? "";
  const ready = own !== undefined || !all.isPending;
  return (
    <Page title={t("new")} lede={t("newLede")}>
      <Only right="define">
        {ready && (
          <Editor
            start={{ ...emptyForm(owner), rule: query.get("rule") ?? "", name, id: idOf(name) }}
            owners={own ? [own] : owners}
          />
        )}
      </Only>
    </Page>
  );
}
