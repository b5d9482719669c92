import type { UseQueryResult } from "@tanstack/react-query";
import { Failed, Loading } from "../../base/states";

/** In place of an answer that is not there. That an old one could not be renewed is said once, at the top of the page. */
export function Waiting({ of }: { of: UseQueryResult<unknown, Error> }) {
  return of.error ? <Failed error={of.error} retry={() => void of.refetch()} /> : <Loading />;
}
