import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { useFormat } from "../base/format";
import { namesIn } from "./publishing";

type Reason = Schemas["ReasonAnswer"];

/** Why somebody must say that it is meant, in plain words. */
export function PublishReasons({ reasons }: { reasons: readonly Reason[] }) {
  return (
    <ul>
      {reasons.map((reason, at) => (
        <li key={at}>
          <ReasonText reason={reason} />
        </li>
      ))}
    </ul>
  );
}

function ReasonText({ reason }: { reason: Reason }) {
  const { t } = useTranslation("rules");
  const format = useFormat();
  const [first, second] = namesIn(reason.detail);
  const another = t("publish.another");
  const id = reason.id ?? another;
  const other = (first === reason.id ? second : first) ?? another;
  switch (reason.code) {
    case "exclusion_removed":
    case "exclusion_softened":
      return <>{t(`publish.reason.${reason.code}`, { id, other })}</>;
    case "exclusion_ends":
    case "suppress_archived":
    case "suppress_retargeted":
      return <>{t(`publish.reason.${reason.code}`, { id })}</>;
    case "members_moved": {
      const told = (count: number | null | undefined) => format.number(count ?? 0);
      const figures = { members: told(reason.members), joins: told(reason.joins), leaves: told(reason.leaves) };
      return <>{t("publish.reason.members_moved", { id, ...figures })}</>;
    }
    case "not_counted":
      return <>{t("publish.reason.not_counted", { detail: reason.detail })}</>;
    default:
      return <>{reason.detail}</>;
  }
}
