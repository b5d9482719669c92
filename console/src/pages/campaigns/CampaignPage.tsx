import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useParams, useSearchParams } from "react-router";
import type { Schemas } from "../../api/client";
import { Long } from "../../base/Long";
import { useMay } from "../../base/session";
import { Answer } from "../../base/states";
import { PublishDialog, type PublishItem } from "../../rules/PublishDialog";
import { Button, ButtonLink } from "../../ui/Button";
import { Card, Notice, Page, Tabs } from "../../ui/Layout";
import { readCampaign } from "./definition";
import type { FunnelAnswer } from "./funnel";
import { Funnel } from "./Funnel";
import { History } from "./History";
import { definition, placeOf, type Place } from "./questions";
import { StateOf } from "./StateOf";
import { Verdicts } from "./Verdicts";
import { InWords } from "./InWords";

type Definition = Schemas["Definition"];

export function CampaignPage() {
  const { owner = "", id = "" } = useParams();
  const place = placeOf("campaigns", `${owner}/${id}`);
  const asked = useQuery(definition(place));
  if (asked.data === undefined) {
    return (
      <Page title={`${owner}/${id}`}>
        <Answer query={asked}>{() => null}</Answer>
      </Page>
    );
  }
  return <Shown key={asked.data.id} place={place} of={asked.data} />;
}

function Shown({ place, of }: { place: Place; of: Definition }) {
  const { t } = useTranslation("campaigns");
  const may = useMay();
  const [address, go] = useSearchParams();
  const [publishing, publish] = useState<PublishItem[]>();
  // What is in force is what is shown; a draft that never was in force is shown as it is.
  const text = of.published?.text ?? of.text ?? "";
  const form = readCampaign(text);
  const item = { kind: "campaign", id: of.id } as const;
  const editable = of.origin === "catalogue" && may("define");
  return (
    <Page
      title={of.name ?? of.id}
      lede={
        <span className="row">
          <span className="mono">{of.id}</span> <StateOf of={of} form={form} />
        </span>
      }
      actions={
        <>
          {editable && <ButtonLink href={`/campaigns/${of.id}/edit`}>{t("edit")}</ButtonLink>}
          {editable && of.has_draft && (
            <Button look="primary" onPress={() => publish([item])}>
              {t("publish")}
            </Button>
          )}
          {editable && of.state === "published" && (
            <Button look="danger" onPress={() => publish([{ ...item, archive: true }])}>
              {t("archive")}
            </Button>
          )}
        </>
      }
    >
      {of.origin === "file" && (
        <Notice>
          {t("inFile")} <code>{[of.file, of.line].filter(Boolean).join(":")}</code>
        </Notice>
      )}
      {of.has_draft && of.state === "published" && <Notice tone="warn">{t("draftWaits")}</Notice>}
      <Tabs
        label={t("views")}
        selected={address.get("view") ?? "words"}
        onSelect={(view) => go(view === "words" ? {} : { view }, { replace: true })}
        tabs={[
          { id: "words", name: t("inWords"), content: <InWords form={form} id={of.id} /> },
          {
            id: "funnel",
            name: t("funnel.title"),
            content: (
              <Card title={t("funnel.title")}>
                <Long<FunnelAnswer>
                  path="/api/v1/funnel"
                  question={of.state === "published" ? { campaign: of.id } : { definition: text }}
                >
                  {(answer) => <Funnel answer={answer} />}
                </Long>
              </Card>
            ),
          },
          { id: "verdicts", name: t("verdicts.title"), content: <Verdicts campaign={of.id} /> },
          {
            id: "history",
            name: t("history.title"),
            content: <History place={place} of={of} publish={(version) => publish([{ ...item, version }])} />,
          },
          {
            id: "text",
            name: t("asText"),
            content: (
              <Card title={t("asText")}>
                <pre className="mono">{text}</pre>
              </Card>
            ),
          },
        ]}
      />
      <PublishDialog items={publishing ?? []} isOpen={publishing !== undefined} onClose={() => publish(undefined)} />
    </Page>
  );
}
