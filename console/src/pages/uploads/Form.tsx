import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Failed } from "../../base/states";
import { useFormat } from "../../base/format";
import { Button } from "../../ui/Button";
import { Confirm, tell } from "../../ui/Dialogs";
import { Checkbox, RadioGroup, TextField } from "../../ui/Fields";
import { FileDrop } from "../../ui/FileDrop";
import { Card, Notice, Progress } from "../../ui/Layout";
import { PreviewOf } from "./PreviewOf";
import { Result } from "./Result";
import { beginning, previewOf, type Preview } from "./preview";
import styles from "./Uploads.module.css";
import { daysOf, longest, send, type Mode, type Upload } from "./send";

const MODES: readonly Mode[] = ["add", "remove", "replace"];
/** What the server takes, after decompression. */
const MOST_BYTES = 2 ** 30;

interface Read {
  file: File;
  preview: Preview | undefined;
}

/** How the file changes the list, the file, and what became of it. */
export function Form({ list, kind }: { list: string | undefined; kind: string | undefined }) {
  const { t } = useTranslation(["uploads", "base"]);
  const [mode, setMode] = useState<Mode>("add");
  const [days, setDays] = useState("");
  const [idType, setIdType] = useState("");
  const [tryFirst, setTryFirst] = useState(false);
  const [read, setRead] = useState<Read>();
  const [asking, setAsking] = useState(false);
  const upload = useUpload();
  const ttlDays = daysOf(days, longest(kind));
  const needsType = read?.preview?.wonders.includes("needsType") ?? false;
  const result = upload.data;
  // What was tried is done by the same button.
  const tried = result?.dry_run === true && result.mode === mode;
  const dryRun = tryFirst && !tried;
  const missing = whatIsMissing();

  const change = (set: () => void) => {
    set();
    upload.reset();
  };
  const choose = async (file: File) => {
    upload.reset();
    setRead({ file, preview: undefined });
    const preview = await beginning(file).then(previewOf, () => undefined);
    setRead({ file, preview });
  };
  const start = () => {
    setAsking(false);
    if (list === undefined || read === undefined || ttlDays === "wrong") return;
    upload.start({ list, mode, file: read.file, dryRun, ttlDays, ...(needsType && { idType: idType.trim() }) });
  };
  const again = () => {
    setRead(undefined);
    upload.reset();
  };

  if (result && !result.dry_run) return <Result of={result} again={again} />;
  return (
    <>
      <Card title={t("how.title")}>
        <RadioGroup
          label={t("how.label")}
          value={mode}
          onChange={(id) =>
            change(() => {
              const chosen = MODES.find((one) => one === id) ?? "add";
              setMode(chosen);
              setTryFirst(chosen === "replace");
            })
          }
          choices={MODES.map((id) => ({ id, name: t(`how.${id}`), note: t(`how.${id}Help`) }))}
        />
        {mode !== "remove" && (
          <div className={styles.days}>
            <TextField
              label={t("how.days")}
              hint={t(kind === "suppress" ? "how.daysSuppress" : "how.daysTarget")}
              inputMode="numeric"
              value={days}
              onChange={(text) => change(() => setDays(text))}
              error={ttlDays === "wrong" ? t("how.daysWrong", { most: longest(kind) }) : undefined}
            />
          </div>
        )}
      </Card>
      <Card title={t("file.title")}>
        <p className="quiet">{t("file.privacy")}</p>
        {read === undefined ? (
          <FileDrop
            label={t("file.drop")}
            button={t("file.choose")}
            accept={[".csv", ".ndjson", ".jsonl", ".json", ".txt", ".gz"]}
            onFile={(file) => void choose(file)}
          />
        ) : (
          <File of={read} again={again} disabled={upload.isPending} />
        )}
        {read?.preview && <PreviewOf of={read.preview} />}
        {needsType && (
          <TextField
            label={t("file.type")}
            hint={t("file.typeHint")}
            value={idType}
            onChange={(text) => change(() => setIdType(text))}
          />
        )}
      </Card>
      {tried && result && <Result of={result} />}
      {upload.error && <Failed error={upload.error} />}
      {upload.isPending ? (
        <Card>
          <div role="status">
            {upload.sent < 1 ? <Progress label={t("sending")} done={upload.sent} /> : <Progress label={t("reading")} />}
          </div>
          <div>
            <Button onPress={upload.cancel}>{t("base:cancel")}</Button>
          </div>
        </Card>
      ) : (
        <div className="stack">
          {!tried && (
            <Checkbox isSelected={tryFirst} onChange={(chosen) => change(() => setTryFirst(chosen))}>
              {t("tryFirst")}
            </Checkbox>
          )}
          <div className="row">
            <Button
              look="primary"
              isDisabled={missing !== undefined}
              onPress={() => (mode === "replace" && !dryRun ? setAsking(true) : start())}
            >
              {t(dryRun ? "try" : `do.${mode}`)}
            </Button>
            {missing && <span className="quiet">{t(missing)}</span>}
          </div>
        </div>
      )}
      <Confirm
        title={t("confirm.title", { list: list ?? "" })}
        isOpen={asking}
        onClose={() => setAsking(false)}
        onConfirm={start}
        action={t("do.replace")}
        cancel={t("base:cancel")}
        danger
      >
        <p>{t("confirm.text")}</p>
        {tried && result && <p>{t("confirm.tried", { count: result.removed })}</p>}
      </Confirm>
    </>
  );

  function whatIsMissing() {
    if (list === undefined) return "missing.list";
    if (read === undefined) return "missing.file";
    if (ttlDays === "wrong") return "missing.days";
    if (needsType && idType.trim() === "") return "missing.type";
    return tried && mode === "replace" && (result?.rejected ?? 0) > 0 ? "missing.lines" : undefined;
  }
}

function File({ of, again, disabled }: { of: Read; again: () => void; disabled: boolean }) {
  const { t } = useTranslation("uploads");
  const format = useFormat();
  return (
    <>
      <div className="row spread">
        <span>
          <strong>{of.file.name}</strong> <span className="quiet">{format.bytes(of.file.size)}</span>
        </span>
        <Button small onPress={again} isDisabled={disabled}>
          {t("file.another")}
        </Button>
      </div>
      {of.file.size > MOST_BYTES && <Notice tone="warn">{t("file.tooLarge")}</Notice>}
    </>
  );
}

/** One upload at a time; leaving the page breaks it off. */
function useUpload() {
  const { t } = useTranslation("uploads");
  const [sent, setSent] = useState(0);
  const breaker = useRef<AbortController>(undefined);
  useEffect(() => () => breaker.current?.abort(), []);
  const upload = useMutation({
    mutationFn: (what: Upload) => {
      breaker.current = new AbortController();
      setSent(0);
      return send(what, breaker.current.signal, setSent);
    },
    onSuccess: (done) => {
      if (!done.dry_run) tell(t("done", { list: done.list }));
    },
  });
  const aborted = upload.error instanceof DOMException && upload.error.name === "AbortError";
  return {
    start: upload.mutate,
    cancel: () => breaker.current?.abort(),
    reset: upload.reset,
    isPending: upload.isPending,
    error: aborted ? null : upload.error,
    data: upload.data,
    sent,
  };
}
