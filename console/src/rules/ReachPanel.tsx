/** Whom a rule, an audience or a definition reaches: changes while it is being written. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { vocabulary } from "../api/queries";
import { Told } from "../base/Told";
import { useFormat } from "../base/format";
import { Loading } from "../base/states";
import { Card, More, Progress } from "../ui/Layout";
import styles from "./ReachPanel.module.css";
import { Breakdown, useChosenTraits } from "./reach/Breakdown";
import { Remarks, WhyNot } from "./reach/Remarks";
import { useReach, type Reach, type ReachQuestion } from "./reach/useReach";
import { ValuesBox } from "./visual/values";

export type { ReachQuestion } from "./reach/useReach";

export interface ReachPanelProps {
  question: ReachQuestion;
}

export function ReachPanel({ question }: ReachPanelProps) {
  const { t } = useTranslation("rules");
  const words = useQuery(vocabulary).data;
  const [by, choose] = useChosenTraits(words);
  const { reach, isOld, isAsking, done, error, waits, retry } = useReach(question, by);
  const traits = words?.traits.map(({ name }) => ({ value: name })) ?? [];
  return (
    <Card title={t("reach")}>
      <Said reach={isOld ? undefined : reach} />
      {reach === undefined && !error && (isAsking ? <Loading lines={3} /> : <p className="quiet">{t("noRule")}</p>)}
      {done !== undefined && <Progress label={t("counting")} done={done} />}
      {error && <WhyNot error={error} waits={waits} retry={retry} />}
      {reach !== undefined && (
        <>
          <div className={`stack ${isOld ? styles.old : ""}`} aria-busy={isAsking}>
            <Figures reach={reach} />
          </div>
          {!isOld && <Remarks lint={reach.lint} />}
          <div className={`stack ${isOld ? styles.old : ""}`}>
            {reach.breakdown.map((of) => (
              <Breakdown key={of.trait} of={of} />
            ))}
          </div>
          <More title={t("countBy")}>
            <ValuesBox
              label={t("countByTrait")}
              values={by}
              onChange={(names) => choose(names.filter((name) => traits.some(({ value }) => value === name)))}
              known={{ kind: "tags", values: traits, open: false }}
            />
          </More>
        </>
      )}
    </Card>
  );
}

function Figures({ reach }: { reach: Reach }) {
  const { t } = useTranslation("rules");
  const format = useFormat();
  return (
    <>
      <div>
        <div className={styles.figure}>
          <Told told={reach} />
        </div>
        {typeof reach.share === "number" && (
          <>
            <p className="quiet">{t("ofAll", { share: format.share(reach.share) })}</p>
            <div className={styles.share} aria-hidden>
              <div style={{ width: `${Math.min(100, 100 * reach.share)}%` }} />
            </div>
          </>
        )}
      </div>
      {reach.about && <p className="quiet">{t("estimate")}</p>}
      <p className="quiet">
        {t("over", {
          profiles: format.number(reach.profiles),
          generation: reach.generation,
          time: format.time(reach.as_of),
          took: format.number(Math.max(1, Math.round(reach.took_ms))),
        })}
      </p>
      {reach.seen && (
        <p>
          <strong>
            <Told told={reach.seen} />
          </strong>{" "}
          {t("seen", { count: reach.seen.days })}
        </p>
      )}
      {reach.by_id_type.length > 0 && (
        <section className="stack" style={{ gap: 6 }}>
          <h3>{t("byIdType")}</h3>
          <ul className={styles.types}>
            {reach.by_id_type.map((of) => (
              <li key={of.id_type}>
                <span className="quiet">{of.id_type}</span>
                <strong>
                  <Told told={of} />
                </strong>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** How long a figure must stand before it is said aloud. */
const SETTLED = 800;

/** Says the figure to those who do not see it, once it has settled. */
function Said({ reach }: { reach: Reach | undefined }) {
  const { t } = useTranslation(["rules", "base"]);
  const format = useFormat();
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (reach === undefined) return undefined;
    const count = typeof reach.count === "number" ? format.number(reach.count) : t("base:belowFloor");
    const size = reach.about ? t("base:about", { size: count }) : count;
    const share = typeof reach.share === "number" ? format.share(reach.share) : "";
    const text = share === "" ? t("saidReach", { size }) : t("saidReachShare", { size, share });
    const timer = setTimeout(() => setSaid(text), SETTLED);
    return () => clearTimeout(timer);
  }, [reach, format, t]);
  return (
    <div role="status" className="visually-hidden">
      {said}
    </div>
  );
}
