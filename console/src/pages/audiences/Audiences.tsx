import { Route, Routes } from "react-router";
import { Detail } from "./Detail";
import { Edit } from "./Edit";
import { List } from "./List";
import { New } from "./New";
import { Upload } from "./Upload";

/** The list of audiences, and what is below it. */
export default function Audiences() {
  return (
    <Routes>
      <Route index element={<List />} />
      <Route path="new" element={<New />} />
      <Route path="upload" element={<Upload />} />
      <Route path=":owner/:id" element={<Detail />} />
      <Route path=":owner/:id/edit" element={<Edit />} />
    </Routes>
  );
}
