import { useTranslation } from "react-i18next";
import { Button } from "../ui/Button";
import { Notice } from "../ui/Layout";
import type { Reading } from "./reading";
import { placesIn } from "./text/places";

interface FaultsProps {
  text: string;
  reading: Reading;
  onChange: (text: string) => void;
  isReadOnly: boolean;
}

/** What is wrong with a rule, in words; what can be mended by itself is one press away. */
export function Faults({ text, reading, onChange, isReadOnly }: FaultsProps) {
  const { t } = useTranslation("rules");
  const wrong = placesIn(text, reading).filter((place) => place.severity === "error");
  if (wrong.length === 0) return null;
  return (
    <Notice tone="bad" live>
      <ul style={{ margin: 0, paddingInlineStart: 18 }}>
        {wrong.map(({ from, to, message, help, instead }, at) => (
          <li key={at}>
            <span className="row">
              {message}
              {instead !== undefined && !isReadOnly && (
                <Button small onPress={() => onChange(text.slice(0, from) + instead + text.slice(to))}>
                  {t("write", { text: instead })}
                </Button>
              )}
            </span>
            {instead === undefined &&
              help.map((line) => (
                <div key={line} className="quiet">
                  {line}
                </div>
              ))}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
