'use strict';
// Chromium, and what can be asked of a page in it.
const fs = require('node:fs');
const path = require('node:path');
const { root } = require('./httpd.js');

const program = '/usr/bin/chromium';
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const screenshots = path.join(root, 'build', 'screenshots');

async function startBrowser(t, more = []) {
  if (!fs.existsSync(program) && !process.env.CI) t.skipAll(`${program} is not there: install chromium`);
  const { chromium } = require('playwright-core');
  const browser = await chromium.launch({ executablePath: program, headless: true, args: [...flags, ...more], timeout: 60_000 });
  t.cleanup(() => browser.close());
  fs.mkdirSync(screenshots, { recursive: true });
  return browser;
}

// A tab of a person's own. `complaints` are what a developer would see in red in the console on
// the site's pages, among them whatever the Content-Security-Policy stopped. That a page itself was
// answered with an error status is no complaint.
async function openTab(browser, site, options = {}) {
  return newTab(await browser.newContext(options), site);
}

async function newTab(context, site) {
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (message) => {
    const from = message.location().url || page.url();
    const ofPageItself = from === page.url() && /^Failed to load resource/.test(message.text());
    if (message.type() === 'error' && from.startsWith(`${site.url}/`) && !ofPageItself) page.complaints.push(message.text());
  });
  page.on('pageerror', (error) => page.complaints.push(error.message));
  return page;
}

const screenshot = (page, name) => page.screenshot({ path: path.join(screenshots, `${name}.png`) });

// WCAG 2's relative luminance and contrast, of the colours as the browser computed them. Runs in
// the page, so it must not refer to anything outside itself.
function inPage() {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const light = (c) => [c.r, c.g, c.b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (one, other) => {
    const [low, high] = [light(parse(one)), light(parse(other))].sort((x, y) => x - y);
    return Math.round(100 * (high + 0.05) / (low + 0.05)) / 100;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (parse(color).a === 1) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const name = (element) => element.id || element.tagName.toLowerCase();
  return { contrast, behind, name };
}

const within = (page, body) => page.evaluate(`(() => { const { contrast, behind, name } = (${inPage})(); return (${body})(); })()`);

// Every text's and field's contrast to what is behind it.
function contrasts(page) {
  return within(page, () => {
    const visible = [...document.querySelectorAll('body *')].filter((e) => e.getClientRects().length && e.type !== 'hidden');
    const written = visible.filter((e) => e.tagName === 'INPUT'
      || [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
    return written.map((e) => ({ what: name(e), ratio: contrast(getComputedStyle(e).color, behind(e)) }));
  });
}

// Every visible control in the page's order, and what a screen reader would call it.
function controls(page) {
  return within(page, () => [...document.querySelectorAll('input, button, a[href], select, textarea')]
    .filter((e) => e.type !== 'hidden')
    .map((e) => ({ id: name(e), label: (e.labels && e.labels.length ? e.labels[0] : e).textContent.trim() })));
}

// What Tab reaches, one after the other, and how the focus shows there.
async function tabOrder(page, most) {
  const reached = [];
  for (let i = 0; i < most; i += 1) {
    await page.keyboard.press('Tab');
    reached.push(await within(page, () => {
      const e = document.activeElement;
      const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(e);
      return { id: name(e), shows: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
        ratio: contrast(outlineColor, behind(e.parentElement)) };
    }));
  }
  return reached;
}

const overflows = (page) => page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');

module.exports = { startBrowser, openTab, newTab, screenshot, contrasts, controls, tabOrder, overflows };
