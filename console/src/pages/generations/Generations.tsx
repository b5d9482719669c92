import { Route, Routes } from "react-router";
import { Compare } from "./Compare";
import { List } from "./List";
import { One } from "./One";

export default function Generations() {
  return (
    <Routes>
      <Route index element={<List />} />
      <Route path="compare" element={<Compare />} />
      <Route path=":generation" element={<One />} />
    </Routes>
  );
}
