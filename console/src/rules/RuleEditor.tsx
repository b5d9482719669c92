import { useTranslation } from "react-i18next";
import { TextArea } from "../ui/Fields";

export interface RuleEditorProps {
  /** Whose audiences a name without an owner means. */
  owner?: string;
  /** The rule's text: the one value. */
  value: string;
  onChange: (text: string) => void;
  isReadOnly?: boolean;
}

/** A rule, built by choosing or written as text. */
export function RuleEditor({ value, onChange, isReadOnly }: RuleEditorProps) {
  const { t } = useTranslation("rules");
  return <TextArea label={t("rule")} value={value} onChange={onChange} rows={6} isReadOnly={isReadOnly ?? false} />;
}
