/** From when on; nothing = from the beginning. */
export const SPANS = ["", "1d", "7d", "30d", "365d"] as const;

/** The instant so many days before now, as the API reads it; nothing for what is no such span. */
export function sinceOf(span: string | null, now: number): string | undefined {
  if (!SPANS.some((known) => known !== "" && known === span)) return undefined;
  return new Date(now - Number.parseInt(span ?? "", 10) * 86_400_000).toISOString();
}
