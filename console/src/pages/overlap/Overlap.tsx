import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { AudiencePicker } from "../../rules/AudiencePicker";
import { Card, Page } from "../../ui/Layout";

export default function Overlap() {
  const { t } = useTranslation("overlap");
  const [asked, ask] = useSearchParams();
  return (
    <Page title={t("title")} lede={t("lede")}>
      <Card>
        <AudiencePicker
          label={t("choose")}
          value={asked.getAll("a")}
          onChange={(ids) =>
            ask(
              ids.map((id): [string, string] => ["a", id]),
              { replace: true },
            )
          }
          max={12}
        />
      </Card>
    </Page>
  );
}
