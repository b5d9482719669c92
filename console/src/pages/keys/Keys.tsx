import { useTranslation } from "react-i18next";
import { Page } from "../../ui/Layout";

export default function Keys() {
  const { t } = useTranslation("keys");
  return (
    <Page title={t("title")} lede={t("lede")}>
      <></>
    </Page>
  );
}
