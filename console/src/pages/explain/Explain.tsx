import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { useMay } from "../../base/session";
import { Page, Tabs } from "../../ui/Layout";
import { ByIdentifier } from "./ByIdentifier";
import { BySample } from "./BySample";

/** `?what=owner/id` chooses what it is about. Whom it is about stands in no address. */
export default function Explain() {
  const { t } = useTranslation("explain");
  const may = useMay();
  const [asked] = useSearchParams();
  const what = asked.get("what");
  const samples = may("see") && { id: "sample", name: t("bySample"), content: <BySample what={what} /> };
  const people = may("people") && { id: "person", name: t("byPerson"), content: <ByIdentifier what={what} /> };
  const tabs = [samples, people].filter((tab) => tab !== false);
  return (
    <Page title={t("title")} lede={t("lede")}>
      {tabs.length === 1 ? tabs[0]?.content : <Tabs label={t("title")} tabs={tabs} />}
    </Page>
  );
}
