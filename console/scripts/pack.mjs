// After `vite build`: sweeps what older builds left in dist/, puts a gzip twin beside every file (the server embeds the
// twins alone), and fails when the first load is over its budget.
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** What a first visit may cost, in bytes after gzip: index.html and everything it loads at once. */
const BUDGET = 350 * 1024;

const dist = new URL("../dist", import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(dist, ".vite/manifest.json"), "utf8"));

/** Every file of a chunk, of what it imports at once, and of the chunks named in `also`. */
function filesOf(chunk, seen = new Set()) {
  if (seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const css of chunk.css ?? []) seen.add(css);
  for (const name of chunk.imports ?? []) filesOf(manifest[name], seen);
  return seen;
}

const built = new Set(["index.html", "favicon.svg"]);
for (const chunk of Object.values(manifest))
  for (const file of [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]) built.add(file);

for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (entry.isFile() && path !== join(dist, ".gitignore") && !built.has(path.slice(dist.length + 1))) rmSync(path);
}
for (const name of built)
  writeFileSync(join(dist, `${name}.gz`), gzipSync(readFileSync(join(dist, name)), { level: 9 }));

/** What the first page needs: the entry, its language, the home page. */
const first = new Set(["index.html"]);
for (const [name, chunk] of Object.entries(manifest)) {
  if (chunk.isEntry || name === "src/language/en.ts" || name === "src/pages/home/Home.tsx") filesOf(chunk, first);
}
const total = [...first].reduce((sum, file) => sum + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length, 0);
console.log(`first load: ${(total / 1024).toFixed(1)} KiB gzip in ${first.size} files (budget ${BUDGET / 1024} KiB)`);
if (total > BUDGET) {
  for (const file of first) console.log(`  ${gzipSync(readFileSync(join(dist, file))).length} ${file}`);
  process.exit(1);
}
