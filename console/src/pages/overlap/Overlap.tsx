import { useTranslation } from "react-i18next";
import { Page } from "../../ui/Layout";

export default function Overlap() {
  const { t } = useTranslation("overlap");
  return (
    <Page title={t("title")} lede={t("lede")}>
      <></>
    </Page>
  );
}
