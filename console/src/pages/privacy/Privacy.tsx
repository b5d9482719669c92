import { useTranslation } from "react-i18next";
import { Page } from "../../ui/Layout";

export default function Privacy() {
  const { t } = useTranslation("privacy");
  return (
    <Page title={t("title")} lede={t("lede")}>
      <></>
    </Page>
  );
}
