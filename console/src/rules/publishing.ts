/** Publishing as the planner has it: what it would do, that it is meant, and how far it is on its way to the bid doors. */
import { queryOptions } from "@tanstack/react-query";
import { api, body, type Schemas } from "../api/client";

/** A draft, an older version (`version`), or what shall be no more (`archive`). */
export type PublishItem = Schemas["PublishItem"];
export type Changed = Schemas["Changed"];
type Publishing = Schemas["PublishingAnswer"];

interface Wish {
  items: readonly PublishItem[];
  comment?: string;
  confirm?: string | undefined;
  dry_run?: boolean;
}

function publish({ items, comment = "", confirm, dry_run = false }: Wish, signal?: AbortSignal): Promise<Changed> {
  const why = comment.trim();
  const wish = { items: [...items], dry_run, ...(why !== "" && { comment: why }), ...(confirm && { confirm }) };
  return body(api.POST("/api/v1/publish", { body: wish, ...(signal && { signal }) }));
}

/** Publishes; what must be confirmed is refused without the token that a dry run gave. */
export function publishNow(wish: Omit<Wish, "dry_run">): Promise<Changed> {
  return publish(wish);
}

/** What would happen. Never kept: the token is good for this very state alone. */
export function dryRun(items: readonly PublishItem[]) {
  return queryOptions({
    queryKey: ["publish", "dry run", items],
    queryFn: ({ signal }) => publish({ items, dry_run: true }, signal),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
}

/** How far a change is; what is asked right after it may still tell of the one before. */
export function stageOf(changed: Changed, publishing: Publishing): Publishing["state"] {
  if (publishing.state === "unknown") return "unknown";
  if (publishing.definitions === changed.definitions) return publishing.state;
  // Somebody published after us: whatever has theirs has ours, too.
  const [theirs, ours] = [publishing.requested, changed.time].map((time) => (time ? Date.parse(time) : 0));
  // A key of one owner is not told what all definitions are: then the time alone tells, and that is in whole seconds.
  const ourOwn = !changed.definitions && theirs === ours;
  return ourOwn || (theirs ?? 0) > (ours ?? 0) ? publishing.state : "waiting";
}

/** Nothing more happens by itself. */
export function isSettled(stage: Publishing["state"]): boolean {
  return ["in_service", "failed", "pinned", "unknown"].includes(stage);
}

/** The names that a sentence of the server has between backticks. */
export function namesIn(detail: string): string[] {
  return [...detail.matchAll(/`([^`]+)`/g)].flatMap(([, name]) => name ?? []);
}
