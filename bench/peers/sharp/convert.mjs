// Converts the files named on standard input, a line each, into the three variants of `coravet.core.media.pictures`,
// and answers each with a line of JSON. See README.md for how it is tuned.
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import sharp from "sharp";

// The first argument: name, longest side and effort of each variant, the largest first.
const [variants, parallel] = [JSON.parse(process.argv[2]), Number(process.argv[3])];
sharp.concurrency(1);
sharp.cache(false);

const fit = (longest) => ({ width: longest, height: longest, fit: "inside", withoutEnlargement: true });

async function convert(path) {
  const started = performance.now();
  let { data, info } = await sharp(path, { failOn: "error" })
    .rotate()
    .resize(fit(variants[0][1]))
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  const bytes = {};
  let card;
  for (const [name, longest, effort] of variants) {
    if (name !== "full")
      ({ data, info } = await sharp(data, { raw: info }).resize(fit(longest)).raw().toBuffer({ resolveWithObject: true }));
    const made = await sharp(data, { raw: info }).webp({ quality: 80, effort }).toBuffer();
    bytes[name] = made.length;
    if (name === "card") card = made;
  }
  const ms = performance.now() - started;
  writeFileSync(`${process.argv[4]}/card.webp`, card);
  process.stdout.write(JSON.stringify({ pid: process.pid, ms, bytes }) + "\n");
}

const waiting = [];
let ended = false;
let wake = () => {};
createInterface({ input: process.stdin }).on("line", (path) => { waiting.push(path); wake(); }).on("close", () => { ended = true; wake(); });

async function work() {
  for (;;) {
    const path = waiting.shift();
    if (path) await convert(path);
    else if (ended) return;
    else await new Promise((resolve) => { const before = wake; wake = () => { before(); resolve(); }; });
  }
}
await Promise.all(Array.from({ length: parallel }, work));
