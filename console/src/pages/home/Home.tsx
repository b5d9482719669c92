import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Problem } from "../../api/client";
import { builds, generations, queries } from "../../api/queries";
import { useForAll } from "../../base/builds";
import { useNow } from "../../base/now";
import { Failed, Forbidden } from "../../base/states";
import { Page } from "../../ui/Layout";
import { Building } from "./Building";
import { Figures } from "./Figures";
import { clockOf, frozenAt, matchedShare, total } from "./figures";
import { InService } from "./InService";
import { Matches } from "./Matches";
import * as ask from "./questions";
import { Renewal } from "./Renewal";
import { Steps } from "./Steps";
import { Traffic } from "./Traffic";
import { Waiting } from "./Waiting";
import { LeftAlone, Verdicts } from "./Verdicts";
import { Warnings } from "./Warnings";
import { warnings } from "./warnings";

/** How the server is doing. Keys of one owner are not told what concerns the whole installation: those cards are not there. */
export default function Home() {
  const { t } = useTranslation("home");
  const forAll = useForAll();
  const listed = useQuery(generations);
  const building = useQuery(builds);
  const answering = listed.data?.generations.find((one) => one.generation === listed.data.in_service);
  const frozen = frozenAt(answering);
  const clock = clockOf(frozen);
  const now = useNow();
  const known = listed.data !== undefined;
  const inService = useQuery(ask.audiencesOf(listed.data?.in_service));
  const hour = useQuery({ ...ask.lookupsOfTheHour(clock), enabled: known && forAll });
  const lookups = useQuery({ ...ask.lookupsToday(clock), enabled: known && forAll });
  const matches = useQuery({ ...ask.matchesToday(clock), enabled: known && forAll });
  const refusals = useQuery({ ...ask.refusalsToday(clock), enabled: known && forAll });
  const seen = useQuery({ ...ask.seen, enabled: forAll });
  const verdicts = useQuery({ ...ask.verdictsToday(clock), enabled: known });
  const month = useQuery({ ...ask.verdictsOfTheMonth(clock), enabled: known });

  if (listed.error instanceof Problem && listed.error.status === 403) {
    return (
      <Page title={t("title")}>
        <Forbidden />
      </Page>
    );
  }
  if (listed.data === undefined && listed.error) {
    // Whoever answers nothing at all is told of once.
    return (
      <Page title={t("title")} lede={t("lede")}>
        <Failed error={listed.error} retry={() => void queries.invalidateQueries()} />
      </Page>
    );
  }
  const share = lookups.data && matchedShare(lookups.data);
  const asked = month.data && total(month.data) > 0;
  const askedLookups = lookups.data && total(lookups.data) > 0;
  const told = warnings({
    generations: listed.data,
    builds: building.data,
    inService: inService.data,
    lookupsOfTheHour: hour.data && total(hour.data),
    askedLately: asked,
    matchedShare: share === undefined ? undefined : { share, asked: lookups.data ? total(lookups.data) : 0 },
    refusals: refusals.data && total(refusals.data),
    lookupsToday: lookups.data && total(lookups.data),
    statisticsKept: !(verdicts.error instanceof Problem && verdicts.error.status === 409),
    frozenAt: frozen,
    now,
  });
  const all = [listed, building, verdicts, hour, lookups, matches, refusals, seen, inService];
  return (
    <Page title={t("title")} lede={t("lede")}>
      <Renewal queries={all} />
      <Warnings of={told} frozenAt={frozen} />
      {month.data && !asked && !askedLookups && <Steps asked={false} />}
      {answering && (
        <Figures
          now={frozen ?? now}
          frozen={frozen !== undefined}
          hour={hour.data}
          share={share}
          seen={seen.data}
          inService={answering}
        />
      )}
      <div className="halves">
        <div className="stack">
          <LeftAlone of={verdicts} />
          {forAll && <Traffic of={hour} />}
          {listed.data ? <InService of={listed.data} /> : <Waiting of={listed} />}
        </div>
        <div className="stack">
          <Verdicts of={verdicts} />
          {forAll && <Matches of={matches} />}
          {building.data ? <Building of={building.data} /> : <Waiting of={building} />}
        </div>
      </div>
    </Page>
  );
}
