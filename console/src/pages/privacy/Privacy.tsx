import { useTranslation } from "react-i18next";
import { Page, Tabs } from "../../ui/Layout";
import { OnePerson } from "./OnePerson";
import { Several } from "./Several";

export default function Privacy() {
  const { t } = useTranslation("privacy");
  return (
    <Page title={t("title")} lede={t("lede")}>
      <Tabs
        label={t("title")}
        tabs={[
          { id: "one", name: t("one"), content: <OnePerson /> },
          { id: "several", name: t("several"), content: <Several /> },
        ]}
      />
    </Page>
  );
}
