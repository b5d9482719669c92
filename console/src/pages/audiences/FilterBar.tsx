import { useEffect, useEffectEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../ui/Button";
import { SearchField, Select } from "../../ui/Fields";
import styles from "./Audiences.module.css";
import { isFiltered, SORTS, type Filters } from "./filters";

interface FilterBarProps {
  filters: Filters;
  choices: Record<"owners" | "folders" | "tags", readonly string[]>;
  onChange: (change: Partial<Filters>) => void;
  onClear: () => void;
}

export function FilterBar({ filters, choices, onChange, onClear }: FilterBarProps) {
  const { t } = useTranslation("audiences");
  const any = (values: readonly string[]) => [
    { id: "*", name: t("filter.any") },
    ...values.map((value) => ({ id: value, name: value })),
  ];
  const value = (text: string) => (text === "" ? "*" : text);
  /** The field begins anew when everything is cleared. */
  const [cleared, setCleared] = useState(0);
  const back = (id: string) => (id === "*" ? "" : id);
  return (
    <div className={styles.filters} role="search">
      <div className={styles.search}>
        <Typed key={cleared} value={filters.text} onChange={(text) => onChange({ text })} />
      </div>
      {choices.owners.length > 1 && (
        <Select
          label={t("filter.owner")}
          choices={any(choices.owners)}
          value={value(filters.owner)}
          onChange={(id) => onChange({ owner: back(id) })}
        />
      )}
      <Select
        label={t("filter.folder")}
        choices={any(choices.folders)}
        value={value(filters.folder)}
        onChange={(id) => onChange({ folder: back(id) })}
      />
      <Select
        label={t("filter.tag")}
        choices={any(choices.tags)}
        value={value(filters.tag)}
        onChange={(id) => onChange({ tag: back(id) })}
      />
      <Select
        label={t("filter.kind")}
        choices={[
          { id: "*", name: t("filter.any") },
          { id: "target", name: t("kind.target") },
          { id: "suppress", name: t("kind.suppress") },
        ]}
        value={value(filters.kind)}
        onChange={(id) => onChange({ kind: id === "target" || id === "suppress" ? id : "" })}
      />
      <Select
        label={t("filter.state")}
        choices={[
          { id: "*", name: t("filter.any") },
          { id: "published", name: t("state.published") },
          { id: "draft", name: t("filter.draft") },
          { id: "archived", name: t("state.archived") },
        ]}
        value={value(filters.state)}
        onChange={(id) => onChange({ state: id === "published" || id === "draft" || id === "archived" ? id : "" })}
      />
      <Select
        label={t("filter.sort")}
        choices={SORTS.map((sort) => ({ id: sort, name: t(`sort.${sort}`) }))}
        value={filters.sort}
        onChange={(id) => onChange({ sort: SORTS.find((sort) => sort === id) ?? "name" })}
      />
      {isFiltered(filters) && (
        <Button
          look="quiet"
          onPress={() => {
            setCleared(cleared + 1);
            onClear();
          }}
        >
          {t("filter.clear")}
        </Button>
      )}
    </div>
  );
}

/** What is typed is looked for a moment after the last letter. */
function Typed({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const { t } = useTranslation("audiences");
  const [text, setText] = useState(value);
  const tell = useEffectEvent((typed: string) => typed !== value && onChange(typed));
  useEffect(() => {
    const timer = setTimeout(() => tell(text), 250);
    return () => clearTimeout(timer);
  }, [text]);
  return <SearchField label={t("filter.text")} value={text} onChange={setText} />;
}
