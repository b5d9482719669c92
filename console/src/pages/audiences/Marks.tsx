/** Short marks that stand for what an audience is, with the words for them. */
import { Crosshair, FileLock2, ShieldBan } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Badge } from "../../ui/Layout";
import type { Definition } from "./asking";

export function KindBadge({ kind }: { kind: string | null | undefined }) {
  const { t } = useTranslation("audiences");
  if (kind === "target") {
    return (
      <Badge tone="accent">
        <Crosshair size={14} aria-hidden /> {t("kind.target")}
      </Badge>
    );
  }
  return (
    <Badge>
      <ShieldBan size={14} aria-hidden /> {t("kind.suppress")}
    </Badge>
  );
}

export function StateBadges({ definition }: { definition: Definition }) {
  const { t } = useTranslation("audiences");
  const { state, has_draft, origin, shared } = definition;
  return (
    <span className="row" style={{ gap: 4 }}>
      {state === "published" && <Badge tone="good">{t("state.published")}</Badge>}
      {state === "archived" && <Badge>{t("state.archived")}</Badge>}
      {(state === "draft" || has_draft) && <Badge tone="warn">{t("state.draft")}</Badge>}
      {origin === "file" && (
        <Badge>
          <FileLock2 size={14} aria-hidden /> {t("inFile")}
        </Badge>
      )}
      {shared && <Badge>{t("shared")}</Badge>}
    </span>
  );
}

/** The end of a path: directories say little to planners. */
export function placeOf(definition: Pick<Definition, "file" | "line">): string {
  const file = definition.file?.split(/[\\/]/).at(-1) ?? "";
  return definition.line ? `${file}:${definition.line}` : file;
}
