import { useTranslation } from "react-i18next";

export const REASONS = [
  "target",
  "excluded",
  "not_in_target",
  "capped",
  "pressure",
  "outranked",
  "objected",
  "no_consent",
  "no_id",
  "no_profile",
  "not_ready",
  "overloaded",
  "late",
  "paused",
] as const;

/** A reason code in words; one that is not known stays as it is. */
export function useReason(): (code: string) => string {
  const { t } = useTranslation("campaigns");
  return (code) => {
    const known = REASONS.find((one) => one === code);
    return known ? t(`reasons.${known}`) : code;
  };
}
