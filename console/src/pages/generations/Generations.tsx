import { useTranslation } from "react-i18next";
import { Page } from "../../ui/Layout";

export default function Generations() {
  const { t } = useTranslation("generations");
  return (
    <Page title={t("title")} lede={t("lede")}>
      <></>
    </Page>
  );
}
