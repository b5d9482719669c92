import { useQuery } from "@tanstack/react-query";
import { Suspense, lazy } from "react";
import { useTranslation } from "react-i18next";
import { vocabulary } from "../api/queries";
import { Answer, Failed, Loading } from "../base/states";
import { TextArea } from "../ui/Fields";
import { Notice } from "../ui/Layout";
import styles from "./RuleEditor.module.css";
import { useInStep } from "./step";

const Visual = lazy(() => import("./visual/Visual"));

export interface RuleEditorProps {
  /** Whose audiences a name without an owner means. */
  owner?: string;
  /** The rule's text: the one value. */
  value: string;
  onChange: (text: string) => void;
  isReadOnly?: boolean;
}

/** A rule, built by choosing and written as text: two views of the same, in step. */
export function RuleEditor({ owner, value, onChange, isReadOnly = false }: RuleEditorProps) {
  const { t } = useTranslation("rules");
  const words = useQuery(vocabulary);
  const step = useInStep(value, onChange, owner);
  const locked = step.behind !== "no";
  return (
    <div className="stack">
      <Answer query={words}>
        {(vocabulary) => (
          <Suspense fallback={<Loading lines={3} />}>
            <div className={locked && step.behind === "errors" ? styles.dimmed : ""} inert={locked}>
              <Visual
                query={step.query}
                edit={step.edit}
                vocabulary={vocabulary}
                owner={owner}
                isReadOnly={isReadOnly}
              />
            </div>
          </Suspense>
        )}
      </Answer>
      {step.behind === "errors" && <Notice tone="warn">{t("behind")}</Notice>}
      {step.behind === "no" && step.unfinished > 0 && (
        <p className="quiet" role="status">
          {t("unfinished", { count: step.unfinished })}
        </p>
      )}
      {step.failed && <Failed error={step.failed} retry={step.retry} />}
      <TextArea label={t("asText")} value={value} onChange={onChange} rows={3} isReadOnly={isReadOnly} />
      {step.reading !== null && step.reading.errors.length > 0 && (
        <Notice tone="bad" live>
          <ul>
            {step.reading.errors.map((fault, at) => (
              <li key={at}>
                {fault.detail}
                {fault.help && <span className="quiet"> ({fault.help})</span>}
              </li>
            ))}
          </ul>
        </Notice>
      )}
    </div>
  );
}
