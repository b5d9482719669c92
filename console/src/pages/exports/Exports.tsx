import { useTranslation } from "react-i18next";
import { Page } from "../../ui/Layout";

export default function Exports() {
  const { t } = useTranslation("exports");
  return (
    <Page title={t("title")} lede={t("lede")}>
      <></>
    </Page>
  );
}
