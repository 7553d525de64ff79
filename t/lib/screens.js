'use strict';
// Compares a page with its screenshot in t/screens, and asks axe what hinders people.
const fs = require('node:fs');
const path = require('node:path');
const { root } = require('./httpd.js');

const references = path.join(root, 't', 'screens');
const results = path.join(root, 'build', 'screenshots');

// Machines draw the same letters a little differently.
const MOST_DIFFERENT = 0.01;

// The same font on every machine, no cursor, and nothing that is random: codes, keys, and QR codes.
const steady = `(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('* { font-family: "DejaVu Sans" !important; caret-color: transparent !important } code, svg.qr, .reference { visibility: hidden }');
  document.adoptedStyleSheets = [sheet];
})()`;

// What axe finds, as one line each.
async function hindrances(page) {
  await page.evaluate(require('axe-core').source);
  const { violations } = await page.evaluate(`axe.run({ resultTypes: ['violations'] })`);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
}

function ratioOf(pixelmatch, PNG, before, after, file) {
  const [one, other] = [PNG.sync.read(before), PNG.sync.read(after)];
  if (one.width !== other.width || one.height !== other.height) return `${one.width}x${one.height} became ${other.width}x${other.height}`;
  const diff = new PNG({ width: one.width, height: one.height });
  const different = pixelmatch(one.data, other.data, diff.data, one.width, one.height, { threshold: 0.2 });
  const ratio = different / (one.width * one.height);
  if (ratio <= MOST_DIFFERENT) return undefined;
  fs.writeFileSync(file, PNG.sync.write(diff));
  return `${(100 * ratio).toFixed(1)} % differ, see ${file}`;
}

// A few colors are enough to tell a page, and make small files.
function reduced(PNG, shot) {
  const image = PNG.sync.read(shot);
  for (let i = 0; i < image.data.length; i += 1) image.data[i] = i % 4 === 3 ? 255 : (image.data[i] & 0xe0) | 0x10;
  return PNG.sync.write(image, { colorType: 2, deflateLevel: 9, deflateStrategy: 0 });
}

// A page without a reference, or with another look, leaves its screenshot in build/screenshots.
async function compareScreen(page, name) {
  await page.evaluate(steady);
  const shot = await page.screenshot({ fullPage: true, animations: 'disabled' });
  const reference = path.join(references, `${name}.png`);
  if (process.env.UPDATE_SCREENS) {
    fs.mkdirSync(references, { recursive: true });
    fs.writeFileSync(reference, reduced(require('pngjs').PNG, shot));
  }
  fs.mkdirSync(results, { recursive: true });
  const here = path.join(results, `${name}.png`);
  if (!fs.existsSync(reference)) {
    fs.writeFileSync(here, shot);
    return { isSame: false, why: `t/screens has none: look at ${here}, and copy it` };
  }
  const { default: pixelmatch } = await import('pixelmatch');
  const why = ratioOf(pixelmatch, require('pngjs').PNG, fs.readFileSync(reference), shot, path.join(results, `${name}-diff.png`));
  if (why) fs.writeFileSync(here, shot);
  return { isSame: !why, why: why && `${why}; the page now: ${here}` };
}

module.exports = { compareScreen, hindrances };
