/** Whom a rule, an audience or a definition reaches. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { askLong } from "../api/long";
import { Told } from "../base/Told";
import { useFormat } from "../base/format";
import { Answer } from "../base/states";
import { Card, Stat } from "../ui/Layout";

/** What is asked about: one of `rule` (with its `owner`), `audience`, `definition`. */
export type ReachQuestion = Partial<Pick<Schemas["ReachQuestion"], "rule" | "owner" | "audience" | "definition">>;

export interface ReachPanelProps {
  question: ReachQuestion;
}

export function ReachPanel({ question }: ReachPanelProps) {
  const { t } = useTranslation("rules");
  const format = useFormat();
  const reach = useQuery({
    queryKey: ["reach", question],
    queryFn: ({ signal }) => askLong<Schemas["ReachAnswer"]>("/api/v1/reach", question, signal),
    retry: false,
  });
  return (
    <Card title={t("reach")}>
      <Answer query={reach}>
        {(reach) => (
          <Stat
            label={t("people")}
            value={<Told told={reach} />}
            note={typeof reach.share === "number" ? t("ofAll", { share: format.share(reach.share) }) : undefined}
          />
        )}
      </Answer>
    </Card>
  );
}
