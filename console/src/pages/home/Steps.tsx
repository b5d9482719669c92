import { useQuery } from "@tanstack/react-query";
import { Check } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "../../base/session";
import { ButtonLink } from "../../ui/Button";
import { Card } from "../../ui/Layout";
import styles from "./Home.module.css";
import { ownDefinitions } from "./questions";

/** For those who see the page for the first time: what to do, and what is done of it. */
export function Steps({ asked }: { asked: boolean }) {
  const { t } = useTranslation("home");
  const may = useMay();
  const own = useQuery(ownDefinitions).data;
  const made = own !== undefined && own.total > 0;
  const published = own?.definitions.some((one) => one.state === "published") ?? false;
  return (
    <Card title={t("steps.title")}>
      <ol className={styles.steps}>
        <Step number={1} done={made} title={t("steps.make")} text={t("steps.makeText")}>
          {may("define") && (
            <ButtonLink href="/audiences/new" look={made ? "plain" : "primary"}>
              {t("steps.makeButton")}
            </ButtonLink>
          )}
        </Step>
        <Step number={2} done={published} title={t("steps.publish")} text={t("steps.publishText")}>
          <ButtonLink href="/audiences">{t("steps.publishButton")}</ButtonLink>
        </Step>
        <Step number={3} done={asked} title={t("steps.ask")} text={t("steps.askText")}>
          <code className={styles.code}>{'POST /v1/decide {"ifa": "…"}'}</code>
        </Step>
      </ol>
    </Card>
  );
}

interface StepProps {
  number: number;
  done: boolean;
  title: string;
  text: string;
  children: ReactNode;
}

function Step({ number, done, title, text, children }: StepProps) {
  const { t } = useTranslation("home");
  return (
    <li>
      <span className={done ? `${styles.mark} ${styles.done}` : styles.mark} aria-hidden>
        {done ? <Check size={16} /> : number}
      </span>
      <div className="stack" style={{ gap: 8 }}>
        <h3>
          {title}
          {done && <span className="visually-hidden"> ({t("steps.done")})</span>}
        </h3>
        <p className="quiet">{text}</p>
        <div>{children}</div>
      </div>
    </li>
  );
}
