/** The form with its preview beside it: saves a draft, and publishes it if that is wanted. */
import { useMutation } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { Problem } from "../../api/client";
import { queries } from "../../api/queries";
import { Failed } from "../../base/states";
import { PublishDialog } from "../../rules/PublishDialog";
import { ReachPanel } from "../../rules/ReachPanel";
import type { RuleStanding } from "../../rules/RuleEditor";
import { Button, ButtonLink } from "../../ui/Button";
import { Confirm, tell } from "../../ui/Dialogs";
import { Notice } from "../../ui/Layout";
import { audience, isProblem, write, type Definition } from "./asking";
import styles from "./Audiences.module.css";
import { faultsByField, isId, textOf, type Field, type Form } from "./definition";
import { FormFields } from "./FormFields";
import { Preview } from "./Preview";
import { useUnsaved } from "./unsaved";

interface EditorProps {
  start: Form;
  owners: readonly string[];
  /** What is there already. */
  definition?: Definition;
}

export function Editor({ start, owners, definition }: EditorProps) {
  const { t } = useTranslation(["audiences", "base"]);
  const navigate = useNavigate();
  const { form, setForm, isDirty, isBack, discard, done, seen, setSeen } = useUnsaved(
    start,
    definition?.id,
    definition?.version ?? undefined,
  );
  const [leaving, setLeaving] = useState(false);
  const [publishing, setPublishing] = useState(false);
  const [missing, setMissing] = useState<Partial<Record<Field, string>>>({});
  const [standing, setStanding] = useState<RuleStanding>("settled");
  /** What is saved as soon as the rule's text says what its rows do. */
  const [wanted, setWanted] = useState<"draft" | "publish">();
  const id = `${form.owner.trim()}/${form.id.trim()}`;
  const text = useMemo(() => textOf(form, definition?.text ?? ""), [form, definition?.text]);
  const settled = useSettled(text);
  const home = definition ? `/audiences/${definition.id}` : "/audiences";
  const saving = useMutation({
    mutationFn: (next: "draft" | "publish") => write({ id, text, seen }).then((written) => ({ written, next })),
    onSuccess: ({ written, next }) => {
      done();
      queries.setQueryData(["definition", "audience", id], written);
      void queries.invalidateQueries({ queryKey: ["definitions"] });
      void queries.invalidateQueries({ queryKey: ["definition"] });
      if (next === "publish") return setPublishing(true);
      tell(t("saved", { name: form.name || id }));
      void navigate(`/audiences/${id}`);
    },
  });
  const refused = saving.error instanceof Problem ? saving.error : undefined;
  const told = useMemo(
    () => faultsByField(saving.error ? text : "", refused?.errors ?? []),
    [saving.error, refused, text],
  );
  const save = (then: "draft" | "publish") => {
    const lacks: Partial<Record<Field, string>> = {};
    if (form.name.trim() === "") lacks.name = t("needs.name");
    if (!isId(form.id.trim())) lacks.id = t("needs.id");
    if (form.owner.trim() === "") lacks.owner = t("needs.owner");
    if (form.made === "rule" && form.rule.trim() === "") lacks.rule = t("needs.rule");
    setMissing(lacks);
    if (Object.keys(lacks).length === 0) saving.mutate(then);
  };
  const ask = (then: "draft" | "publish") => (standing === "writing" ? setWanted(then) : save(then));
  const goOn = useEffectEvent((then: "draft" | "publish") => {
    setWanted(undefined);
    if (standing === "settled") save(then);
  });
  useEffect(() => {
    if (wanted === undefined || standing === "writing") return undefined;
    const timer = setTimeout(() => goOn(wanted), 0);
    return () => clearTimeout(timer);
  }, [wanted, standing]);
  /** What somebody else wrote meanwhile is seen, and the next save replaces it. */
  const keepMine = async () => {
    try {
      const now = await queries.fetchQuery({ ...audience(id), staleTime: 0 });
      setSeen(now.version ?? undefined);
      saving.reset();
      tell(t("keptMine"));
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), "bad");
    }
  };
  const errors = { ...told.fields, ...missing };
  const pending = saving.isPending || wanted !== undefined;
  const complete =
    isId(form.id.trim()) && form.owner.trim() !== "" && (form.made === "list" || form.rule.trim() !== "");
  return (
    // The dialogs stand beside the form: what they submit is not the form's.
    <>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          ask("draft");
        }}
      >
        <div className="stack">
          {isBack && (
            <Notice live>
              {t("isBack")}{" "}
              <Button small onPress={discard}>
                {t("throwAway")}
              </Button>
            </Notice>
          )}
          <FormFields
            form={form}
            onChange={setForm}
            errors={errors}
            owners={owners}
            isNew={definition === undefined}
            onStanding={setStanding}
          />
        </div>
        <div className={`stack ${styles.side}`}>
          {form.made === "rule" && form.rule.trim() !== "" && (
            <ReachPanel question={{ rule: form.rule, ...(form.owner && { owner: form.owner }) }} />
          )}
          <Preview text={settled} ready={complete} />
          {saving.error && (
            <Refusal
              error={saving.error}
              id={id}
              isNew={definition === undefined}
              others={told.others.length > 0}
              keepMine={() => void keepMine()}
            />
          )}
          {Object.keys(errors).length > 0 && (
            <Notice tone="bad" live>
              {t("lookAtFields", { count: Object.keys(errors).length })}
            </Notice>
          )}
          <div className="row">
            <Button look="primary" onPress={() => ask("publish")} isPending={pending}>
              {t("saveAndPublish")}
            </Button>
            <Button type="submit" isPending={pending}>
              {t("saveDraft")}
            </Button>
            <Button look="quiet" onPress={() => (isDirty ? setLeaving(true) : void navigate(home))}>
              {t("base:cancel")}
            </Button>
          </div>
        </div>
      </form>
      <Confirm
        title={t("leaveTitle")}
        isOpen={leaving}
        onClose={() => setLeaving(false)}
        onConfirm={() => {
          done();
          void navigate(home);
        }}
        action={t("throwAway")}
        cancel={t("goOn")}
        danger
      >
        <p>{t("leaveHelp")}</p>
      </Confirm>
      <PublishDialog
        items={[{ kind: "audience", id }]}
        isOpen={publishing}
        onClose={() => void navigate(`/audiences/${id}`)}
      />
    </>
  );
}

/** Why it was not saved. A conflict tells the way out of it. */
function Refusal({
  error,
  id,
  isNew,
  others,
  keepMine,
}: {
  error: Error;
  id: string;
  isNew: boolean;
  others: boolean;
  keepMine: () => void;
}) {
  const { t } = useTranslation("audiences");
  if (isProblem(error, 412)) {
    return (
      <Notice tone="warn" live>
        <div className="stack" style={{ gap: 8 }}>
          <strong>{isNew ? t("taken", { id }) : t("conflict")}</strong>
          <span>{isNew ? t("takenHelp") : t("conflictHelp")}</span>
          <div className="row">
            <ButtonLink small href={`/audiences/${id}`} target="_blank">
              {t("lookAtIt")}
            </ButtonLink>
            {!isNew && (
              <Button small onPress={keepMine}>
                {t("keepMine")}
              </Button>
            )}
          </div>
        </div>
      </Notice>
    );
  }
  const told = error instanceof Problem && error.errors.length > 0 && !others;
  return told ? null : <Failed error={error} />;
}

/** What did not change for a moment. */
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), 400);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
