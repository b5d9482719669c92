import { useTranslation } from "react-i18next";
import { useFormat } from "../../base/format";
import { Empty } from "../../base/states";
import { reasons } from "../../rules/why";
import { Reasons, WhyTree } from "../../rules/WhyTree";
import { Badge, Card, More, Notice } from "../../ui/Layout";
import type { Of, Sample, Someone } from "./asked";
import looks from "./Explain.module.css";

/** Those who were picked: in short why, and the whole tree of each. */
export function People({ answer, of }: { answer: Sample; of: Of }) {
  const { t } = useTranslation(["explain", "base"]);
  const format = useFormat();
  if (answer.people.length === 0) {
    return (
      <Card>
        <Empty title={t(`nobody.${of}`)}>
          <p>{t("nobodyHelp")}</p>
        </Empty>
      </Card>
    );
  }
  return (
    <Card
      title={t("base:people", { count: answer.people.length })}
      aside={
        <span className="quiet">
          {t("over", { generation: format.number(answer.generation), at: format.time(answer.as_of) })}
        </span>
      }
    >
      <p className="visually-hidden" role="status">
        {t("found", { count: answer.people.length })}
      </p>
      {answer.lint.map((remark, at) => (
        <Notice key={at} tone="warn">
          {remark.message} {remark.help.join(" ")}
        </Notice>
      ))}
      <ol className={looks.people}>
        {answer.people.map((someone, at) => (
          <li key={someone.pseudonym}>
            <Person someone={someone} number={at + 1} open={at === 0} />
          </li>
        ))}
      </ol>
    </Card>
  );
}

function Person({ someone, number, open }: { someone: Someone; number: number; open: boolean }) {
  const { t } = useTranslation("explain");
  const name = t("person", { number, pseudonym: someone.pseudonym });
  return (
    <>
      <More title={name} open={open}>
        <WhyTree why={someone.why} label={t("whyOf", { name })} />
      </More>
      <div className={looks.short}>
        <Badge tone={someone.member ? "good" : "plain"}>{someone.member ? t("in") : t("out")}</Badge>
        <Reasons reasons={reasons(someone.why)} />
      </div>
    </>
  );
}
