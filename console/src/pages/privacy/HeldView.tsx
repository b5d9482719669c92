/** All that is held of a person, to be read and to be taken along. */
import { Download } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useFormat, type Format } from "../../base/format";
import { Button } from "../../ui/Button";
import { Badge, More, Notice } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import type { Block, Held, Profile } from "./deeds";
import looks from "./Privacy.module.css";

export function HeldView({ held }: { held: Held }) {
  const { t } = useTranslation("privacy");
  const format = useFormat();
  const nothing = held.profiles.length === 0 && held.since_the_generation.length === 0;
  return (
    <div className="stack">
      <Notice live tone={nothing ? "plain" : "good"}>
        {nothing ? t("nothingHeld") : t("heldOf", { count: held.profiles.length, at: format.time(held.now) })}
      </Notice>
      <Objections blocks={held.objections} because={held.objections_are_kept_because} />
      {held.profiles.map((profile, at) => (
        <ProfileView key={at} profile={profile} />
      ))}
      {held.since_the_generation.length > 0 && (
        <More title={t("sinceBuild", { count: held.since_the_generation.length })}>
          <pre className="mono">{JSON.stringify(held.since_the_generation, undefined, 2)}</pre>
        </More>
      )}
      <div>
        <Button onPress={() => save(held)}>
          <Download size={18} aria-hidden /> {t("download")}
        </Button>
      </div>
    </div>
  );
}

/** As a file whose name says nothing of whom it is about. */
function save(held: Held): void {
  const link = document.createElement("a");
  const address = URL.createObjectURL(new Blob([JSON.stringify(held, undefined, 2)], { type: "application/json" }));
  link.href = address;
  link.download = `vaglio-person-${held.now.slice(0, 10)}.json`;
  link.click();
  URL.revokeObjectURL(address);
}

function Objections({ blocks, because }: { blocks: readonly Block[]; because: string }) {
  const { t } = useTranslation("privacy");
  const format = useFormat();
  // The same word of one person is kept under each of their identifiers.
  const said = new Map(blocks.map((block) => [`${block.scope} ${block.deleted} ${block.since}`, block]));
  if (said.size === 0) return <p>{t("noObjection")}</p>;
  return (
    <Notice tone="warn">
      <ul className={looks.points}>
        {[...said.values()].map((block) => (
          <li key={`${block.scope} ${block.since}`}>
            {block.deleted ? t("wasDeleted") : t(`objected.${block.scope}`)}{" "}
            {t("sinceWhen", { at: format.time(block.since) })}
            {block.until !== null && ` ${t("untilWhen", { at: format.time(block.until) })}`}
          </li>
        ))}
      </ul>
      <p className="quiet">
        {t("keptBecause")} {because}
      </p>
    </Notice>
  );
}

function ProfileView({ profile }: { profile: Profile }) {
  const { t } = useTranslation("privacy");
  const format = useFormat();
  const { consents } = profile;
  const refusals = (["objects_to_marketing", "objects_to_profiling", "refused"] as const).filter((it) => consents[it]);
  return (
    <div className="stack" style={{ gap: 8 }}>
      <p>{refusals.length === 0 ? t("consents.none") : refusals.map((it) => t(`consents.${it}`)).join(" ")}</p>
      <More title={t("traits", { count: profile.traits.length })} open>
        <Table
          label={t("traits", { count: profile.traits.length })}
          idOf={(it) => it.trait}
          rows={profile.traits}
          columns={[
            { id: "trait", name: t("trait"), cell: (it) => it.trait },
            { id: "value", name: t("value"), cell: (it) => written(it.value, format, t("yes"), t("no")) },
            { id: "from", name: t("from"), cell: (it) => it.sources?.join(", ") ?? "" },
          ]}
        />
      </More>
      <More title={t("events", { count: profile.events.length })}>
        <Table
          label={t("events", { count: profile.events.length })}
          idOf={(it) => `${it.event} ${it.time} ${JSON.stringify(it.properties)}`}
          rows={profile.events.toSorted((a, b) => b.time.localeCompare(a.time))}
          columns={[
            { id: "event", name: t("event"), cell: (it) => it.event },
            { id: "time", name: t("when"), cell: (it) => format.time(it.time) },
            {
              id: "with",
              name: t("with"),
              cell: (it) =>
                Object.entries(it.properties)
                  .map(([name, value]) => `${name}: ${written(value, format, t("yes"), t("no"))}`)
                  .join(", "),
            },
          ]}
        />
      </More>
      <More title={t("audiences", { count: profile.audiences.length })}>
        <ul className={looks.chips}>
          {profile.audiences.map(({ id, kind }) => (
            <li key={id}>
              <Badge tone={kind === "suppress" ? "warn" : "plain"}>
                {id}
                {kind === "suppress" && ` (${t("leavesAlone")})`}
              </Badge>
            </li>
          ))}
        </ul>
      </More>
      {profile.lists.length > 0 && (
        <More title={t("lists", { count: profile.lists.length })}>
          <ul className={looks.points}>
            {profile.lists.map(({ list, until }) => (
              <li key={list}>
                {list} {until === null ? t("noEnd") : t("untilWhen", { at: format.time(until) })}
              </li>
            ))}
          </ul>
        </More>
      )}
      {profile.exposures.length > 0 && (
        <More title={t("exposures", { count: profile.exposures.length })}>
          <ul className={looks.points}>
            {profile.exposures.map(({ campaign, time }, at) => (
              <li key={at}>
                {campaign ?? t("goneCampaign")}, {format.time(time)}
              </li>
            ))}
          </ul>
        </More>
      )}
      <More title={t("identifiers", { count: profile.identifiers.length })}>
        <p className="quiet">{t("identifiersHelp")}</p>
        <Table
          label={t("identifiers", { count: profile.identifiers.length })}
          idOf={(it) => it.hash}
          rows={profile.identifiers}
          columns={[
            { id: "type", name: t("type"), cell: (it) => it.type },
            { id: "hash", name: t("hash"), cell: hashOf },
          ]}
        />
      </More>
    </div>
  );
}

function hashOf({ hash }: Profile["identifiers"][number]) {
  return <span className="mono">{hash}</span>;
}

function written(value: unknown, format: Format, yes: string, no: string): string {
  if (typeof value === "boolean") return value ? yes : no;
  if (typeof value === "number") return format.number(value);
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "string") return /^\d{4}-\d{2}-\d{2}$/.test(value) ? format.day(value) : value;
  return JSON.stringify(value);
}
