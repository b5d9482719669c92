import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Download, FileUp, Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { generations } from "../../api/queries";
import { useMay } from "../../base/session";
import { Answer, Empty } from "../../base/states";
import { Button, ButtonLink } from "../../ui/Button";
import { Page } from "../../ui/Layout";
import { generation, listed, sizes } from "./asking";
import { FilterBar } from "./FilterBar";
import { choicesOf, filtersOf, fits, isFiltered, queryOf, sorted, type Filters } from "./filters";
import { Rows } from "./Rows";

const ALL = { owner: "", folder: "", tag: "", state: "", text: "" } as const;
/** So many are drawn at first, and so many more each time. */
const STEP = 100;

export function List() {
  const { t } = useTranslation("audiences");
  const may = useMay();
  const actions = (
    <>
      <ButtonLink look="quiet" href="/api/v1/definitions.yaml?kind=audience" download="audiences.yaml" target="_blank">
        <Download size={18} aria-hidden /> {t("download")}
      </ButtonLink>
      {may("define") && (
        <>
          <ButtonLink href="/audiences/upload">
            <FileUp size={18} aria-hidden /> {t("uploadFile")}
          </ButtonLink>
          <ButtonLink look="primary" href="/audiences/new">
            <Plus size={18} aria-hidden /> {t("new")}
          </ButtonLink>
        </>
      )}
    </>
  );
  return (
    <Page title={t("title")} lede={t("lede")} actions={actions}>
      <Found />
    </Page>
  );
}

function Found() {
  const { t, i18n } = useTranslation(["audiences", "base"]);
  const [query, setQuery] = useSearchParams();
  const filters = useMemo(() => filtersOf(query), [query]);
  const [drawn, setDrawn] = useState(STEP);
  const all = useInfiniteQuery(listed(ALL));
  const asked = useInfiniteQuery(listed(filters));
  const sized = useQuery(sizes);
  const serving = useQuery(generations).data?.in_service ?? undefined;
  const flagged = useQuery(generation(serving)).data?.audience_list;
  const flags = useMemo(
    () => new Map(flagged?.flatMap((line) => (line.flagged ? [[line.id, line.flagged] as const] : []))),
    [flagged],
  );
  const trends = useMemo(() => new Map(sized.data?.sizes.map((size) => [size.id, size.members])), [sized.data]);
  const there = useMemo(() => asked.data?.pages.flatMap((page) => page.definitions) ?? [], [asked.data]);
  const shown = useMemo(
    () =>
      sorted(
        there.filter((definition) => fits(definition, filters)),
        filters.sort,
        (id) => trends.get(id)?.at(-1),
        i18n.language,
      ),
    [there, filters, trends, i18n.language],
  );
  const choices = useMemo(() => choicesOf(all.data?.pages.flatMap((page) => page.definitions) ?? []), [all.data]);
  const change = (next: Partial<Filters>) => {
    setDrawn(STEP);
    setQuery(queryOf({ ...filters, ...next }), { replace: true });
  };
  const more = shown.length > drawn || asked.hasNextPage;
  return (
    <Answer query={asked} lines={8}>
      {() =>
        there.length === 0 && !isFiltered(filters) ? (
          <First />
        ) : (
          <>
            <FilterBar
              filters={filters}
              choices={choices}
              onChange={change}
              onClear={() => change({ ...ALL, kind: "" })}
            />
            <p className="quiet" role="status">
              {t("count", { count: shown.length })}
              {asked.hasNextPage && ` ${t("moreThere")}`}
            </p>
            {shown.length === 0 && !asked.hasNextPage ? (
              <Empty title={t("noneFits")}>
                <p>{t("noneFitsHelp")}</p>
              </Empty>
            ) : (
              <Rows definitions={shown.slice(0, drawn)} sizes={trends} flags={flags} />
            )}
            {more && (
              <div>
                <Button
                  isPending={asked.isFetchingNextPage}
                  onPress={() => {
                    setDrawn(drawn + STEP);
                    if (shown.length <= drawn) void asked.fetchNextPage();
                  }}
                >
                  {t("base:more")}
                </Button>
              </div>
            )}
          </>
        )
      }
    </Answer>
  );
}

function First() {
  const { t } = useTranslation("audiences");
  const may = useMay();
  return (
    <Empty title={t("first")}>
      <p>{may("define") ? t("firstHelp") : t("firstOthers")}</p>
      {may("define") && (
        <ButtonLink look="primary" href="/audiences/new">
          <Plus size={18} aria-hidden /> {t("new")}
        </ButtonLink>
      )}
    </Empty>
  );
}
