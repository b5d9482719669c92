import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../base/format";
import { Told, useTold } from "../../base/Told";
import { Button } from "../../ui/Button";
import { Chart } from "../../ui/Chart";
import { Card } from "../../ui/Layout";
import { useNarrow } from "../../ui/narrow";
import { Table } from "../../ui/Table";
import { letter, type OverlapAnswer } from "./regions";
import { upset, upsetHeight } from "./upset";

interface UpsetProps {
  answer: OverlapAnswer;
  names: readonly string[];
  onPick: (sets: readonly number[]) => void;
}

/** Who is in exactly which of the audiences. The greatest parts are drawn; the table has all. */
export function Upset({ answer, names, onPick }: UpsetProps) {
  const { t } = useTranslation(["overlap", "base"]);
  const told = useTold();
  const narrow = useNarrow();
  const parts = answer.exclusive.toSorted((one, other) => (other.count ?? -1) - (one.count ?? -1));
  const most = narrow ? 7 : 16;
  const option = useCallback(
    (...[colours]: Parameters<ReturnType<typeof upset>>) => {
      const sorted = answer.exclusive.toSorted((one, other) => (other.count ?? -1) - (one.count ?? -1));
      const named = (sets: readonly number[]) => sets.map((set) => `${letter(set)} ${names[set] ?? ""}`).join("\n");
      const words = {
        row: (set: number) => (narrow ? letter(set) : `${letter(set)}  ${names[set] ?? ""}`),
        count: told,
        column: (sets: readonly number[]) => {
          const part = sorted.find((one) => one.sets === sets);
          return `${part ? told(part) : ""}\n${named(sets)}`;
        },
        size: (set: number) => {
          const size = answer.sets[set];
          return `${named([set])}\n${size ? told(size) : ""}`;
        },
      };
      return upset(answer, sorted.slice(0, most), words, narrow)(colours);
    },
    [answer, names, narrow, most, told],
  );
  return (
    <Card title={t("parts")}>
      <p className="quiet">{t("partsHelp")}</p>
      {narrow && <Letters names={names} />}
      <Chart
        label={t("partsLabel", { count: answer.sets.length })}
        option={option}
        height={upsetHeight(answer.sets.length)}
        words={{ chart: t("base:asChart"), table: t("base:asTable") }}
        onPick={({ dataIndex, seriesIndex }) => {
          const part = parts[dataIndex];
          if (part && seriesIndex < 2) onPick(part.sets);
        }}
        table={<Parts parts={parts} answer={answer} names={names} onPick={onPick} />}
      />
      {parts.length > most && <p className="quiet">{t("partsLeft", { shown: most, count: parts.length })}</p>}
    </Card>
  );
}

/** Which letter stands for which audience. */
function Letters({ names }: { names: readonly string[] }) {
  return (
    <ul style={{ listStyle: "none", margin: 0, padding: 0 }}>
      {names.map((name, at) => (
        <li key={letter(at)}>
          <strong>{letter(at)}</strong> {name}
        </li>
      ))}
    </ul>
  );
}

function Parts({ parts, answer, names, onPick }: UpsetProps & { parts: OverlapAnswer["exclusive"] }) {
  const { t } = useTranslation("overlap");
  const format = useFormat();
  const nameOf = (sets: readonly number[]) => sets.map((set) => names[set] ?? "").join(" + ");
  return (
    <div className="stack">
      <Table
        label={t("partsTable")}
        rows={parts}
        idOf={(part) => part.sets.join(" ")}
        columns={[
          { id: "in", name: t("inExactly"), cell: (part) => nameOf(part.sets) },
          { id: "people", name: t("people"), number: true, cell: (part) => <Told told={part} /> },
          {
            id: "share",
            name: t("ofEverybody"),
            number: true,
            cell: (part) => (typeof part.count === "number" ? format.share(part.count / answer.profiles) : "–"),
          },
          {
            id: "pick",
            name: t("pick"),
            hideName: true,
            cell: (part) => (
              <Button small aria-label={t("pickThese", { sets: nameOf(part.sets) })} onPress={() => onPick(part.sets)}>
                {t("pick")}
              </Button>
            ),
          },
        ]}
      />
      <Table
        label={t("sizes")}
        rows={answer.sets.map((set, at) => ({ ...set, at }))}
        idOf={(set) => set.label}
        columns={[
          { id: "audience", name: t("audience"), cell: (set) => names[set.at] ?? set.label },
          { id: "people", name: t("people"), number: true, cell: (set) => <Told told={set} /> },
          {
            id: "share",
            name: t("ofEverybody"),
            number: true,
            cell: (set) => (typeof set.share === "number" ? format.share(set.share) : "–"),
          },
        ]}
      />
    </div>
  );
}
