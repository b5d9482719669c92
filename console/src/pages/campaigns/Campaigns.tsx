/** Campaigns: the list, one in words and figures, its form, and what limits them all. */
import { Route, Routes } from "react-router";
import { CampaignEdit, CampaignNew } from "./CampaignEdit";
import { CampaignList } from "./CampaignList";
import { CampaignPage } from "./CampaignPage";
import { Limits } from "./Limits";

export default function Campaigns() {
  return (
    <Routes>
      <Route index element={<CampaignList />} />
      <Route path="new" element={<CampaignNew />} />
      <Route path="limits" element={<Limits />} />
      <Route path=":owner/:id" element={<CampaignPage />} />
      <Route path=":owner/:id/edit" element={<CampaignEdit />} />
    </Routes>
  );
}
