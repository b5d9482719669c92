import { useTranslation } from "react-i18next";
import { Page } from "../../ui/Layout";

export default function Home() {
  const { t } = useTranslation("home");
  return (
    <Page title={t("title")} lede={t("lede")}>
      <></>
    </Page>
  );
}
