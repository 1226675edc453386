// How soon a study's page shows something, in a real browser: `node test/paint.mjs LOGIN_URL PATH [TIMES]` prints JSON, the medians in ms
// after the navigation began. For the benchmark.
import { findChromium, launch } from './browser.mjs';

const [login, path, times = '5'] = process.argv.slice(2);
if (path === undefined || findChromium() === undefined) {
  console.error(path === undefined ? 'usage: node test/paint.mjs LOGIN_URL PATH [TIMES]' : 'no Chromium on this machine');
  process.exit(77);
}
const browser = await launch();
const page = await browser.newPage();
await page.setViewport({ width: 1280, height: 900 });
await page.goto(login, { waitUntil: 'load' });
await page.evaluateOnNewDocument(() => {
  window.seen = {};
  const look = () => {
    for (const [name, selector] of [['head', '.tiles'], ['table', '.trials tbody tr'], ['history', '.plot canvas'], ['parallel', '.parallel canvas']])
      if (window.seen[name] === undefined && document.querySelector(selector)) window.seen[name] = performance.now();
    requestAnimationFrame(look);
  };
  look();
});
const runs = [];
for (let k = 0; k < Number(times); ++k) {
  await page.goto(new URL(path, login).href, { waitUntil: 'load' });
  await page.waitForFunction(() => ['head', 'table', 'history'].every((name) => window.seen[name] !== undefined), { timeout: 120_000 });
  runs.push(await page.evaluate(() => ({ first_paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null, ...window.seen })));
}
await browser.close();
const median = (values) => Math.round([...values].sort((a, b) => a - b)[values.length >> 1]);
console.log(JSON.stringify({ schema: 1, runs: runs.length, first_paint_ms: median(runs.map((run) => run.first_paint)), head_ms: median(runs.map(({ head }) => head)), table_ms: median(runs.map(({ table }) => table)), history_ms: median(runs.map(({ history }) => history)) }));
