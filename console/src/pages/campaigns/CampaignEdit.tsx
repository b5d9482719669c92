/** A campaign's form and its text: the text is what is true, and the form writes into it. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams } from "react-router";
import { queries } from "../../api/queries";
import { Long } from "../../base/Long";
import { useWho } from "../../base/session";
import { Answer, Failed, Only } from "../../base/states";
import { Button, ButtonLink } from "../../ui/Button";
import { tell } from "../../ui/Dialogs";
import { Segments, TextArea } from "../../ui/Fields";
import { Card, Notice, Page } from "../../ui/Layout";
import { CampaignFields } from "./CampaignFields";
import { isReadable, readCampaign, writeCampaign } from "./definition";
import type { FunnelAnswer } from "./funnel";
import { Funnel } from "./Funnel";
import { definition, placeOf } from "./questions";
import { saveDraft } from "./saving";

export function CampaignNew() {
  const { t } = useTranslation("campaigns");
  const owner = useWho()?.owner;
  const begin = `${owner !== undefined && owner !== "*" ? `owner: ${owner}\n` : ""}status: active\n`;
  return (
    <Only right="define">
      <Editor title={t("new")} begin={begin} back="/campaigns" />
    </Only>
  );
}

export function CampaignEdit() {
  const { t } = useTranslation("campaigns");
  const { owner = "", id = "" } = useParams();
  const asked = useQuery({ ...definition(placeOf("campaigns", `${owner}/${id}`)), refetchOnWindowFocus: false });
  const back = `/campaigns/${owner}/${id}`;
  const of = asked.data;
  const title = t("editing", { name: of?.name ?? `${owner}/${id}` });
  if (of === undefined || of.origin !== "catalogue") {
    return (
      <Page title={title}>
        <Answer query={asked}>{(found) => found.origin !== "catalogue" && <Notice>{t("inFile")}</Notice>}</Answer>
      </Page>
    );
  }
  return (
    <Only right="define">
      <Editor
        key={of.id}
        title={title}
        begin={of.draft?.text ?? of.text ?? ""}
        back={back}
        version={of.version ?? undefined}
      />
    </Only>
  );
}

interface EditorProps {
  title: string;
  begin: string;
  back: string;
  /** The version that is changed; a new one has none. */
  version?: number | undefined;
}

function Editor({ title, begin, back, version: read }: EditorProps) {
  const { t } = useTranslation(["campaigns", "base"]);
  const navigate = useNavigate();
  const [text, setText] = useState(begin);
  // A save elsewhere while this is open must not be written over: what was read at first is what is replaced.
  const [version] = useState(read);
  const [view, setView] = useState("form");
  const form = readCampaign(text);
  const saving = useMutation({
    mutationFn: () => saveDraft(placeOf("campaigns", `${form.owner}/${form.id}`), text, version),
    onSuccess: async (saved) => {
      await queries.invalidateQueries();
      tell(t("saved"));
      void navigate(`/campaigns/${saved.id}`);
    },
  });
  const nameless = form.id === "" || form.owner === "";
  return (
    <Page title={title} lede={t("editLede")}>
      <div>
        <Segments
          label={t("views")}
          value={view}
          onChange={setView}
          choices={[
            { id: "form", name: t("asForm") },
            { id: "text", name: t("asText") },
          ]}
        />
      </div>
      {view === "form" && !isReadable(text) ? (
        <Notice tone="warn">{t("unreadable")}</Notice>
      ) : view === "form" ? (
        <CampaignFields
          form={form}
          isNew={version === undefined}
          onChange={(change) => setText(writeCampaign(text, { ...form, ...change }))}
        />
      ) : (
        <Card title={t("asText")}>
          <TextArea label={t("yaml")} hint={t("yamlHint")} rows={24} value={text} onChange={setText} />
        </Card>
      )}
      <Preview text={text} />
      {saving.error && <Failed error={saving.error} />}
      <div className="row" style={{ justifyContent: "flex-end" }}>
        {nameless && <span className="quiet">{t("nameless")}</span>}
        <ButtonLink href={back}>{t("base:cancel")}</ButtonLink>
        <Button look="primary" isDisabled={nameless} isPending={saving.isPending} onPress={() => saving.mutate()}>
          {t("saveDraft")}
        </Button>
      </div>
    </Page>
  );
}

/** The funnel of what is not saved yet, once nobody has typed for a moment. */
function Preview({ text }: { text: string }) {
  const { t } = useTranslation("campaigns");
  const [settled, settle] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => settle(text), 700);
    return () => clearTimeout(timer);
  }, [text]);
  const form = readCampaign(settled);
  // Whom it would reach can be told before it has a name.
  const definition = writeCampaign(settled, { ...form, id: form.id || "unnamed" });
  return (
    <Card title={t("preview")} aside={<span className="quiet">{t("previewAside")}</span>}>
      {form.owner === "" ? (
        <p className="quiet">{t("previewOwner")}</p>
      ) : (
        <Long<FunnelAnswer> path="/api/v1/funnel" question={{ definition }}>
          {(answer) => <Funnel answer={answer} />}
        </Long>
      )}
    </Card>
  );
}
