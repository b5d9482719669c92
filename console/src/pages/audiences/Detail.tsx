import { useQuery } from "@tanstack/react-query";
import { Pencil } from "lucide-react";
import { useState } from "react";
import { Link } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";
import { generations } from "../../api/queries";
import { useFormat } from "../../base/format";
import { useMay } from "../../base/session";
import { Answer } from "../../base/states";
import { PublishDialog, type PublishItem } from "../../rules/PublishDialog";
import { ReachPanel } from "../../rules/ReachPanel";
import { Button, ButtonLink } from "../../ui/Button";
import { Card, Notice, Page } from "../../ui/Layout";
import { audience, generation, type Definition } from "./asking";
import styles from "./Audiences.module.css";
import { formOf, parts, type Form } from "./definition";
import { History } from "./History";
import { KindBadge, StateBadges, placeOf } from "./Marks";
import { Users } from "./Preview";

export function Detail() {
  const { owner = "", id = "" } = useParams();
  const asked = useQuery(audience(`${owner}/${id}`));
  return <Answer query={asked}>{(definition) => <Shown key={definition.id} definition={definition} />}</Answer>;
}

function Shown({ definition }: { definition: Definition }) {
  const { t } = useTranslation("audiences");
  const [item, setItem] = useState<PublishItem>();
  const form = definition.text ? formOf(definition.text) : undefined;
  const isServed = definition.state === "published";
  return (
    <Page
      title={definition.name ?? definition.id}
      lede={definition.description ?? undefined}
      actions={<Actions definition={definition} form={form} onPublish={setItem} />}
    >
      <div className="row">
        <span className="mono quiet">{definition.id}</span>
        <KindBadge kind={definition.sort} />
        <StateBadges definition={definition} />
      </div>
      <Standing definition={definition} form={form} />
      <div className="halves">
        <div className="stack">
          {form && <What form={form} />}
          <Card title={t("users.title")}>
            {isServed ? <Users id={definition.id} /> : <p className="quiet">{t("users.notServed")}</p>}
          </Card>
        </div>
        <div className="stack">
          {isServed ? (
            <ReachPanel question={{ audience: definition.id }} />
          ) : (
            form?.made === "rule" && <ReachPanel question={{ rule: form.rule, owner: form.owner }} />
          )}
          <Links id={definition.id} isServed={isServed} isList={form?.made === "list"} />
        </div>
      </div>
      {definition.origin === "catalogue" && <History definition={definition} onPublish={setItem} />}
      <PublishDialog items={item ? [item] : []} isOpen={item !== undefined} onClose={() => setItem(undefined)} />
    </Page>
  );
}

interface ActionsProps {
  definition: Definition;
  form: Form | undefined;
  onPublish: (item: PublishItem) => void;
}

function Actions({ definition, onPublish }: ActionsProps) {
  const { t } = useTranslation("audiences");
  const may = useMay();
  if (definition.origin !== "catalogue" || !may("define")) return null;
  const item = { kind: "audience", id: definition.id };
  return (
    <>
      {definition.state !== "archived" && (
        <Button look="danger" onPress={() => onPublish({ ...item, archive: true })}>
          {t("archive")}
        </Button>
      )}
      <ButtonLink href={`/audiences/${definition.id}/edit`}>
        <Pencil size={18} aria-hidden /> {t("edit")}
      </ButtonLink>
      {definition.draft && (
        <Button look="primary" onPress={() => onPublish(item)}>
          {t("publishDraft")}
        </Button>
      )}
    </>
  );
}

/** What is to be known before reading on: a draft, a file, somebody else's, too small, a stale source. */
function Standing({ definition, form }: Pick<ActionsProps, "definition" | "form">) {
  const { t } = useTranslation("audiences");
  const format = useFormat();
  const serving = useQuery(generations).data?.in_service ?? undefined;
  const line = useQuery(generation(serving)).data?.audience_list.find((one) => one.id === definition.id);
  const floor = Number(form?.floor || 0);
  const members = line?.members;
  return (
    <>
      {definition.origin === "file" && <Notice>{t("fileHelp", { place: placeOf(definition) })}</Notice>}
      {definition.shared && <Notice>{t("sharedHelp")}</Notice>}
      {definition.state === "archived" && <Notice>{t("archivedHelp")}</Notice>}
      {definition.draft && definition.published && (
        <Notice tone="warn">
          {t("draftHelp", { who: definition.draft.author, ago: format.ago(definition.draft.time) })}
        </Notice>
      )}
      {definition.draft && !definition.published && <Notice tone="warn">{t("draftOnly")}</Notice>}
      {line?.flagged && <Notice tone="warn">{line.flagged}</Notice>}
      {definition.sort === "target" && typeof members === "number" && members < floor && (
        <Notice tone="warn">{t("tooSmall", { members: format.number(members), floor: format.number(floor) })}</Notice>
      )}
    </>
  );
}

function What({ form }: { form: Form }) {
  const { t } = useTranslation("audiences");
  const segment = [form.taxonomy && t("taxonomy", { taxonomy: form.taxonomy }), form.segment]
    .filter(Boolean)
    .join(", ");
  const shared =
    form.share === "some"
      ? parts(form.shareWith).join(", ")
      : t(form.share === "all" ? "form.shareAll" : "form.shareNone");
  const facts: [string, string][] = [
    [t("form.folder"), form.folder],
    [t("form.tags"), form.tags],
    [t("form.segment"), segment],
    [t("form.from"), form.from],
    [t("form.to"), form.to],
    [t("form.ttl"), form.ttl],
    [t("form.floor"), form.floor],
    [t("form.share"), shared],
  ];
  return (
    <Card title={t("form.who")}>
      {form.made === "rule" ? <pre className={styles.rule}>{form.rule}</pre> : <p>{t("form.listHelp")}</p>}
      <dl className={styles.facts}>
        {facts
          .filter(([, value]) => value !== "")
          .map(([name, value]) => (
            <FactOf key={name} name={name} value={value} />
          ))}
      </dl>
    </Card>
  );
}

function FactOf({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

function Links({ id, isServed, isList }: { id: string; isServed: boolean; isList: boolean }) {
  const { t } = useTranslation("audiences");
  const may = useMay();
  const links: [string, string][] = [];
  if (isServed) links.push([`/overlap?a=${id}`, t("links.overlap")], [`/explain?what=${id}`, t("links.explain")]);
  if (isServed && may("export")) links.push([`/exports?audience=${id}`, t("links.export")]);
  if (isList && isServed && may("lists")) links.push([`/uploads?list=${id}`, t("links.upload")]);
  if (links.length === 0) return null;
  return (
    <Card title={t("links.title")}>
      <ul className={styles.list}>
        {links.map(([href, name]) => (
          <li key={href}>
            <Link href={href}>{name}</Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}
