// TCF strings of every kind, and what `@iabtechlabtcf/core` reads of them.
"use strict";
const { ALPHABET, bits, base64url, damaged } = require("./random.cjs");

/** Vendors in runs, as lists of vendors are. */
function vendors(chance, most) {
  const list = [];
  let at = 0;
  const density = chance.pick([0.02, 0.3, 0.9]);
  while ((at += chance.yes(density) ? 1 : chance.int(2, 60)) <= most) list.push(at);
  return list;
}

function ranges(list, chance) {
  const found = [];
  for (const vendor of list) {
    const last = found[found.length - 1];
    if (last && last[1] + 1 === vendor && chance.yes(0.97)) last[1] = vendor;
    else found.push([vendor, vendor]);
  }
  const kept = found.slice(0, 4095);
  const one = ([from, to]) => (from === to && chance.yes(0.9) ? "0" + bits(from, 16) : "1" + bits(from, 16) + bits(to, 16));
  return bits(kept.length, 12) + kept.map(one).join("");
}

/** A list of vendors as a bit field or as ranges. */
function vendorList(list, chance) {
  const most = list.length ? list[list.length - 1] : 0;
  const asRanges = chance.yes(0.5);
  if (asRanges) return bits(most, 16) + "1" + ranges(list, chance);
  const field = new Array(most).fill("0");
  for (const vendor of list) field[vendor - 1] = "1";
  return bits(most, 16) + "0" + field.join("");
}

const purposes = (chance) => Array.from({ length: 24 }, (_, at) => (chance.yes(at < 11 ? 0.6 : 0.05) ? "1" : "0")).join("");

/** A string of our own writing: also what their encoder never writes. */
function written(chance) {
  const most = chance.pick([5, 60, 800, 1500, chance.yes(0.1) ? 65535 : 2000]);
  const lists = [vendors(chance, most), vendors(chance, most), vendors(chance, most)];
  const letter = () => bits(chance.int(0, 25), 6);
  const country = chance.yes(0.3) ? bits(3, 6) + bits(4, 6) : letter() + letter();
  let core = bits(chance.yes(0.98) ? 2 : chance.int(1, 63), 6) + bits(chance.int(1e10, 2e10), 36) + bits(chance.int(1e10, 2e10), 36);
  core += bits(chance.int(2, 500), 12) + bits(chance.int(0, 4095), 12) + bits(chance.int(0, 63), 6) + letter() + letter();
  core += bits(chance.int(1, 300), 12) + bits(chance.yes(0.9) ? chance.int(4, 5) : chance.int(1, 63), 6);
  core += bits(chance.yes(0.9) ? 1 : 0, 1) + bits(chance.int(0, 1), 1) + bits(chance.int(0, 4095), 12);
  core += purposes(chance) + purposes(chance) + bits(chance.yes(0.2) ? 1 : 0, 1) + country;
  core += vendorList(lists[0], chance) + vendorList(lists[1], chance);
  const restrictions = chance.yes(0.5) ? chance.int(1, 12) : 0;
  core += bits(restrictions, 12);
  const restricted = [];
  for (let n = 0; n < restrictions; n++) {
    const list = vendors(chance, Math.min(most, 2000)).slice(0, chance.int(1, 40));
    restricted.push(...list.slice(0, 2));
    core += bits(chance.int(1, 11), 6) + bits(chance.int(0, 2), 2) + ranges(list, chance);
  }
  const segments = [];
  if (chance.yes(0.7)) segments.push(bits(1, 3) + vendorList(lists[2], chance));
  if (chance.yes(0.2)) segments.push(bits(2, 3) + vendorList(vendors(chance, most), chance));
  if (chance.yes(0.4)) {
    const custom = chance.int(0, 5);
    segments.push(bits(3, 3) + purposes(chance) + purposes(chance) + bits(custom, 6) + bits(chance.int(0, 2 ** custom - 1), custom).repeat(2).slice(0, 2 * custom));
  }
  segments.sort(() => chance.next() - 0.5);
  const text = [core, ...segments].map(base64url).join(".");
  const known = [...lists.flatMap((list) => [chance.pick(list) ?? 1, list[list.length - 1] ?? 2]), ...restricted];
  const asked = [chance.pick(known), chance.pick(known) + 1, chance.int(1, most)].map((vendor) => Math.min(vendor, 65535));
  return { text, asked };
}

