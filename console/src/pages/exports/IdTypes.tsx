/** Which identifiers are sent: all, unless some are chosen. How many of the audience have each is told beside it. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Told } from "../../base/Told";
import { Checkbox } from "../../ui/Fields";
import { reachOf, toggled } from "./asking";
import looks from "./Exports.module.css";

interface IdTypesProps {
  audience: string | null;
  value: readonly string[];
  onChange: (ids: string[]) => void;
  error: string | undefined;
}

export function IdTypes({ audience, value, onChange, error }: IdTypesProps) {
  const { t } = useTranslation("exports");
  const asked = useQuery({ ...reachOf(audience ?? ""), enabled: audience !== null });
  const types = asked.data?.by_id_type ?? [];
  if (audience === null || types.length === 0) return null;
  const names = types.map((one) => one.id_type);
  const chosen = value.length === 0 ? names : value;
  return (
    <fieldset className={looks.group}>
      <legend>{t("ids.label")}</legend>
      {types.map((one) => {
        const isChosen = chosen.includes(one.id_type);
        return (
          <Checkbox
            key={one.id_type}
            isSelected={isChosen}
            // Nothing would be sent without any.
            isDisabled={isChosen && chosen.length === 1}
            onChange={() => onChange(toggled(names, chosen, one.id_type))}
          >
            <span>
              {t(`ids.names.${one.id_type}`, { defaultValue: one.id_type })}{" "}
              <span className="quiet">
                <Told told={one} />
              </span>
            </span>
          </Checkbox>
        );
      })}
      {error === undefined ? (
        <span className="hint">{t("ids.hint")}</span>
      ) : (
        <span className="field-error">{error}</span>
      )}
    </fieldset>
  );
}
