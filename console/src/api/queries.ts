/** What several pages ask, with how long an answer stays good. Pages add their own beside their components. */
import { MutationCache, QueryCache, QueryClient, queryOptions } from "@tanstack/react-query";
import { Problem, api, body } from "./client";

/**
 * A session that is over is noticed at the first refusal: who is signed in is asked again, and the console asks for a key. Where
 * nobody is signed in a 401 is the answer to a wrong key, and the form that asked must stay to say so.
 */
function noticeEnd(error: Error): void {
  const signedIn = queries.getQueryData(whoami.queryKey) !== undefined;
  if (signedIn && error instanceof Problem && error.status === 401)
    void queries.invalidateQueries({ queryKey: whoami.queryKey });
}

export const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      if (query.queryKey[0] !== whoami.queryKey[0]) noticeEnd(error);
    },
  }),
  mutationCache: new MutationCache({ onError: noticeEnd }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What was refused stays refused; what did not answer may the next time.
      retry: (count, error) => count < 2 && (!(error instanceof Problem) || error.status === 0 || error.status >= 500),
    },
  },
});

export const whoami = queryOptions({
  queryKey: ["whoami"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/whoami", { signal })),
  staleTime: 60_000,
});

/** What one person was told is not shown to the next. Who is signed in stays: what watches that would lose sight of it. */
export function forgetAnswers(): void {
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== whoami.queryKey[0] });
}

/** The generation in service, those on disk, what is pinned. */
export const generations = queryOptions({
  queryKey: ["generations"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/generations", { signal })),
  refetchInterval: 10_000,
});

/** What is built now, what waits and why; whether what was published answers. */
export const builds = queryOptions({
  queryKey: ["builds"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/builds", { signal })),
  refetchInterval: (query) => (query.state.data?.running.length ? 1_000 : 5_000),
});

/** What a rule may speak of: traits, events, audiences. */
export const vocabulary = queryOptions({
  queryKey: ["vocabulary"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/vocabulary", { signal })),
  staleTime: 5 * 60_000,
});
