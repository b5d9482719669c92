import { useQuery } from "@tanstack/react-query";
import { Suspense, lazy, useEffect, useId } from "react";
import { useTranslation } from "react-i18next";
import { vocabulary } from "../api/queries";
import { Answer, Failed, Loading } from "../base/states";
import { Notice } from "../ui/Layout";
import { Faults } from "./Faults";
import styles from "./RuleEditor.module.css";
import { useInStep } from "./step";

const Visual = lazy(() => import("./visual/Visual"));
const TextEditor = lazy(() => import("./text/TextEditor"));

export interface RuleEditorProps {
  /** Whose audiences a name without an owner means. */
  owner?: string;
  /** The rule's text: the one value. */
  value: string;
  onChange: (text: string) => void;
  isReadOnly?: boolean;
  /** Is told whether the text says what the rows do: what is saved while it is being written would be the rule of before. */
  onStanding?: (standing: RuleStanding) => void;
}

export type RuleStanding = "settled" | "writing" | "failed";

/** A rule, built by choosing and written as text: two views of the same, in step. */
export function RuleEditor({ owner, value, onChange, isReadOnly = false, onStanding }: RuleEditorProps) {
  const { t } = useTranslation("rules");
  const words = useQuery(vocabulary);
  const step = useInStep(value, onChange, owner);
  const locked = step.behind !== "no";
  const id = useId();
  const standing: RuleStanding = !step.writing ? "settled" : step.failed ? "failed" : "writing";
  useEffect(() => {
    onStanding?.(standing);
    return () => onStanding?.("settled");
  }, [onStanding, standing]);
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
      <div className="field">
        <span className="label" id={`${id}-label`}>
          {t("asText")}
        </span>
        <Suspense fallback={<Loading lines={2} />}>
          <TextEditor
            labelledBy={`${id}-label`}
            describedBy={`${id}-hint`}
            value={value}
            onChange={onChange}
            reading={step.reading}
            vocabulary={words.data}
            isReadOnly={isReadOnly}
          />
        </Suspense>
        <span className="hint" id={`${id}-hint`}>
          {isReadOnly ? "" : t("textHint")}
        </span>
      </div>
      {step.reading !== null && (
        <Faults text={value} reading={step.reading} onChange={onChange} isReadOnly={isReadOnly} />
      )}
    </div>
  );
}
