/** The fields of an audience. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { RuleEditor, type RuleStanding } from "../../rules/RuleEditor";
import { RadioGroup, Segments, Select, TextArea, TextField } from "../../ui/Fields";
import { Card, More } from "../../ui/Layout";
import styles from "./Audiences.module.css";
import { idOf, type Field, type Form } from "./definition";

interface FormFieldsProps {
  form: Form;
  onChange: (form: Form) => void;
  errors: Partial<Record<Field, string>>;
  owners: readonly string[];
  isNew: boolean;
  onStanding: (standing: RuleStanding) => void;
}

const OTHER = "*";

export function FormFields(props: FormFieldsProps) {
  const { form, onChange, errors, isNew, onStanding } = props;
  const { t } = useTranslation("audiences");
  const put = (change: Partial<Form>) => onChange({ ...form, ...change });
  /** As long as nobody typed an id, it follows the name. */
  const follows = isNew && form.id === idOf(form.name);
  return (
    <>
      <Card title={t("form.what")}>
        <TextField
          label={t("form.name")}
          hint={t("form.nameHint")}
          error={errors.name}
          value={form.name}
          onChange={(name) => put({ name, ...(follows && { id: idOf(name) }) })}
        />
        <div className={styles.pair}>
          {isNew && <Owner {...props} />}
          <TextField
            label={t("form.id")}
            hint={isNew ? t("form.idHint") : t("form.idFixed")}
            error={errors.id}
            value={form.id}
            onChange={(id) => put({ id })}
            isReadOnly={!isNew}
          />
        </div>
        <RadioGroup
          label={t("form.kind")}
          choices={[
            { id: "target", name: t("kind.target"), note: t("kind.targetNote") },
            { id: "suppress", name: t("kind.suppress"), note: t("kind.suppressNote") },
          ]}
          value={form.kind}
          onChange={(kind) => put({ kind: kind === "suppress" ? "suppress" : "target" })}
        />
        <TextArea
          label={t("form.description")}
          error={errors.description}
          value={form.description}
          onChange={(description) => put({ description })}
          rows={2}
        />
      </Card>
      <Card title={t("form.who")}>
        <Segments
          label={t("form.made")}
          choices={[
            { id: "rule", name: t("form.byRule") },
            { id: "list", name: t("form.byList") },
          ]}
          value={form.made}
          onChange={(made) => put({ made: made === "list" ? "list" : "rule" })}
        />
        {form.made === "rule" ? (
          <>
            <RuleEditor
              owner={form.owner}
              value={form.rule}
              onChange={(rule) => put({ rule })}
              onStanding={onStanding}
            />
            {errors.rule && (
              <p className="field-error" role="alert">
                {errors.rule}
              </p>
            )}
          </>
        ) : (
          <>
            <p className="quiet">{t("form.listHelp")}</p>
            <TextField
              label={t("form.ttl")}
              hint={t("form.ttlHint")}
              error={errors.ttl}
              value={form.ttl}
              onChange={(ttl) => put({ ttl })}
            />
          </>
        )}
      </Card>
      <Card>
        <More title={t("form.more")} open={!isNew || hasMore(errors)}>
          <MoreFields form={form} put={put} errors={errors} />
        </More>
      </Card>
    </>
  );
}

function hasMore(errors: FormFieldsProps["errors"]): boolean {
  const fields = ["folder", "tags", "taxonomy", "segment", "from", "to", "floor", "share"] as const;
  return fields.some((field) => errors[field] !== undefined);
}

/** The key's own owner, one that there is, or another that is typed. */
function Owner({ form, onChange, errors, owners }: FormFieldsProps) {
  const { t } = useTranslation("audiences");
  const [typed, setTyped] = useState(owners.length === 0 || !owners.includes(form.owner));
  if (owners.length === 1 && owners[0] === form.owner && !typed) {
    return <TextField label={t("form.owner")} value={form.owner} isReadOnly error={errors.owner} />;
  }
  const choices = [...owners.map((owner) => ({ id: owner, name: owner })), { id: OTHER, name: t("form.otherOwner") }];
  return (
    <>
      {owners.length > 0 && (
        <Select
          label={t("form.owner")}
          choices={choices}
          value={typed ? OTHER : form.owner}
          onChange={(owner) => {
            setTyped(owner === OTHER);
            onChange({ ...form, owner: owner === OTHER ? "" : owner });
          }}
        />
      )}
      {typed && (
        <TextField
          label={t("form.ownerName")}
          hint={t("form.ownerHint")}
          error={errors.owner}
          value={form.owner}
          onChange={(owner) => onChange({ ...form, owner })}
        />
      )}
    </>
  );
}

interface MoreFieldsProps {
  form: Form;
  put: (change: Partial<Form>) => void;
  errors: FormFieldsProps["errors"];
}

function MoreFields({ form, put, errors }: MoreFieldsProps) {
  const { t } = useTranslation("audiences");
  const field = (name: Exclude<Field, "kind" | "made" | "share">, hint?: string) => (
    <TextField
      label={t(`form.${name}`)}
      {...(hint !== undefined && { hint })}
      error={errors[name]}
      value={form[name]}
      onChange={(value) => put({ [name]: value })}
    />
  );
  return (
    <div className="stack">
      <div className={styles.pair}>
        {field("folder", t("form.folderHint"))}
        {field("tags", t("form.tagsHint"))}
      </div>
      <div className={styles.pair}>
        {field("taxonomy", t("form.taxonomyHint"))}
        {field("segment", t("form.segmentHint"))}
      </div>
      <div className={styles.pair}>
        {field("from", t("form.fromHint"))}
        {field("to", t("form.toHint"))}
      </div>
      {field("floor", t("form.floorHint"))}
      <RadioGroup
        label={t("form.share")}
        choices={[
          { id: "none", name: t("form.shareNone") },
          { id: "all", name: t("form.shareAll") },
          { id: "some", name: t("form.shareSome") },
        ]}
        value={form.share}
        onChange={(share) => put({ share: share === "all" || share === "some" ? share : "none" })}
      />
      {form.share === "some" && (
        <TextField
          label={t("form.shareWith")}
          hint={t("form.shareWithHint")}
          error={errors.share}
          value={form.shareWith}
          onChange={(shareWith) => put({ shareWith })}
        />
      )}
    </div>
  );
}
