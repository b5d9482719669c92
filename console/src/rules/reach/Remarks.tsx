import { useTranslation } from "react-i18next";
import { Problem, type Schemas } from "../../api/client";
import { Failed } from "../../base/states";
import { Badge, Notice } from "../../ui/Layout";

/** What is legal and probably not meant. */
export function Remarks({ lint }: { lint: readonly Schemas["Remark"][] }) {
  const { t } = useTranslation("rules");
  if (lint.length === 0) return null;
  return (
    <Notice tone="warn">
      <strong>{t("remarks")}</strong>
      <ul style={{ margin: 0, paddingInlineStart: 18 }}>
        {lint.map((remark, at) => (
          <li key={at}>
            {remark.message}
            {remark.help.map((help) => (
              <div key={help} className="quiet">
                {help}
              </div>
            ))}
          </li>
        ))}
      </ul>
    </Notice>
  );
}

interface WhyNotProps {
  error: Error;
  waits: number | undefined;
  retry: () => void;
}

/** Why there is no figure. */
export function WhyNot({ error, waits, retry }: WhyNotProps) {
  const { t } = useTranslation("rules");
  if (waits !== undefined) return <Badge tone="warn">{t("waits", { count: Math.ceil(waits) })}</Badge>;
  if (!(error instanceof Problem) || error.errors.length === 0) return <Failed error={error} retry={retry} />;
  return (
    <Notice tone="bad">
      <strong>{t("cannotCount")}</strong>
      <ul style={{ margin: 0, paddingInlineStart: 18 }}>
        {error.errors.map((fault, at) => (
          <li key={at}>
            {fault.detail}
            {fault.help && <div className="quiet">{fault.help}</div>}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
