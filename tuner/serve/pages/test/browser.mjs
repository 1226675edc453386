// A Chromium for the tests, and what every page has to keep to.
import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';

// $TUNE_CHROMIUM, else one on the path; undefined where there is none.
export function findChromium() {
  if (process.env.TUNE_CHROMIUM) return process.env.TUNE_CHROMIUM;
  for (const folder of (process.env.PATH ?? '').split(':'))
    for (const name of ['chromium', 'chromium-browser', 'google-chrome'])
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not there.
      }
  return undefined;
}

export function launch(words = []) {
  return puppeteer.launch({ executablePath: findChromium(), args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-prefers-reduced-motion', ...words] });
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const kViews = [
  { name: 'light', width: 1280, height: 900, scheme: 'light' },
  { name: 'dark', width: 1280, height: 900, scheme: 'dark' },
  { name: 'phone', width: 390, height: 844, scheme: 'light' },
];

// A tab that writes down what the page complains of and what it asks for.
export async function openTab(browser, origin, view = kViews[0]) {
  const page = await browser.newPage(), tab = { page, complaints: [], foreign: [], requests: [], isCalm: true };
  page.setDefaultTimeout(15_000);
  page.on('console', (message) => { if (['error', 'warn', 'warning'].includes(message.type())) tab.complaints.push(message.text()); });
  page.on('pageerror', (error) => tab.complaints.push(String(error.stack ?? error)));
  page.on('request', (request) => {
    tab.requests.push(request.method() + ' ' + request.url());
    if (!request.url().startsWith(origin + '/') && !request.url().startsWith('blob:' + origin)) tab.foreign.push(request.url());
  });
  await page.setViewport({ width: view.width, height: view.height });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: view.scheme }]);
  tab.open = async (path, ready = 'main h1') => {
    await page.goto(origin + path, { waitUntil: 'load' });
    await page.waitForSelector(ready);
    await settle(page);
  };
  return tab;
}

// Until nothing is loading any more, and what comes with scrolling has come.
export async function settle(page) {
  await page.evaluate(async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    for (let at = 0; at < document.documentElement.scrollHeight; at += 600) {
      window.scrollTo(0, at);
      await frame();
    }
    window.scrollTo(0, 0);
    await frame();
  });
  await page.waitForFunction(() => document.querySelector('.loading') === null && !document.querySelector('main')?.textContent.includes('Loading'));
}

export async function checkPage(tab, what) {
  const { page } = tab;
  assert.deepEqual(tab.complaints, [], what + ': the console');
  assert.deepEqual(tab.foreign, [], what + ': requests that leave');
  assert.equal(await page.evaluate(() => typeof window.pwned), 'undefined', what + ': a text was run');
  assert.equal(await page.evaluate(() => document.querySelectorAll('main img, main script, main iframe').length), 0, what + ': a text became an element');
  const [width, room] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(width <= room, what + ': ' + width + ' pixels wide in ' + room);
  assert.equal(await page.evaluate(() => document.querySelectorAll('h1').length), 1, what + ': one heading');
  // Axe is put in by the debugger, which no policy of the page holds back.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }));
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(serious.map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html, failureSummary }) => html + ' ' + failureSummary)]), [], what + ': axe');
}
