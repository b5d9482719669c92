import { useTranslation } from "react-i18next";
import { Page } from "../../ui/Layout";

export default function Explain() {
  const { t } = useTranslation("explain");
  return (
    <Page title={t("title")} lede={t("lede")}>
      <></>
    </Page>
  );
}
