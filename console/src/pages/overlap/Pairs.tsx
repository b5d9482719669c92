import { useTranslation } from "react-i18next";
import { Button as AriaButton } from "react-aria-components";
import { useFormat } from "../../base/format";
import { Told, useTold } from "../../base/Told";
import { Card } from "../../ui/Layout";
import looks from "./Pairs.module.css";
import { letter, shareOf, type OverlapAnswer } from "./regions";

interface PairsProps {
  answer: OverlapAnswer;
  names: readonly string[];
  onPick: (sets: readonly number[]) => void;
}

/** Every two audiences: what part of the row's people is in the column's, too. The deeper the ground, the greater the part. */
export function Pairs({ answer, names, onPick }: PairsProps) {
  const { t } = useTranslation("overlap");
  return (
    <Card title={t("pairs")}>
      <p className="quiet">{t("pairsHelp")}</p>
      <div className="table-scroll" role="region" aria-label={t("pairsTable")} tabIndex={0}>
        <table className={`table ${looks.pairs}`} aria-label={t("pairs")}>
          <thead>
            <tr>
              <th scope="col">{t("ofThese")}</th>
              {names.map((name, at) => (
                <th key={letter(at)} scope="col" className={looks.head} title={name}>
                  {letter(at)} <span className="visually-hidden">{name}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {answer.sets.map((set, row) => (
              <tr key={set.label}>
                <th scope="row">
                  <span className={looks.name}>
                    <strong>{letter(row)}</strong> {names[row]}
                  </span>
                </th>
                {answer.sets.map((other, column) => (
                  <td key={other.label} className={looks.cell}>
                    {row === column ? (
                      <span className={looks.self}>
                        <Told told={set} />
                      </span>
                    ) : (
                      <Cell answer={answer} names={names} row={row} column={column} onPick={onPick} />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Cell({ answer, names, row, column, onPick }: PairsProps & { row: number; column: number }) {
  const { t } = useTranslation("overlap");
  const format = useFormat();
  const told = useTold();
  const shared = answer.pairs[row]?.[column] ?? { below_floor: true };
  const share = shareOf(shared, answer.sets[row]);
  const part = share === undefined ? "" : format.share(share);
  return (
    <AriaButton
      className={looks.button ?? ""}
      style={{
        background: `color-mix(in oklab, var(--accent) ${share ? Math.round(8 + 36 * share) : 0}%, var(--surface))`,
      }}
      aria-label={t("pickPair", { a: names[row], b: names[column], people: told(shared), share: part })}
      onPress={() => onPick([row, column])}
    >
      <span className={looks.share}>{part || "–"}</span>
      <span>{told(shared)}</span>
    </AriaButton>
  );
}
