import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { startLanguage } from "./base/language";
import { App } from "./shell/App";
import { startTheme } from "./ui/theme";
import "./ui/tokens.css";
import "./ui/controls.css";
import "./ui/layout.css";
import "./shell/shell.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has an element #root");
startTheme();
await startLanguage();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
