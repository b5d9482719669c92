import type { UseQueryResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { useFormat } from "../../base/format";
import { Bars } from "../../ui/Bars";
import { Card, More, Stat, type Tone } from "../../ui/Layout";
import { verdictTotals, verdictsByReason, type Reasoned, type Verdict } from "./figures";
import styles from "./Home.module.css";
import { Waiting } from "./Waiting";

const TONES: Record<Verdict, Tone> = { target: "accent", suppress: "warn", unknown: "plain" };
const REASONS = [
  "not_in_target",
  "excluded",
  "paused",
  "objected",
  "no_profile",
  "no_id",
  "no_consent",
  "not_ready",
  "overloaded",
  "late",
  "capped",
  "pressure",
  "outranked",
] as const;
type Known = (typeof REASONS)[number];

type Asked = UseQueryResult<Schemas["Statistics"], Error>;

/** What became of every campaign's questions today, and why. */
export function Verdicts({ of }: { of: Asked }) {
  const { t } = useTranslation("home");
  return (
    <Card title={t("verdicts.title")} aside={<span className="quiet">{t("verdicts.aside")}</span>}>
      {of.data ? <Reasons of={verdictsByReason(of.data)} /> : <Waiting of={of} />}
    </Card>
  );
}

function Reasons({ of }: { of: readonly Reasoned[] }) {
  const { t } = useTranslation("home");
  const format = useFormat();
  const all = of.reduce((sum, one) => sum + one.count, 0);
  if (all === 0) return <p className="quiet">{t("verdicts.none")}</p>;
  const most = Math.max(...of.map((one) => one.count));
  const sums = verdictTotals(of);
  return (
    <>
      <div className={styles.split} aria-hidden>
        {sums.map(({ verdict, count }) => (
          <span key={verdict} className={styles[verdict]} style={{ width: `${(100 * count) / all}%` }} />
        ))}
      </div>
      <ul className={styles.legend}>
        {sums.map(({ verdict, count }) => (
          <li key={verdict}>
            <span className={`${styles.dot} ${styles[verdict]}`} aria-hidden />
            {t(`verdict.${verdict}`)} <strong>{format.share(count / all)}</strong>
          </li>
        ))}
      </ul>
      <Bars
        label={t("verdicts.title")}
        name={t("verdicts.reason")}
        value={t("verdicts.count")}
        bars={of.map((one) => ({
          id: `${one.verdict} ${one.reason}`,
          name: <ReasonOf of={one} />,
          share: one.count / most,
          text: `${format.number(one.count)} · ${format.share(one.count / all)}`,
          tone: TONES[one.verdict],
        }))}
      />
    </>
  );
}

function ReasonOf({ of }: { of: Reasoned }) {
  const { t } = useTranslation("home");
  const reason: Known | undefined = REASONS.find((known) => known === of.reason);
  return (
    <>
      <strong>{t(`verdict.${of.verdict}`)}</strong>{" "}
      <span className="quiet">
        {of.reason === "" ? t("reason.in_target") : reason ? t(`reason.${reason}`) : of.reason}
      </span>
    </>
  );
}

const LEFT = ["excluded", "capped", "pressure", "objected"] as const;

/** Suppressed opportunities, and what they are not. */
export function LeftAlone({ of }: { of: Asked }) {
  const { t } = useTranslation("home");
  const format = useFormat();
  const left = of.data?.suppressed_opportunities;
  return (
    <Card title={t("leftAlone.title")} aside={<span className="quiet">{t("verdicts.aside")}</span>}>
      {left ? (
        <>
          <Stat label={t("leftAlone.label")} value={<span className={styles.big}>{format.number(left.total)}</span>} />
          <Bars
            label={t("leftAlone.title")}
            name={t("verdicts.reason")}
            value={t("verdicts.count")}
            bars={LEFT.map((why) => ({
              id: why,
              name: t(`leftAlone.${why}`),
              share: left.total === 0 ? 0 : left[why] / left.total,
              text: format.number(left[why]),
              tone: "warn",
            }))}
          />
          <p className="quiet">{t("leftAlone.honest")}</p>
          <More title={t("leftAlone.whatNot")}>
            <p className="quiet">{t("leftAlone.notAmong")}</p>
          </More>
        </>
      ) : (
        <Waiting of={of} />
      )}
    </Card>
  );
}
