/** The rows of a funnel: how many are left after each step, and how many it cost. */
import type { Schemas } from "../../api/client";

export type FunnelAnswer = Schemas["FunnelAnswer"];
type Told = Schemas["Told"];

export const STEPS = ["everybody", "in_target", "not_excluded", "permitted", "under_caps", "seen"] as const;
export type StepName = (typeof STEPS)[number];

export interface FunnelRow {
  step: StepName;
  left: Told;
  lost: Told | undefined;
  /** What part of everybody is left; unknown where it is not told. */
  ofAll: number | undefined;
  /** What part of those who came as far is left. */
  ofBefore: number | undefined;
}

const FEW: Told = { below_floor: true };

export function rowsOf(answer: Pick<FunnelAnswer, "steps">): FunnelRow[] {
  const everybody = answer.steps[0]?.left?.count;
  return answer.steps.flatMap((step, at) => {
    const name = STEPS.find((known) => known === step.step);
    if (name === undefined) return [];
    const before = answer.steps[at - 1]?.left?.count;
    return [
      {
        step: name,
        left: step.left ?? FEW,
        lost: at === 0 ? undefined : (step.lost ?? FEW),
        ofAll: part(step.left?.count, everybody),
        ofBefore: at === 0 ? undefined : part(step.left?.count, before),
      },
    ];
  });
}

function part(count: number | null | undefined, whole: number | null | undefined): number | undefined {
  if (typeof count !== "number" || typeof whole !== "number" || whole === 0) return undefined;
  return count / whole;
}
