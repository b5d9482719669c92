import { useTranslation } from "react-i18next";
import { Page } from "../../ui/Layout";

export default function Audiences() {
  const { t } = useTranslation("audiences");
  return (
    <Page title={t("title")} lede={t("lede")}>
      <></>
    </Page>
  );
}
