/** How much an owner says to a person at most, over all campaigns: as the definitions have it that may be seen. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { parse } from "yaml";
import { definition, definitions, placeOf } from "./questions";

export interface Pressure {
  messages: string;
  per: string;
}

type Plain = { [key: string]: unknown };
const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** One limit, or a list of them, each perhaps of some owners. */
export function pressureIn(text: string): Pressure[] {
  let read: unknown;
  try {
    read = parse(text);
  } catch {
    return [];
  }
  const inner = isPlain(read) && "pressure" in read ? read["pressure"] : read;
  return [inner]
    .flat()
    .filter(isPlain)
    .filter((one) => one["messages"] !== undefined && one["per"] !== undefined)
    .map((one) => ({ messages: String(one["messages"]), per: String(one["per"]) }));
}

export function usePressure(owner: string): Pressure[] {
  const all = useQuery(definitions("pressure")).data ?? [];
  // A draft limits nothing.
  const own = all.filter((one) => one.id.startsWith(`${owner}/`) && one.state === "published");
  const texts = useQueries({ queries: own.map((one) => definition(placeOf("pressure", one.id))) });
  return texts.flatMap((asked) => pressureIn(asked.data?.published?.text ?? asked.data?.text ?? ""));
}
