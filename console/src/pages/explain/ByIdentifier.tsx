/** Why one person, known by an identifier, is in an audience, or what a campaign may do about them. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Identifier, nothingTyped, readTyped } from "../../base/Identifier";
import { useMay } from "../../base/session";
import { Failed, Loading } from "../../base/states";
import type { Schemas } from "../../api/client";
import { Button } from "../../ui/Button";
import { ComboBox, TextField } from "../../ui/Fields";
import { Card, Notice } from "../../ui/Layout";
import { explain, named } from "./asked";
import { Explained } from "./Explained";

export function ByIdentifier({ what }: { what: string | null }) {
  const { t } = useTranslation("explain");
  const [typed, setTyped] = useState(nothingTyped);
  const [about, setAbout] = useState(what?.replace(/^campaign:/, "") ?? "");
  const [sent, setSent] = useState(false);
  const asking = useMutation({
    mutationFn: ({ eid, what }: { eid: Schemas["Eid"]; what: string }) => explain(eid, what),
    gcTime: 0,
  });
  const missing = sent && about.trim() === "" ? t("nameMissing") : undefined;
  return (
    <div className="stack">
      <Card title={t("whom")}>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            setSent(true);
            const { eid } = readTyped(typed);
            if (eid && about.trim() !== "") asking.mutate({ eid, what: about.trim() });
          }}
        >
          <div className="halves">
            <div className="stack">
              <Identifier value={typed} onChange={setTyped} sent={sent} />
            </div>
            <What value={about} onChange={setAbout} error={missing} />
          </div>
          <Notice>{t("auditedPerson")}</Notice>
          <div>
            <Button type="submit" look="primary" isPending={asking.isPending}>
              {t("explain")}
            </Button>
          </div>
        </form>
      </Card>
      {asking.isPending && <Loading />}
      {asking.error && <Failed error={asking.error} />}
      {asking.data && <Explained answer={asking.data} />}
    </div>
  );
}

interface WhatProps {
  value: string;
  onChange: (what: string) => void;
  error: string | undefined;
}

/** Chosen by those who may see the definitions, written by the others. */
function What({ value, onChange, error }: WhatProps) {
  const { t } = useTranslation("explain");
  const sees = useMay()("see");
  const known = useQuery({ ...named, enabled: sees });
  if (!sees || !known.data) {
    return <TextField label={t("name")} hint={t("nameHint")} error={error} value={value} onChange={onChange} />;
  }
  // An id that an audience and a campaign share means neither to the server: it is there once.
  const once = [...new Map(known.data.map((definition) => [definition.id, definition])).values()];
  return (
    <ComboBox
      label={t("name")}
      placeholder={t("search")}
      error={error}
      value={value === "" ? null : value}
      choices={once.map(({ id, name, kind }) => ({
        id,
        name: name ?? id,
        note: `${t(`kind.${kind === "campaign" ? "campaign" : "audience"}`)} · ${id}`,
      }))}
      onChange={(id) => onChange(id ?? "")}
    />
  );
}
