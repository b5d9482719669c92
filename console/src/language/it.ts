/** Every word of the console, by page. */
import base from "../base/it.json";
import builds from "../base/builds.it.json";
import rules from "../rules/it.json";
import shell from "../shell/it.json";
import home from "../pages/home/it.json";
import audiences from "../pages/audiences/it.json";
import overlap from "../pages/overlap/it.json";
import campaigns from "../pages/campaigns/it.json";
import explain from "../pages/explain/it.json";
import uploads from "../pages/uploads/it.json";
import exports from "../pages/exports/it.json";
import generations from "../pages/generations/it.json";
import keys from "../pages/keys/it.json";
import audit from "../pages/audit/it.json";
import privacy from "../pages/privacy/it.json";

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