/** What the library does not tell: whether a range ends before it starts, and how many restrictions are announced. */
function walk(text) {
  const found = { backwards: false, restrictions: 0 };
  for (const segment of text.split(".")) {
    const all = [...segment].map((letter) => bits(Math.max(ALPHABET.indexOf(letter), 0), 6)).join("");
    let at = 0;
    const take = (width) => parseInt(all.slice(at, (at += width)).padEnd(width, "0") || "0", 2);
    const list = () => {
      const most = take(16);
      if (!take(1)) return (at += most);
      for (let left = take(12); left > 0; left--) {
        const isRange = take(1);
        const start = take(16);
        if (start === 0 || (isRange && take(16) < start)) found.backwards = true;
      }
    };
    if (segment[0] === "C") {
      at = 213;
      list();
      list();
      found.restrictions = take(12);
    } else if (take(3) === 1) list();
  }
  return found;
}

/** What the library reads of a string for each vendor. */
function read(core, text, asked) {
  const { TCString, TCModel, RestrictionType } = core;
  let model;
  try {
    model = TCString.decode(text, new TCModel());
  } catch (error) {
    // What we do not read may be wrong: lists of vendors allowed out of band, and what the publisher does itself.
    const needed = text.split(".").filter((segment, at) => at === 0 || !/^[Q-Xa-fYZ][A-Za-z0-9_-]*$/.test(segment)).join(".");
    if (needed !== text) return read(core, needed, asked);
    return { error: `${error.name}: ${error.message}` };
  }
  const mask = (vector) => [...vector.values()].reduce((mask, purpose) => mask + 2 ** (purpose - 1), 0);
  const disclosed = text.split(".").slice(1).some((segment) => "IJKLMNOP".includes(segment[0]));
  const of = (vendor) => {
    const kinds = [0, 0, 0];
    for (const restriction of model.publisherRestrictions.getRestrictions(vendor)) {
      const kind = { [RestrictionType.REQUIRE_CONSENT]: 1, [RestrictionType.REQUIRE_LI]: 2 }[restriction.restrictionType] ?? 0;
      if (restriction.purposeId_ <= 24) kinds[kind] |= 1 << (restriction.purposeId_ - 1);
    }
    return {
      consent: model.vendorConsents.has(vendor),
      interest: model.vendorLegitimateInterests.has(vendor),
      kinds,
      disclosed: disclosed ? model.vendorsDisclosed.has(vendor) : null,
    };
  };
  return {
    version: model.version,
    policy: model.policyVersion,
    specific: Boolean(model.isServiceSpecific),
    consents: mask(model.purposeConsents),
    interests: mask(model.purposeLegitimateInterests),
    purpose_one: Boolean(model.purposeOneTreatment),
    country: model.publisherCountryCode,
    vendors: asked.map(of),
    ...walk(text),
    // Where its decoder stood at the end: further than the string goes means that it made bits up.
    past_end: 213 + model.vendorConsents.bitLength + model.vendorLegitimateInterests.bitLength + model.publisherRestrictions.bitLength > text.split(".")[0].length * 6,
  };
}

/** Strings that the library wrote itself. */
function library(core, chance) {
  const { TCModel, SegmentEncoder, Segment } = core;
  const model = new TCModel();
  model.created = model.lastUpdated = new Date("2026-03-01T00:00:00Z");
  Object.assign(model, { cmpId: chance.int(2, 500), cmpVersion: 3, vendorListVersion: 90, policyVersion: chance.int(4, 5) });
  Object.assign(model, { isServiceSpecific: true, purposeOneTreatment: chance.yes(0.2), publisherCountryCode: chance.pick(["DE", "IT", "FR"]) });
  const most = chance.pick([50, 1000, 1600]);
  const lists = [model.vendorConsents, model.vendorLegitimateInterests, model.vendorsDisclosed];
  for (const list of lists) list.set(vendors(chance, most));
  for (const list of [model.purposeConsents, model.purposeLegitimateInterests]) {
    for (let purpose = 1; purpose <= 11; purpose++) if (chance.yes(0.7)) list.set(purpose);
  }
  const segments = [Segment.CORE, Segment.VENDORS_DISCLOSED].slice(0, chance.int(1, 2));
  const text = segments.map((segment) => SegmentEncoder.encode(model, segment)).join(".");
  return { text, asked: [chance.int(1, most), chance.int(1, most), chance.pick([1, ...lists[0].values()])] };
}

/** Every kind, one after the other. */
function* strings(core, chance, count) {
  for (let n = 0; n < count; n++) {
    const kind = n % 5;
    let { text, asked } = kind === 0 ? library(core, chance) : written(chance);
    const made = kind === 0 ? "library" : kind < 4 ? "written" : "damaged";
    if (made === "damaged") text = damaged(chance, text);
    yield { kind: "tcf", made, text, asked, core: read(core, text, asked) };
  }
}

module.exports = { strings, written, vendors };
