import { useTranslation } from "react-i18next";
import { useFormat } from "../../base/format";
import { useTold } from "../../base/Told";
import { More } from "../../ui/Layout";
import { pairsOf, type OverlapAnswer, type Pair } from "./regions";

const FIRST = 4;

/** What every two audiences share, as one would say it. */
export function Sentences({ answer, names }: { answer: OverlapAnswer; names: readonly string[] }) {
  const { t } = useTranslation("overlap");
  const say = useSentence(names);
  const pairs = pairsOf(answer);
  const list = (some: readonly Pair[]) => (
    <ul style={{ margin: 0, paddingInlineStart: 20 }}>
      {some.map((pair) => (
        <li key={`${pair.a} ${pair.b}`}>{say(pair)}</li>
      ))}
    </ul>
  );
  return (
    <>
      {list(pairs.slice(0, FIRST))}
      {pairs.length > FIRST && (
        <More title={t("morePairs", { count: pairs.length - FIRST })}>{list(pairs.slice(FIRST))}</More>
      )}
    </>
  );
}

function useSentence(names: readonly string[]): (pair: Pair) => string {
  const { t } = useTranslation("overlap");
  const format = useFormat();
  const told = useTold();
  return ({ a, b, shared, ofA, ofB }) => {
    const of = { a: names[a] ?? "", b: names[b] ?? "" };
    if (typeof shared.count !== "number") return t("shareFew", of);
    if (shared.count === 0 && !shared.about) return t("shareNobody", of);
    const same = !shared.about && ofA === 1 && ofB === 1;
    if (same) return t("shareSame", { ...of, people: told(shared) });
    if (!shared.about && ofA === 1) return t("shareWithin", of);
    if (!shared.about && ofB === 1) return t("shareWithin", { a: of.b, b: of.a });
    const share = (part: number | undefined) => (part === undefined ? "?" : format.share(part));
    return t("share", { ...of, people: told(shared), ofA: share(ofA), ofB: share(ofB), count: shared.count });
  };
}
