import { useTranslation } from "react-i18next";
import { Page } from "../../ui/Layout";

export default function Campaigns() {
  const { t } = useTranslation("campaigns");
  return (
    <Page title={t("title")} lede={t("lede")}>
      <></>
    </Page>
  );
}
