import { useTranslation } from "react-i18next";
import { Page } from "../../ui/Layout";

export default function Audit() {
  const { t } = useTranslation("audit");
  return (
    <Page title={t("title")} lede={t("lede")}>
      <></>
    </Page>
  );
}
