import { Link } from "react-aria-components";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import { useFormat } from "../../base/format";
import { Empty } from "../../base/states";
import { Badge, Card } from "../../ui/Layout";
import { Table } from "../../ui/Table";
import { rejectedShare } from "./warnings";

/** The generation the bid doors answer from, and how fresh its sources are. */
export function InService({ of }: { of: Schemas["GenerationsAnswer"] }) {
  const { t } = useTranslation("home");
  const format = useFormat();
  const one = of.generations.find((line) => line.generation === of.in_service);
  if (one?.as_of === undefined) {
    return (
      <Card title={t("live.title")}>
        <Empty title={t("live.none")}>
          <p>{t("live.noneHelp")}</p>
        </Empty>
      </Card>
    );
  }
  const sources = one.sources ?? [];
  return (
    <Card
      title={t("live.number", { number: one.generation })}
      aside={<Link href={`/generations/${one.generation}`}>{t("live.more")}</Link>}
    >
      <div className="row">
        <Badge tone="good">{t("live.inService")}</Badge>
        {of.pinned === one.generation && <Badge tone="warn">{t("live.pinned")}</Badge>}
      </div>
      <p>
        {t("live.text", {
          asOf: format.time(one.as_of),
          ago: format.ago(one.as_of),
          made: one.created ? format.time(one.created) : "",
        })}
      </p>
      {sources.length > 0 && (
        <Table
          label={t("sources.title")}
          rows={sources}
          idOf={(source) => source.name}
          columns={[
            {
              id: "name",
              name: t("sources.source"),
              cell: named,
            },
            {
              id: "newest",
              name: t("sources.newest"),
              cell: (source) => (source.newest ? format.ago(source.newest) : "–"),
            },
            { id: "taken", name: t("sources.taken"), number: true, cell: (source) => format.number(source.accepted) },
            {
              id: "rejected",
              name: t("sources.rejected"),
              number: true,
              cell: (source) =>
                source.rejected === 0
                  ? format.number(0)
                  : `${format.number(source.rejected)} (${format.share(rejectedShare(source))})`,
            },
          ]}
        />
      )}
    </Card>
  );
}

const named = (source: Schemas["SourceAge"]) => <Named source={source} />;

function Named({ source }: { source: Schemas["SourceAge"] }) {
  const { t } = useTranslation("home");
  return (
    <>
      {source.name} {source.stale && <Badge tone="warn">{t("sources.stale")}</Badge>}
    </>
  );
}
