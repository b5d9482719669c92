/** Many definitions from one file: looked at first, then kept as drafts or published. */
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { queries } from "../../api/queries";
import { Failed, Loading, Only } from "../../base/states";
import { PublishReasons } from "../../rules/PublishReasons";
import { Button, ButtonLink } from "../../ui/Button";
import { Checkbox, RadioGroup, TextField } from "../../ui/Fields";
import { FileDrop } from "../../ui/FileDrop";
import { Card, Notice, Page } from "../../ui/Layout";
import { Table, type Column } from "../../ui/Table";
import { upload } from "./asking";

type Changed = Schemas["Changed"];
type Item = Schemas["ChangedItem"];

interface Chosen {
  name: string;
  text: string;
}

export function Upload() {
  const { t } = useTranslation("audiences");
  const [file, setFile] = useState<Chosen>();
  const [times, setTimes] = useState(0);
  return (
    <Page title={t("upload.title")} lede={t("upload.lede")}>
      <Only right="define">
        <FileDrop
          label={t("upload.drop")}
          button={t("upload.choose")}
          accept={[".yaml", ".yml", ".json"]}
          onFile={(chosen) => {
            void chosen.text().then((text) => {
              setFile({ name: chosen.name, text });
              setTimes(times + 1);
            });
          }}
        />
        {file && <Checked key={times} file={file} />}
      </Only>
    </Page>
  );
}

function Checked({ file }: { file: Chosen }) {
  const { t } = useTranslation("audiences");
  const [publish, setPublish] = useState(false);
  const looking = useMutation({ mutationFn: (publish: boolean) => upload({ text: file.text, publish, dryRun: true }) });
  const { mutate } = looking;
  useEffect(() => mutate(publish), [mutate, publish]);
  return (
    <Card title={file.name}>
      <RadioGroup
        label={t("upload.how")}
        choices={[
          { id: "draft", name: t("upload.asDrafts"), note: t("upload.asDraftsNote") },
          { id: "publish", name: t("upload.publish"), note: t("upload.publishNote") },
        ]}
        value={publish ? "publish" : "draft"}
        onChange={(how) => setPublish(how === "publish")}
      />
      {looking.error ? (
        <>
          <Failed error={looking.error} />
          <p className="quiet">{t("upload.mend")}</p>
        </>
      ) : looking.data === undefined ? (
        <Loading lines={3} />
      ) : (
        <Take key={looking.data.confirm} file={file} publish={publish} looked={looking.data} />
      )}
    </Card>
  );
}

function Take({ file, publish, looked }: { file: Chosen; publish: boolean; looked: Changed }) {
  const { t } = useTranslation(["audiences", "rules"]);
  const [meant, setMeant] = useState(false);
  const [comment, setComment] = useState("");
  const taking = useMutation({
    mutationFn: () =>
      upload({
        text: file.text,
        publish,
        dryRun: false,
        comment: comment.trim(),
        confirm: looked.confirm ?? undefined,
      }),
    onSuccess: () => void queries.invalidateQueries(),
  });
  if (taking.data) {
    return (
      <Notice tone="good" live>
        {publish
          ? t("upload.published", { count: taking.data.items.length })
          : t("upload.taken", { count: taking.data.items.length })}{" "}
        <ButtonLink small href={publish ? "/audiences" : "/audiences?state=draft"}>
          {t("upload.see")}
        </ButtonLink>
      </Notice>
    );
  }
  const columns: Column<Item>[] = [
    { id: "id", name: t("column.name"), cell: (row) => <span className="mono">{row.id}</span> },
    { id: "kind", name: t("column.kind"), cell: (row) => row.kind },
    { id: "version", name: t("history.version"), number: true, cell: (row) => row.version },
  ];
  const reasons = looked.needs_confirmation ?? [];
  return (
    <>
      <p role="status">
        {t("upload.changes", { count: looked.items.length })}{" "}
        {t("upload.unchanged", { count: looked.unchanged.length })}
      </p>
      {looked.items.length > 0 && (
        <Table
          label={t("upload.title")}
          columns={columns}
          rows={looked.items}
          idOf={(row) => `${row.kind} ${row.id}`}
        />
      )}
      {looked.warnings.length > 0 && (
        <Notice tone="warn">
          <strong>{t("preview.lint")}</strong>
          <ul>
            {looked.warnings.map((warning, at) => (
              <li key={at}>
                {warning.line ? `${warning.line}: ` : ""}
                {warning.detail}
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {reasons.length > 0 && (
        <Notice tone="warn">
          <div className="stack" style={{ gap: 8 }}>
            <strong>{t("rules:publish.confirm")}</strong>
            <PublishReasons reasons={reasons} />
            <Checkbox isSelected={meant} onChange={setMeant}>
              {t("rules:publish.meant")}
            </Checkbox>
          </div>
        </Notice>
      )}
      {looked.items.length > 0 && (
        <>
          <TextField label={t("rules:publish.comment")} value={comment} onChange={setComment} />
          {taking.error && <Failed error={taking.error} />}
          <div>
            <Button
              look="primary"
              onPress={() => taking.mutate()}
              isPending={taking.isPending}
              isDisabled={reasons.length > 0 && !meant}
            >
              {publish ? t("upload.publish") : t("upload.asDrafts")}
            </Button>
          </div>
        </>
      )}
    </>
  );
}
