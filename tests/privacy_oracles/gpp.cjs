// GPP strings with every section, and what `@iabgpp/cmpapi` reads of them; US privacy strings.
"use strict";
const { damaged } = require("./random.cjs");
const tcf = require("./tcf.cjs");

const STATES = "Nat Ca Va Co Ut Ct Fl Mt Or Tx De Ia Ne Nh Nj Tn Mn Md In Ky Ri".split(" ");

/** The classes of their encoder, which the package does not export. */
function classes(modules) {
  const encoder = `${modules}/@iabgpp/cmpapi/lib/cjs/encoder`;
  const one = (folder, name) => require(`${encoder}/${folder}/${name}.js`)[name];
  const sections = new Map(STATES.map((state, at) => [7 + at, one("section", `Us${state}`)]));
  return { sections, GppModel: require(`${encoder}/GppModel.js`).GppModel, Header: one("section", "HeaderV1"), Canada: one("section", "TcfCaV1"), Usp: one("section", "UspV1") };
}

/** A section of a state with random fields, as their encoder writes it. */
function state(Section, chance) {
  const section = new Section();
  const calm = chance.yes(0.5);
  const value = (from) => (calm && chance.yes(0.9) ? chance.pick([0, 2]) : chance.int(from, 2));
  const version = Section.ID === 7 && chance.yes(0.5) ? 1 : null;
  if (version) section.setFieldValue("Version", version);
  for (const segment of section.initializeSegments()) {
    for (const name of segment.getFieldNames()) {
      const old = section.getFieldValue(name);
      if (name === "Gpc") section.setFieldValue(name, chance.yes(0.2));
      else if (/^(Version|MspaVersion|GpcSegmentType)$/.test(name)) continue;
      else if (Array.isArray(old)) section.setFieldValue(name, old.map(() => value(0)));
      else section.setFieldValue(name, name === "MspaCoveredTransaction" ? chance.int(1, 2) : value(0));
    }
  }
  if (section.hasField("GpcSegmentIncluded")) section.setFieldValue("GpcSegmentIncluded", chance.yes(0.6));
  return section.encode();
}

/** What their decoder reads of a state's section. */
function readState(Section, text) {
  try {
    const section = new Section(text);
    const get = (name) => (section.hasField(name) ? section.getFieldValue(name) : null);
    const optOuts = ["SaleOptOut", "SharingOptOut", "TargetedAdvertisingOptOut"].map(get).filter((value) => value !== null);
    return {
      version: get("Version") ?? get("MspaVersion"),
      opt_outs: optOuts,
      children: [get("KnownChildSensitiveDataConsents") ?? []].flat(),
      gpc: get("GpcSegmentIncluded") === false ? false : Boolean(get("Gpc")),
    };
  } catch (error) {
    return { error: error.message };
  }
}

function canada({ Canada }, chance) {
  const section = new Canada();
  const flags = () => Array.from({ length: 24 }, () => chance.yes(0.6));
  section.setFieldValue("PurposesExpressConsent", flags());
  section.setFieldValue("PurposesImpliedConsent", flags());
  const most = chance.pick([20, 300, 1500]);
  section.setFieldValue("VendorExpressConsent", tcf.vendors(chance, most));
  section.setFieldValue("VendorImpliedConsent", tcf.vendors(chance, most));
  return section.encode();
}

function readCanada({ Canada }, text, vendor) {
  try {
    const section = new Canada(text);
    const express = section.getFieldValue("PurposesExpressConsent");
    return {
      express: express.reduce((mask, flag, at) => mask + (flag ? 2 ** at : 0), 0),
      vendor: section.getFieldValue("VendorExpressConsent").includes(vendor),
      restrictions: section.getFieldValue("PubRestrictions").length,
    };
  } catch (error) {
    return { error: error.message };
  }
}

const usPrivacy = (chance) => chance.pick(["1", "1", "1", "1", "2", ""]) + Array.from({ length: chance.yes(0.9) ? 3 : chance.int(0, 5) }, () => chance.pick([..."YN-YN-yX"])).join("");

function readUsPrivacy({ Usp }, text) {
  try {
    const section = new Usp(text);
    return { version: section.getFieldValue("Version"), fields: ["Notice", "OptOutSale", "LspaCovered"].map((name) => section.getFieldValue(name)) };
  } catch (error) {
    return { error: error.message };
  }
}

/** What their model reads of a whole string. */
function readModel({ GppModel }, text) {
  try {
    return { ids: new GppModel(text).getSectionIds() };
  } catch (error) {
    return { error: error.message };
  }
}

/** Strings of one to five sections, a part of them damaged. */
function* strings(modules, core, chance, count) {
  const known = classes(modules);
  const ids = [2, 5, 6, ...known.sections.keys()];
  for (let n = 0; n < count; n++) {
    const chosen = new Set([ids[n % ids.length]]);
    while (chance.yes(0.6) && chosen.size < 6) chosen.add(chance.pick(ids));
    const sorted = [...chosen].sort((a, b) => a - b);
    const texts = sorted.map((id) => {
      if (id === 2) return tcf.written(chance).text;
      if (id === 5) return canada(known, chance);
      if (id === 6) return "1" + chance.pick(["YNN", "YYN", "---", "NN-"]);
      return state(known.sections.get(id), chance);
    });
    const header = new known.Header();
    header.setFieldValue("SectionIds", sorted);
    let text = [header.encode(), ...texts].join("~");
    const isDamaged = n % 6 === 5;
    if (isDamaged) text = damaged(chance, text);
    const vendor = chance.int(1, 300);
    const parts = text.split("~").slice(1);
    const sections = sorted.map((id, at) => {
      const part = parts[at] ?? "";
      const read = known.sections.has(id) ? readState(known.sections.get(id), part) : id === 5 ? readCanada(known, part, vendor) : null;
      return { id, text: part, read };
    });
    yield { kind: "gpp", made: isDamaged ? "damaged" : "written", text, vendor, model: readModel(known, text), sections };
  }
}

function* usPrivacies(modules, chance, count) {
  const known = classes(modules);
  for (let n = 0; n < count; n++) {
    const text = usPrivacy(chance);
    yield { kind: "us_privacy", made: "written", text, read: readUsPrivacy(known, text) };
  }
}

module.exports = { strings, usPrivacies };
