/** What objecting and deleting mean, in the same words wherever they are done. */
import { useTranslation } from "react-i18next";
import { RadioGroup } from "../../ui/Fields";
import { SCOPES, type Scope } from "./deeds";
import looks from "./Privacy.module.css";

export function ScopeChoice({ value, onChange }: { value: Scope; onChange: (scope: Scope) => void }) {
  const { t } = useTranslation("privacy");
  return (
    <RadioGroup
      label={t("scope")}
      value={value}
      choices={SCOPES.map((id) => ({ id, name: t(`scopes.${id}.name`), note: t(`scopes.${id}.means`) }))}
      onChange={(id) => onChange(id as Scope)}
    />
  );
}

export function ObjectionMeans() {
  const { t } = useTranslation("privacy");
  return <Means points={t("objectionMeans", { returnObjects: true })} />;
}

export function DeletionMeans() {
  const { t } = useTranslation("privacy");
  return <Means points={t("deletionMeans", { returnObjects: true })} />;
}

function Means({ points }: { points: Record<string, string> }) {
  return (
    <ul className={looks.points}>
      {Object.entries(points).map(([name, point]) => (
        <li key={name}>{point}</li>
      ))}
    </ul>
  );
}
