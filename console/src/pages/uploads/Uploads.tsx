import { useTranslation } from "react-i18next";
import { Page } from "../../ui/Layout";

export default function Uploads() {
  const { t } = useTranslation("uploads");
  return (
    <Page title={t("title")} lede={t("lede")}>
      <></>
    </Page>
  );
}
