/** Asks for the reach of what is being written, once it rests; what is asked no more is broken off. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Problem, type Schemas } from "../../api/client";
import { askLong } from "../../api/long";

export type Reach = Schemas["ReachAnswer"];

/** What is asked about: one of `rule` (with its `owner`), `audience`, `definition`. */
export type ReachQuestion = Partial<Pick<Schemas["ReachQuestion"], "rule" | "owner" | "audience" | "definition">>;

const PAUSE = 250;
const SEEN_DAYS = 7;
/** Longer than this nobody is kept waiting without being asked. */
const PATIENCE = 60;

/** A value that follows another one when that has rested. */
function useRested(value: string): string {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    if (value === rested) return undefined;
    const timer = setTimeout(() => setRested(value), PAUSE);
    return () => clearTimeout(timer);
  }, [value, rested]);
  return rested;
}

export interface Reached {
  /** The last answer there was, be it of an earlier question. */
  reach: Reach | undefined;
  /** Whether it is of an earlier question. */
  isOld: boolean;
  isAsking: boolean;
  /** Of a long question: how much is done, 0 to 1. */
  done: number | undefined;
  error: Error | null;
  /** In how many seconds it is asked again by itself. */
  waits: number | undefined;
  retry: () => void;
}

function isEmpty(question: ReachQuestion): boolean {
  return !question.audience && !question.definition && (question.rule ?? "").trim() === "";
}

function patience(error: unknown): number | undefined {
  if (!(error instanceof Problem) || error.status !== 429) return undefined;
  const seconds = error.retryAfter ?? 2;
  return seconds <= PATIENCE ? seconds : undefined;
}

export function useReach(question: ReachQuestion, by: readonly string[]): Reached {
  const asked = JSON.stringify({ ...question, by, seen_days: SEEN_DAYS });
  const rested = useRested(asked);
  const [progress, setProgress] = useState<{ of: string; done: number }>();
  const [last, setLast] = useState<Reach>();
  const empty = isEmpty(question);
  const query = useQuery({
    queryKey: ["reach", rested],
    queryFn: ({ signal }) =>
      askLong<Reach>("/api/v1/reach", JSON.parse(rested), signal, (done) => setProgress({ of: rested, done })),
    enabled: !empty,
    // Too much at once: the server says when it may be asked again.
    retry: (count, error) => count < 5 && patience(error) !== undefined,
    retryDelay: (_, error) => 1_000 * (patience(error) ?? 1),
  });
  if (query.data !== undefined && query.data !== last) setLast(query.data);
  const isOld = rested !== asked || query.data === undefined;
  return {
    reach: empty ? undefined : (query.data ?? last),
    isOld,
    isAsking: !empty && (query.isFetching || rested !== asked),
    done: query.isFetching && progress?.of === rested && progress.done < 1 ? progress.done : undefined,
    error: empty || rested !== asked ? null : query.error,
    waits: query.isFetching ? patience(query.failureReason) : undefined,
    retry: () => void query.refetch(),
  };
}
