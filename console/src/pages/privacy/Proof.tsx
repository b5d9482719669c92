import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { useFormat } from "../../base/format";
import { ButtonLink } from "../../ui/Button";
import looks from "./Privacy.module.css";

/** The entry of the audit trail that shows that it was done. */
export function Proof({ entry }: { entry: Schemas["AuditEntry"] | undefined }) {
  const { t } = useTranslation("privacy");
  const format = useFormat();
  if (!entry) return <p>{t("noProof")}</p>;
  return (
    <div className="stack" style={{ gap: 8 }}>
      <h3>{t("proof")}</h3>
      <dl className={looks.facts}>
        <dt>{t("entry")}</dt>
        <dd>{format.number(entry.number)}</dd>
        <dt>{t("when")}</dt>
        <dd>{format.time(entry.time)}</dd>
        <dt>{t("who")}</dt>
        <dd className="mono">{entry.who}</dd>
        <dt>{t("hash")}</dt>
        <dd className="mono">{entry.link}</dd>
      </dl>
      <div>
        <ButtonLink small href="/audit">
          {t("toAudit")}
        </ButtonLink>
      </div>
    </div>
  );
}
