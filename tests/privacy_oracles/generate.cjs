// Writes consent strings of every kind and what IAB's own libraries read of them: NDJSON on standard output. The first
// argument is the directory of the libraries. The same strings on every run.
"use strict";
const { Chance } = require("./random.cjs");
const tcf = require("./tcf.cjs");
const gpp = require("./gpp.cjs");
const fs = require("fs");
const path = require("path");

const modules = path.resolve(process.argv[2]);
const core = require(`${modules}/@iabtechlabtcf/core`);
const lines = [];
const all = [tcf.strings(core, new Chance(7), 5500), gpp.strings(modules, core, new Chance(11), 4500), gpp.usPrivacies(modules, new Chance(13), 600)];
for (const kind of all) for (const one of kind) lines.push(JSON.stringify(one));
// Standard output is a pipe: written synchronously, so that nothing is lost at the end.
for (let at = 0; at < lines.length; ) {
  const text = Buffer.from(lines.slice(at, (at += 200)).join("\n") + "\n");
  for (let from = 0; from < text.length; ) {
    try {
      from += fs.writeSync(1, text, from);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}
