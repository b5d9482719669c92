/** Audiences that leave the house: starting an export, how far each is, what became of it. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { Answer, Empty, Only } from "../../base/states";
import { Card, Page } from "../../ui/Layout";
import { ExportForm } from "./ExportForm";
import { ExportResult } from "./ExportResult";
import { Jobs } from "./Jobs";
import { exportsQuery } from "./asking";
import looks from "./Exports.module.css";

const CONFIGURATION = `destinations:
  - { name: partner, path: exports, owners: [acme] }
  - { name: lake, path: s3://bucket/audiences }`;

export default function Exports() {
  const { t } = useTranslation("exports");
  return (
    <Page title={t("title")} lede={t("lede")}>
      <Only right="export">
        <Sent />
      </Only>
    </Page>
  );
}

function Sent() {
  const { t } = useTranslation("exports");
  const [search, setSearch] = useSearchParams();
  const query = useQuery(exportsQuery);
  const chosen = search.get("job");
  const choose = (id: string | null) =>
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        if (id === null) after.delete("job");
        else after.set("job", id);
        return after;
      },
      { replace: true },
    );
  return (
    <Answer query={query}>
      {({ destinations, exports }) => {
        const job = exports.find((one) => one.id === chosen);
        return (
          <>
            {destinations.length === 0 ? (
              <NoDestinations />
            ) : (
              <Card title={t("new")}>
                <ExportForm destinations={destinations} preset={search.get("audience")} onStarted={choose} />
              </Card>
            )}
            <Card title={t("jobs.title")}>
              {exports.length === 0 ? (
                <p className="quiet">{t("jobs.none")}</p>
              ) : (
                <Jobs jobs={exports} chosen={chosen} onChoose={choose} />
              )}
            </Card>
            {job && <ExportResult key={job.id} job={job} onClose={() => choose(null)} />}
          </>
        );
      }}
    </Answer>
  );
}

/** Files go to destinations of the configuration and nowhere else, so that no key can send people anywhere. */
function NoDestinations() {
  const { t } = useTranslation("exports");
  return (
    <Card>
      <Empty title={t("none.title")}>
        <p>{t("none.help")}</p>
        <pre className={looks.code}>{CONFIGURATION}</pre>
        <p>{t("none.then")}</p>
      </Empty>
    </Card>
  );
}
