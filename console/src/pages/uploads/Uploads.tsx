import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { Problem, type Schemas } from "../../api/client";
import { vocabulary } from "../../api/queries";
import { useMay, useWho, type Who } from "../../base/session";
import { Answer, Empty } from "../../base/states";
import { ButtonLink } from "../../ui/Button";
import { ComboBox, TextField } from "../../ui/Fields";
import { Card, Page } from "../../ui/Layout";
import { Form } from "./Form";

type Named = Schemas["VocabularyNamed"];

/** Puts people on a list by a file, or takes them off. */
export default function Uploads() {
  const { t } = useTranslation("uploads");
  const asked = useQuery(vocabulary);
  const who = useWho();
  // Keys for sending data see no definitions: they say which list they mean.
  const blind = asked.error instanceof Problem && asked.error.status === 403;
  return (
    <Page title={t("title")} lede={t("lede")}>
      {blind ? <Typed /> : <Answer query={asked}>{(data) => <Chosen lists={listsOf(data.audiences, who)} />}</Answer>}
    </Page>
  );
}

/** Lists that the key may change: those that others share are not among them. */
function listsOf(audiences: readonly Named[], who: Who | undefined): Named[] {
  const owner = who?.owner ?? "";
  return audiences.filter((one) => one.list && (owner === "*" || one.id.startsWith(`${owner}/`)));
}

function Chosen({ lists }: { lists: readonly Named[] }) {
  const { t } = useTranslation("uploads");
  const defines = useMay()("define");
  const [search, setSearch] = useSearchParams();
  const list = lists.find((one) => one.id === search.get("list"));
  if (lists.length === 0) {
    return (
      <Empty title={t("none")}>
        <p>{t("noneHelp")}</p>
        {defines && <ButtonLink href="/audiences/new">{t("noneButton")}</ButtonLink>}
      </Empty>
    );
  }
  return (
    <>
      <Card title={t("list.title")}>
        <ComboBox
          label={t("list.label")}
          placeholder={t("list.placeholder")}
          choices={lists.map((one) => ({ id: one.id, name: one.name, note: `${one.id} · ${t(kindOf(one))}` }))}
          value={list?.id ?? null}
          onChange={(id) => setSearch(id === null ? {} : { list: id }, { replace: true })}
          {...(list && { hint: `${list.id} · ${t(kindOf(list))}` })}
        />
      </Card>
      <Form key={list?.id ?? ""} list={list?.id} kind={list?.kind} />
    </>
  );
}

function kindOf(list: Named) {
  return list.kind === "suppress" ? "list.suppress" : "list.target";
}

function Typed() {
  const { t } = useTranslation("uploads");
  const [search, setSearch] = useSearchParams();
  const text = search.get("list") ?? "";
  const named = /^[^/\s]+\/[^/\s]+$/.test(text);
  return (
    <>
      <Card title={t("list.title")}>
        <TextField
          label={t("list.typed")}
          hint={t("list.typedHint")}
          value={text}
          onChange={(list) => setSearch(list === "" ? {} : { list }, { replace: true })}
        />
      </Card>
      <Form list={named ? text : undefined} kind={undefined} />
    </>
  );
}
