/** Every word of the console, by page. */
import base from "../base/en.json";
import builds from "../base/builds.en.json";
import rules from "../rules/en.json";
import shell from "../shell/en.json";
import home from "../pages/home/en.json";
import audiences from "../pages/audiences/en.json";
import overlap from "../pages/overlap/en.json";
import campaigns from "../pages/campaigns/en.json";
import explain from "../pages/explain/en.json";
import uploads from "../pages/uploads/en.json";
import exports from "../pages/exports/en.json";
import generations from "../pages/generations/en.json";
import keys from "../pages/keys/en.json";
import audit from "../pages/audit/en.json";
import privacy from "../pages/privacy/en.json";

export default {
  base,
  builds,
  rules,
  shell,
  home,
  audiences,
  overlap,
  campaigns,
  explain,
  uploads,
  exports,
  generations,
  keys,
  audit,
  privacy,
};
