import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { useNow } from "../../base/now";
import { Badge, type Tone } from "../../ui/Layout";
import { phaseOf, type CampaignForm, type Phase } from "./definition";

const TONES: Record<Phase, Tone> = {
  active: "good",
  before: "accent",
  after: "plain",
  paused: "warn",
  draft: "plain",
  archived: "plain",
};

/** Whether it speaks today, and whether something waits to be published. */
export function StateOf({ of, form }: { of: Schemas["Definition"]; form: CampaignForm | undefined }) {
  const { t } = useTranslation("campaigns");
  const now = useNow();
  const published = of.state === "published";
  const phase = form && published ? phaseOf(form, new Date(now)) : undefined;
  return (
    <span className="row" style={{ gap: 6 }}>
      {phase && <Badge tone={TONES[phase]}>{t(`phases.${phase}`)}</Badge>}
      {of.state === "draft" && <Badge tone="warn">{t("neverPublished")}</Badge>}
      {of.state === "archived" && <Badge>{t("phases.archived")}</Badge>}
      {published && of.has_draft && <Badge tone="warn">{t("hasDraft")}</Badge>}
      {of.origin === "file" && <Badge>{t("ofFile")}</Badge>}
    </span>
  );
}
