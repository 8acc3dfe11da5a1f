// Builds the front end into the Python package: one script, one style sheet, the licences of what is in them.
// A test compares the digest of the sources with the one in the script.
import { createHash } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const target = new URL("../src/tidings/analysis/viewer/static/", import.meta.url).pathname;

const sources = createHash("sha256");
for (const name of (await readdir("src")).sort()) sources.update(await readFile(`src/${name}`));
sources.update(await readFile("package-lock.json"));

const result = await build({
  entryPoints: [{ in: "src/main.ts", out: "viewer" }],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  legalComments: "none",
  banner: { js: `// sources ${sources.digest("hex")}` },
  metafile: true,
  outdir: target,
});

const packages = new Set();
for (const path of Object.keys(result.metafile.inputs)) {
  const found = path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (found) packages.add(found[1]);
}
const parts = ["The front end of `tidings view` contains these libraries.\n"];
for (const name of [...packages].sort()) {
  const about = JSON.parse(await readFile(`node_modules/${name}/package.json`, "utf8"));
  const text = await readFile(`node_modules/${name}/LICENSE`, "utf8");
  parts.push(`${"=".repeat(72)}\n${name} ${about.version} (${about.license})\n\n${text.trim()}\n`);
}
await writeFile(`${target}THIRD_PARTY.txt`, parts.join("\n"));
for (const [path, output] of Object.entries(result.metafile.outputs)) {
  console.log(`${path.split("/").pop()}  ${(output.bytes / 1024).toFixed(0)} KiB`);
}
