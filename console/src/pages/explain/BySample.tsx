/** A few people of an audience, a campaign or a rule, under pseudonyms, and why they are in it. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { Answer, Failed, Loading } from "../../base/states";
import { RuleEditor } from "../../rules/RuleEditor";
import { Button } from "../../ui/Button";
import { ComboBox, Segments, Select } from "../../ui/Fields";
import { Card, Notice } from "../../ui/Layout";
import { named, sample, type About, type Definition, type Of } from "./asked";
import { People } from "./People";

export function BySample({ what }: { what: string | null }) {
  const known = useQuery(named);
  return <Answer query={known}>{(definitions) => <Ask definitions={definitions} what={what} />}</Answer>;
}

function Ask({ definitions, what }: { definitions: readonly Definition[]; what: string | null }) {
  const { t } = useTranslation(["explain", "base"]);
  const [, setAsked] = useSearchParams();
  const [by, setBy] = useState<"name" | "rule">("name");
  const [rule, setRule] = useState("");
  const [of, setOf] = useState<Of>("members");
  const [count, setCount] = useState(5);
  const looking = useMutation({ mutationFn: (about: About) => sample(about, of, count), gcTime: 0 });
  const chosen = definitions.find((definition) => keyOf(definition) === what || definition.id === what);
  const about = by === "rule" ? rule.trim() !== "" && { rule } : chosen !== undefined && { definition: chosen };
  const drafted = by === "name" && chosen?.kind === "audience" && chosen.state === "published" && chosen.has_draft;
  const whom: readonly Of[] = drafted ? ["members", "others", "joiners", "leavers"] : ["members", "others"];
  return (
    <div className="stack">
      <Card title={t("whom")}>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (about) looking.mutate(about);
          }}
        >
          <Segments
            label={t("about")}
            value={by}
            choices={[
              { id: "name", name: t("aboutName") },
              { id: "rule", name: t("aboutRule") },
            ]}
            onChange={(id) => setBy(id === "rule" ? "rule" : "name")}
          />
          {by === "rule" ? (
            <RuleEditor value={rule} onChange={setRule} />
          ) : (
            <ComboBox
              label={t("name")}
              placeholder={t("search")}
              value={chosen === undefined ? null : keyOf(chosen)}
              choices={definitions.map((definition) => ({
                id: keyOf(definition),
                name: definition.name ?? definition.id,
                note: `${t(`kind.${definition.kind === "campaign" ? "campaign" : "audience"}`)} · ${definition.id}`,
              }))}
              onChange={(id) => {
                looking.reset();
                setOf("members");
                if (id !== null) setAsked({ what: id }, { replace: true });
              }}
            />
          )}
          <div className="halves">
            <Select
              label={t("which")}
              value={of}
              choices={whom.map((id) => ({ id, name: t(`of.${id}`) }))}
              onChange={(id) => setOf(id as Of)}
            />
            <Select
              label={t("howMany")}
              value={String(count)}
              choices={[1, 5, 10, 20].map((most) => ({ id: String(most), name: t("base:people", { count: most }) }))}
              onChange={(id) => setCount(Number(id))}
            />
          </div>
          <Notice>{t("audited")}</Notice>
          <div>
            <Button type="submit" look="primary" isDisabled={!about} isPending={looking.isPending}>
              {t("show")}
            </Button>
          </div>
        </form>
      </Card>
      {looking.isPending && <Loading />}
      {looking.error && <Failed error={looking.error} />}
      {looking.data && <People answer={looking.data} of={of} />}
    </div>
  );
}

/** An audience and a campaign may be called the same. */
function keyOf({ kind, id }: Definition): string {
  return kind === "campaign" ? `campaign:${id}` : id;
}
