import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { useFormat } from "../../base/format";
import { Card, Stat } from "../../ui/Layout";
import { perSecond, rate, total } from "./figures";
import styles from "./Home.module.css";

interface FiguresProps {
  now: number;
  frozen: boolean;
  hour: Schemas["Statistics"] | undefined;
  share: number | undefined;
  seen: Schemas["Seen"] | undefined;
  inService: Schemas["GenerationLine"] | undefined;
}

/** What is read at a glance. What a key is not told is not there. */
export function Figures({ frozen, hour, share, seen, inService, now }: FiguresProps) {
  const { t } = useTranslation("home");
  const format = useFormat();
  return (
    <Card title={t("glance")}>
      <div className={styles.figures}>
        {hour && !frozen && (
          <Stat
            label={t("figures.rate")}
            value={rateText(rate(perSecond(hour)))}
            note={t("figures.rateNote", { sum: format.number(total(hour)) })}
          />
        )}
        {hour && (
          <Stat
            label={t("figures.matched")}
            value={share === undefined ? "–" : format.share(share)}
            note={t(share === undefined ? "figures.matchedNone" : "figures.matchedNote")}
          />
        )}
        {seen && (
          <Stat
            label={t("figures.seen")}
            value={format.number(seen.profiles)}
            note={t("figures.seenNote", { days: seen.days })}
          />
        )}
        {inService?.profiles !== undefined && (
          <Stat
            label={t("figures.profiles")}
            value={format.number(inService.profiles)}
            note={t("figures.audiences", { count: inService.audiences ?? 0 })}
          />
        )}
        {inService?.as_of !== undefined && (
          <Stat
            label={t("figures.asOf")}
            value={<span className={styles.words}>{format.ago(inService.as_of, now)}</span>}
            note={t("figures.asOfNote", { number: inService.generation, time: format.time(inService.as_of) })}
          />
        )}
      </div>
    </Card>
  );

  function rateText(value: number): string {
    return value > 0 && value < 0.1 ? t("figures.rateLow") : format.number(Math.round(value * 10) / 10);
  }
}
