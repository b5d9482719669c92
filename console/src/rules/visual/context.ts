/** What every row needs: the words of the world, how to change the rows, where the focus goes next. */
import { createContext, useContext } from "react";
import type { Vocabulary } from "../kinds";
import type { Group } from "../query";

/** A part of a row or group that can have the focus. */
export type Spot = "subject" | "menu" | "add";

export interface Builder {
  vocabulary: Vocabulary;
  owner: string | undefined;
  isReadOnly: boolean;
  edit: (by: (query: Group) => Group) => void;
  /** Once the rows are drawn again. */
  focus: (id: string, spot: Spot) => void;
}

export const BuilderContext = createContext<Builder | null>(null);

export function useBuilder(): Builder {
  const builder = useContext(BuilderContext);
  if (builder === null) throw new Error("rows stand in a Visual");
  return builder;
}
