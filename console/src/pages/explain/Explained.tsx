import { useTranslation } from "react-i18next";
import { useFormat } from "../../base/format";
import { WhyTree } from "../../rules/WhyTree";
import { Badge, Card, Notice } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import type { Change, Changes, Explanation, Membership, Verdict } from "./asked";
import { spanOf, used } from "./caps";
import looks from "./Explain.module.css";

const REFUSED = ["no_profile", "no_consent", "blocked"] as const;
const REASONS = [
  "excluded",
  "not_in_target",
  "capped",
  "pressure",
  "outranked",
  "objected",
  "no_consent",
  "no_profile",
  "paused",
] as const;

function oneOf<T extends string>(all: readonly T[], text: string): T | undefined {
  return all.find((known) => known === text);
}

/** An explanation: what a lookup says, what the campaign does, and every audience that matters. */
export function Explained({ answer }: { answer: Explanation }) {
  const { t } = useTranslation("explain");
  const format = useFormat();
  const matched = answer.status === "matched";
  const refused = oneOf(REFUSED, answer.status);
  return (
    <>
      <Card
        title={t("answer")}
        aside={
          <span className="quiet">
            {t("over", { generation: format.number(answer.generation), at: format.time(answer.at) })}
          </span>
        }
      >
        <div role="status" className="stack">
          {!matched && <Notice tone="warn">{refused ? t(`status.${refused}`) : answer.status}</Notice>}
          {answer.campaign && <Says verdict={answer.campaign} />}
          {!answer.campaign &&
            matched &&
            answer.audiences.map(({ id, member }) => (
              <p key={id} className={looks.verdict}>
                {t(member ? "isIn" : "isOut", { id })}
              </p>
            ))}
        </div>
        {answer.since_the_generation > 0 && (
          <p className="quiet">{t("since", { count: answer.since_the_generation })}</p>
        )}
      </Card>
      {answer.campaign && <Seen verdict={answer.campaign} at={answer.at} />}
      {answer.audiences.map((membership) => (
        <Audience key={`${membership.role}${membership.id}`} membership={membership} known={matched} />
      ))}
    </>
  );
}

function Says({ verdict }: { verdict: Verdict }) {
  const { t } = useTranslation("explain");
  const says = oneOf(["target", "suppress", "unknown"] as const, verdict.verdict);
  const reason = oneOf(REASONS, verdict.reason);
  return (
    <div>
      <p className={looks.verdict}>{says ? t(`verdict.${says}`, { id: verdict.id }) : verdict.verdict}</p>
      {verdict.reason !== "" && (
        <p>
          {reason ? t(`reason.${reason}`) : verdict.reason} <span className="quiet mono">({verdict.reason})</span>
        </p>
      )}
    </div>
  );
}

/** What the person has seen of the campaign, and what is left. */
function Seen({ verdict, at }: { verdict: Verdict; at: string }) {
  const { t, i18n } = useTranslation("explain");
  const format = useFormat();
  const per = (text: string | null) => {
    const span = spanOf(text);
    if (!span) return text ?? t("flight");
    const style = { style: "unit", unit: span.unit, unitDisplay: "long" } as const;
    return new Intl.NumberFormat(i18n.language, style).format(span.count);
  };
  const caps = verdict.caps.map((cap) => ({ ...cap, ...used(cap, verdict.exposures, at) }));
  return (
    <Card title={t("seen")}>
      {verdict.exposures.length === 0 ? (
        <p>{t("neverSeen")}</p>
      ) : (
        <>
          <p>{t("seenTimes", { count: verdict.exposures.length })}</p>
          <ul className={looks.plainList}>
            {verdict.exposures.toReversed().map((time, at) => (
              <li key={at}>{format.time(time)}</li>
            ))}
          </ul>
        </>
      )}
      {caps.length > 0 && (
        <Table
          label={t("caps")}
          idOf={(cap) => `${cap.impressions}/${cap.per}`}
          rows={caps}
          columns={[
            { id: "per", name: t("within"), cell: (cap) => per(cap.per) },
            { id: "most", name: t("most"), number: true, cell: (cap) => format.number(cap.impressions) },
            { id: "seen", name: t("counted"), number: true, cell: (cap) => format.number(cap.seen) },
            { id: "left", name: t("left"), number: true, cell: (cap) => format.number(cap.left) },
          ]}
        />
      )}
      {verdict.group && (
        <p>
          {t("group")} <span className="mono">{verdict.group}</span>
        </p>
      )}
    </Card>
  );
}

function Audience({ membership, known }: { membership: Membership; known: boolean }) {
  const { t } = useTranslation("explain");
  const { id, role, member, why, changes } = membership;
  return (
    <Card
      title={id}
      aside={
        <span className="row">
          {role && <Badge tone={role === "exclude" ? "warn" : "accent"}>{t(`role.${role}`)}</Badge>}
          <Badge tone={member ? "good" : "plain"}>{member ? t("in") : t("out")}</Badge>
        </span>
      }
    >
      {why ? <WhyTree why={why} label={t("whyOf", { name: id })} /> : <p>{known ? t("noRule") : t("notTold")}</p>}
      {changes && <WouldChange changes={changes} member={member} />}
    </Card>
  );
}

/** What would turn the answer over: by itself, or one fact alone. */
function WouldChange({ changes, member }: { changes: Changes; member: boolean }) {
  const { t } = useTranslation("explain");
  const { by_itself: byItself, by_facts: byFacts, more } = changes;
  if (!byItself && byFacts.length === 0) return <p className="quiet">{t("changes.none")}</p>;
  return (
    <div className="stack" style={{ gap: 4 }}>
      <h3>{t("changes.title")}</h3>
      <ul className={looks.plainList}>
        {byItself && (
          <li>
            <ByItself change={byItself} member={member} />
          </li>
        )}
        {byFacts.map((change) => (
          <li key={change.rule}>
            {t(member ? "changes.leave" : "changes.join")} <code>{change.rule}</code>{" "}
            {t(change.holds ? "changes.held" : "changes.didNotHold")}
          </li>
        ))}
      </ul>
      {more && <p className="quiet">{t("changes.more")}</p>}
    </div>
  );
}

function ByItself({ change, member }: { change: Change; member: boolean }) {
  const { t } = useTranslation("explain");
  const format = useFormat();
  const at = change.at === undefined ? "" : format.time(change.at);
  return (
    <>
      {t(member ? "changes.leaves" : "changes.joins", { at })} <code>{change.rule}</code>{" "}
      {t(change.holds ? "changes.begins" : "changes.ends")}
    </>
  );
}
