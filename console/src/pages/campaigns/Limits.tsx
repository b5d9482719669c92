/** What limits campaigns together: groups, of which one speaks, and pressure, which is an owner's. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { parse } from "yaml";
import type { Schemas } from "../../api/client";
import { queries } from "../../api/queries";
import { useMay, useWho } from "../../base/session";
import { Answer, Failed } from "../../base/states";
import { PublishDialog, type PublishItem } from "../../rules/PublishDialog";
import { Button, ButtonLink } from "../../ui/Button";
import { Dialog, tell } from "../../ui/Dialogs";
import { TextArea, TextField } from "../../ui/Fields";
import { Card, Page } from "../../ui/Layout";
import { definition, definitions, placeOf, type Place } from "./questions";
import { saveDraft } from "./saving";
import { StateOf } from "./StateOf";
import { pressureIn } from "./usePressure";
import { useSpan } from "./useSpan";

type Definition = Schemas["Definition"];
type Kind = "groups" | "pressure";

/** What is being written: a new one has no text yet. */
interface Writing {
  kind: Kind;
  of?: Definition;
}

export function Limits() {
  const { t } = useTranslation("campaigns");
  const [writing, write] = useState<Writing>();
  const [publishing, publish] = useState<PublishItem[]>();
  return (
    <Page
      title={t("limits.title")}
      lede={t("limits.lede")}
      actions={<ButtonLink href="/campaigns">{t("limits.back")}</ButtonLink>}
    >
      {(["groups", "pressure"] as const).map((kind) => (
        <Kept key={kind} kind={kind} write={write} publish={(item) => publish([item])} />
      ))}
      {writing && <Writer writing={writing} onClose={() => write(undefined)} />}
      <PublishDialog items={publishing ?? []} isOpen={publishing !== undefined} onClose={() => publish(undefined)} />
    </Page>
  );
}

interface KeptProps {
  kind: Kind;
  write: (writing: Writing) => void;
  publish: (item: PublishItem) => void;
}

function Kept({ kind, write, publish }: KeptProps) {
  const { t } = useTranslation("campaigns");
  const may = useMay();
  const all = useQuery(definitions(kind === "groups" ? "group" : "pressure"));
  return (
    <Card
      title={t(`limits.${kind}`)}
      aside={
        may("define") && (
          <Button small onPress={() => write({ kind })}>
            {t(`limits.new.${kind}`)}
          </Button>
        )
      }
    >
      <p className="quiet">{t(`limits.what.${kind}`)}</p>
      <Answer query={all}>
        {(found) =>
          found.length === 0 ? (
            <p>{t(`limits.none.${kind}`)}</p>
          ) : (
            <ul className="stack" style={{ listStyle: "none", margin: 0, padding: 0 }}>
              {found.map((one) => (
                <li key={one.id}>
                  <One id={one.id} kind={kind} write={write} publish={publish} />
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
    </Card>
  );
}

function One({ id, kind, write, publish }: KeptProps & { id: string }) {
  const { t } = useTranslation("campaigns");
  const may = useMay();
  const asked = useQuery(definition(placeOf(kind, id)));
  return (
    <Answer query={asked} lines={1}>
      {(of) => (
        <div className="row spread">
          <div>
            <span className="row">
              <strong className="mono">{kind === "groups" ? id : placeOf(kind, id).owner}</strong>{" "}
              <StateOf of={of} form={undefined} />
            </span>
            <Told kind={kind} text={of.published?.text ?? of.text ?? ""} />
            {of.origin === "file" && <div className="quiet mono">{[of.file, of.line].filter(Boolean).join(":")}</div>}
          </div>
          {of.origin === "catalogue" && may("define") && (
            <span className="row">
              <Button small onPress={() => write({ kind, of })}>
                {t("edit")}
              </Button>
              {of.has_draft && (
                <Button small look="primary" onPress={() => publish({ kind: of.kind, id: of.id })}>
                  {t("publish")}
                </Button>
              )}
            </span>
          )}
        </div>
      )}
    </Answer>
  );
}

function Told({ kind, text }: { kind: Kind; text: string }) {
  const { t } = useTranslation("campaigns");
  const span = useSpan();
  if (kind === "pressure") {
    return pressureIn(text).map(({ messages, per }) => (
      <div key={`${messages} ${per}`}>{t("limits.pressureSays", { count: Number(messages), per: span(per) })}</div>
    ));
  }
  const { count, per } = groupIn(text);
  return <div>{count === undefined ? t("limits.oneVoice") : t("limits.groupSays", { count, per: span(per) })}</div>;
}

/** A group's limit, where it has one. */
function groupIn(text: string): { count?: number; per: string } {
  const read: unknown = parse(text);
  if (typeof read !== "object" || read === null || !("at_most" in read)) return { per: "" };
  return { count: Number(read.at_most), per: "per" in read ? String(read.per) : "" };
}

/** A small definition as text; what is wrong with it is told at its line. */
function Writer({ writing, onClose }: { writing: Writing; onClose: () => void }) {
  const { t } = useTranslation(["campaigns", "base"]);
  const who = useWho();
  const { kind, of } = writing;
  const [owner, setOwner] = useState(of ? placeOf(kind, of.id).owner : who?.owner === "*" ? "" : (who?.owner ?? ""));
  const [id, setId] = useState(of ? placeOf(kind, of.id).id : kind === "pressure" ? "pressure" : "");
  const [text, setText] = useState(
    of?.draft?.text ?? of?.text ?? (kind === "groups" ? "at_most: 1\nper: 24h\n" : "messages: 5\nper: 7d\n"),
  );
  const place: Place = { kind, owner, id };
  const saving = useMutation({
    mutationFn: () => saveDraft(place, text, of?.version ?? undefined),
    onSuccess: async () => {
      await queries.invalidateQueries();
      tell(t("saved"));
      onClose();
    },
  });
  return (
    <Dialog title={of ? t("editing", { name: of.id }) : t(`limits.new.${kind}`)} isOpen onClose={onClose}>
      {of === undefined && (
        <TextField
          label={t("form.owner")}
          value={owner}
          onChange={setOwner}
          isDisabled={who?.owner !== "*"}
          isRequired
        />
      )}
      {of === undefined && kind === "groups" && (
        <TextField label={t("form.id")} hint={t("form.idHint")} value={id} onChange={setId} isRequired />
      )}
      <TextArea label={t("yaml")} hint={t(`limits.text.${kind}`)} rows={6} value={text} onChange={setText} />
      {saving.error && <Failed error={saving.error} />}
      <div className="row" style={{ justifyContent: "flex-end" }}>
        <Button onPress={onClose}>{t("base:cancel")}</Button>
        <Button
          look="primary"
          isDisabled={owner === "" || id === ""}
          isPending={saving.isPending}
          onPress={() => saving.mutate()}
        >
          {t("saveDraft")}
        </Button>
      </div>
    </Dialog>
  );
}
