/** Some audiences, found by typing a part of their name or id. What is chosen stands below as chips that can be taken away. */
import { useQuery } from "@tanstack/react-query";
import { ChevronDown, X } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import {
  Button as AriaButton,
  ComboBox,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Tag,
  TagGroup,
  TagList,
  Text,
} from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { vocabulary } from "../api/queries";
import { Badge } from "../ui/Layout";
import looks from "./AudiencePicker.module.css";

type Named = Schemas["VocabularyNamed"];
export type AudienceKind = "target" | "suppress";

interface AudiencePickerProps {
  label: string;
  /** Ids as `owner/id`, in the order in which they were chosen. */
  value: readonly string[];
  onChange: (ids: string[]) => void;
  /** At most so many. */
  max?: number;
  /** Only audiences of these kinds can be chosen; without it, of any. */
  kinds?: readonly AudienceKind[];
  hint?: ReactNode;
  error?: string | undefined;
  isDisabled?: boolean;
}

/** A list that long is shortened: typing finds the rest. */
const SHOWN = 100;

/** Every word of `sought` is in the name or the id. */
export function found(audience: { id: string; name: string }, sought: string): boolean {
  const text = `${audience.name} ${audience.id}`.toLocaleLowerCase();
  return sought
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export function AudiencePicker({ label, value, onChange, max, kinds, hint, error, isDisabled }: AudiencePickerProps) {
  const { t } = useTranslation("rules");
  const asked = useQuery(vocabulary);
  const [sought, setSought] = useState("");
  const all = asked.data?.audiences;
  const names = useMemo(() => new Map(all?.map((audience) => [audience.id, audience])), [all]);
  const fitting = useMemo(
    () => (all ?? []).filter((one) => (!kinds || kinds.some((kind) => kind === one.kind)) && found(one, sought)),
    [all, kinds, sought],
  );
  const full = max !== undefined && value.length >= max;
  return (
    <div className="stack" style={{ gap: 8 }}>
      <ComboBox<Named, "multiple">
        className="field"
        selectionMode="multiple"
        items={fitting.slice(0, SHOWN)}
        inputValue={sought}
        onInputChange={setSought}
        value={[...value]}
        onChange={(keys) => {
          const ids = keys.map(String);
          if (max === undefined || ids.length <= max || ids.length < value.length) onChange(ids);
          setSought("");
        }}
        disabledKeys={full ? fitting.map((one) => one.id).filter((id) => !value.includes(id)) : []}
        isInvalid={error !== undefined}
        isDisabled={isDisabled ?? false}
        menuTrigger="focus"
        allowsEmptyCollection
      >
        <Label>{label}</Label>
        <div className="combo">
          <Input placeholder={t("picker.find")} />
          <AriaButton className="button icon" aria-label={t("picker.open")}>
            <ChevronDown size={18} aria-hidden />
          </AriaButton>
        </div>
        <Text slot="description">
          {hint} {max !== undefined && t(full ? "picker.full" : "picker.upTo", { count: max })}
        </Text>
        <FieldError className="field-error">{error}</FieldError>
        <Popover className="popover" maxHeight={360}>
          <ListBox
            renderEmptyState={() => (
              <p className={looks.none}>{t(asked.isPending ? "picker.loading" : "picker.none")}</p>
            )}
          >
            {(one: Named) => <Found audience={one} />}
          </ListBox>
          {fitting.length > SHOWN && (
            <p className={looks.none}>{t("picker.more", { count: fitting.length - SHOWN })}</p>
          )}
        </Popover>
      </ComboBox>
      <Chosen label={t("picker.chosen", { of: label })} ids={value} names={names} onChange={onChange} />
    </div>
  );
}

function Found({ audience }: { audience: Named }) {
  const { t } = useTranslation("rules");
  return (
    <ListBoxItem id={audience.id} textValue={`${audience.name} ${audience.id}`} className={`option ${looks.found}`}>
      <span className="row spread">
        <Text slot="label">{audience.name}</Text>
        <Kind kind={audience.kind} />
      </span>
      <Text slot="description" className="hint mono">
        {audience.id}
        {audience.list && ` · ${t("picker.list")}`}
      </Text>
    </ListBoxItem>
  );
}

/** Whether an audience is there to be spoken to or to be left alone. */
export function Kind({ kind }: { kind: string }) {
  const { t } = useTranslation("rules");
  return kind === "suppress" ? (
    <Badge tone="warn">{t("picker.suppress")}</Badge>
  ) : (
    <Badge tone="accent">{t("picker.target")}</Badge>
  );
}

interface ChosenProps {
  label: string;
  ids: readonly string[];
  names: ReadonlyMap<string, Named>;
  onChange: (ids: string[]) => void;
}

function Chosen({ label, ids, names, onChange }: ChosenProps) {
  const { t } = useTranslation("rules");
  if (ids.length === 0) return null;
  return (
    <TagGroup
      aria-label={label}
      onRemove={(removed) => onChange(ids.filter((id) => !removed.has(id)))}
      selectionMode="none"
    >
      <TagList className={looks.chips ?? ""}>
        {ids.map((id) => {
          const name = names.get(id)?.name ?? id;
          return (
            <Tag key={id} id={id} textValue={name} className={looks.chip ?? ""}>
              <span>
                {name}
                {name !== id && <span className="quiet mono"> {id}</span>}
              </span>
              <AriaButton slot="remove" className={looks.remove ?? ""} aria-label={t("picker.remove", { name })}>
                <X size={14} aria-hidden />
              </AriaButton>
            </Tag>
          );
        })}
      </TagList>
    </TagGroup>
  );
}
