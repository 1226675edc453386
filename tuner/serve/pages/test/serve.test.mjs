// The pages on the real `tune serve`, over studies that the real engine runs.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { kHostile } from '../mock/data.mjs';
import { checkPage, findChromium, kViews, launch, openTab, settle } from './browser.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../../..');
const program = process.env.TUNE_PROGRAM ?? join(root, 'build/release/bin/tune');
const run = promisify(execFile);

// Twelve steps towards a loss that depends on all parameters; every seventh value of x crashes.
const kTrainer = `lr=$1; x=$2; kind=$3; pause=$4
echo 'begun ${kHostile}'
[ $((x % 7)) -ne 0 ] || { echo 'no memory for ${kHostile}' >&2; exit 3; }
for step in 1 2 3 4 5 6 7 8 9 10 11 12; do
  awk -v step=$step -v lr="$lr" -v x="$x" 'BEGIN { printf "step %d loss=%.6f\\n", step, (log(lr / 0.01) ^ 2 + x / 20) * (0.2 + 1 / step) + 0.1; printf "other=%.3f\\n", 1 / step }'
  sleep $pause
done`;

function spec(name, trials, pause) {
  return {
    study: name,
    objective: { metric: 'loss', goal: 'minimize' },
    parameters: {
      lr: { type: 'float', min: 1e-5, max: 1, scale: 'log' },
      x: { type: 'int', min: 1, max: 40 },
      kind: { type: 'categorical', values: ['a', 'b, c', kHostile] },
      momentum: { type: 'float', min: 0.5, max: 0.999, scale: 'reverse_log', when: { kind: 'a' } },
    },
    command: ['sh', 'train.sh', '{{lr}}', '{{x}}', '{{kind}}', String(pause), '{{momentum}}'],
    metrics: [
      { name: 'loss', regex: 'loss=([0-9.]+)', step: 'step ([0-9]+)' },
      { name: 'other', regex: 'other=([0-9.]+)' },
    ],
    early_stopping: { rule: 'median' },
    strategy: { name: 'random', seed: 3 },
    limits: { trials, parallel: 2 },
    cost: { usd_per_hour: 3.06 },
  };
}

const isMissing =
  findChromium() === undefined
    ? 'no Chromium on this machine'
    : !existsSync(program) && 'no ' + program + ': build it, or name one in TUNE_PROGRAM';

describe('the pages on tune serve', { skip: isMissing }, () => {
  let folder, server, runner, browser, origin, url;
  const tune = async (...words) =>
    (await run(program, [...words, '--store', join(folder, 'store')], { cwd: folder })).stdout;
  const lineOf = (child) =>
    new Promise((done, fail) => {
      let text = '',
        errors = '';
      child.stderr.on('data', (part) => {
        errors += part;
      });
      child.stdout.on('data', (part) => {
        text += part;
        if (text.trimEnd().endsWith('}')) done(JSON.parse(text));
      });
      child.on('exit', (code) => fail(new Error('it ended with ' + code + ': ' + errors)));
    });
  const ended = (child) =>
    new Promise((done) => (child.exitCode !== null || child.signalCode !== null ? done() : child.on('exit', done)));

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tune-pages-'));
    await writeFile(join(folder, 'train.sh'), kTrainer);
    await writeFile(join(folder, 'done.json'), JSON.stringify(spec('done', 36, 0)));
    await writeFile(join(folder, 'live.json'), JSON.stringify(spec('live', 400, 0.6)));
    await tune('--spec', 'done.json');
    runner = spawn(program, ['--spec', 'live.json', '--store', join(folder, 'store')], {
      cwd: folder,
      stdio: 'ignore',
    });
    server = spawn(program, ['serve', '--addr', '127.0.0.1:0', '--json', '--store', join(folder, 'store')], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    ({ url, address: origin } = await lineOf(server));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    for (const child of [server, runner]) if (child !== undefined) (child.kill('SIGTERM'), await ended(child));
    await rm(folder, { recursive: true, force: true });
  });
  const withTab = async (view, work) => {
    const tab = await openTab(browser, origin, view);
    try {
      await work(tab, tab.page);
    } finally {
      await tab.page.close();
    }
  };

  test('without the address that is printed nobody sees anything, and it lets one browser in', () =>
    withTab(kViews[0], async (tab, page) => {
      const refused = await page.goto(origin + '/studies/done');
      assert.equal(refused.status(), 401);
      assert.equal(await page.$('.trials'), null);
      await page.goto(url, { waitUntil: 'load' });
      await page.waitForSelector('main h1');
      await page.waitForFunction(() => document.querySelector('main').textContent.includes('done'));
    }));

  test('the pages are those that are committed', () =>
    withTab(kViews[0], async (tab, page) => {
      await tab.open('/');
      const script = await page.$eval('script[src]', (element) => element.getAttribute('src'));
      assert.ok((await readdir(join(root, 'tuner/serve/assets'))).includes(script.split('/').pop()));
    }));

  for (const view of kViews)
    test('every page, ' + view.name, () =>
      withTab(view, async (tab, page) => {
        for (const path of [
          '/',
          '/studies/done',
          '/studies/live',
          '/studies/done/trials/1',
          '/studies/done/trials/7',
          '/models',
          '/endpoints',
        ]) {
          await tab.open(path);
          await checkPage(tab, path);
        }
        assert.ok(page.url().startsWith(origin));
      }),
    );

  test('what is shown is what the commands say', () =>
    withTab(kViews[0], async (tab, page) => {
      const status = JSON.parse(await tune('status', 'done', '--json')),
        study = status.study === 'done' ? status : status.studies[0];
      await tab.open('/studies/done?sort=value');
      assert.ok((await page.$eval('.tiles', (tiles) => tiles.textContent)).includes('trial ' + study.best.trial));
      assert.equal(await page.$eval('.trials tbody th', (cell) => Number(cell.textContent)), study.best.trial);
      const chips = await page.$$eval('.filter .chips:first-child .chip', (all) =>
        Object.fromEntries(
          all.map((chip) => [chip.textContent.trim().split(' ')[1], Number(chip.querySelector('.count').textContent)]),
        ),
      );
      for (const [state, count] of Object.entries(study.counts))
        if (count > 0 && state !== 'deleted') assert.equal(chips[state], count, state);
      const shown = JSON.parse(await tune('show', 'done/' + study.best.trial, '--json'));
      await tab.open('/studies/done/trials/' + study.best.trial);
      const cells = await page.$$eval('section table tbody tr', (rows) => rows.map((row) => row.textContent));
      assert.ok(
        cells.some((text) => text.startsWith('x' + shown.parameters.x)),
        cells.join('|'),
      );
      assert.match(await page.$eval('pre.log', (log) => log.textContent), /step 12 loss=/);
    }));

  test('a brush, a condition and a state leave what the server leaves, commas in a value included', () =>
    withTab(kViews[0], async (tab, page) => {
      for (const filter of ['lr>=0.001,lr<=0.1', 'kind=b\\, c', 'kind!=a', 'momentum>0.9', 'x<=20,value<5']) {
        await tab.open('/studies/done?limit=200&filter=' + encodeURIComponent(filter));
        const [listed, drawn] = await page.evaluate(() => [
          document.querySelectorAll('.trials tbody tr').length,
          Number(/of (\d+) trial/.exec(document.querySelector('.parallel').getAttribute('aria-label'))[1]),
        ]);
        assert.ok(listed > 0, filter);
        assert.equal(drawn, listed, filter);
      }
      assert.deepEqual(tab.complaints, []);
    }));

  test('a page of another name or of another server gets nothing out of it, and cannot ask it for anything', async () => {
    const port = new URL(origin).port;
    // A name that an attacker owns, and lets point here once the page is loaded.
    const rebound = await launch(['--host-resolver-rules=MAP evil.test 127.0.0.1']);
    try {
      const page = await rebound.newPage();
      for (const path of ['/', '/api/overview', '/login?once=x', '/assets/index.html']) {
        const answer = await page.goto('http://evil.test:' + port + path);
        assert.ok(answer.status() >= 400 && answer.status() < 500, path + ' ' + answer.status());
        assert.doesNotMatch(await answer.text(), /done|live/);
      }
    } finally {
      await rebound.close();
    }
    // A page of another server on this machine, in the browser that is signed in.
    const stranger = createServer((request, response) =>
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>x</title>'),
    );
    await new Promise((done) => stranger.listen(0, '127.0.0.1', done));
    const page = await browser.newPage();
    try {
      const limits = async () => {
        const status = JSON.parse(await tune('status', 'live', '--json'));
        return (status.study === 'live' ? status : status.studies[0]).limits.trials;
      };
      const before = await limits();
      await page.goto('http://127.0.0.1:' + stranger.address().port + '/');
      const got = await page.evaluate(async (there) => {
        const tries = [];
        for (const [method, type] of [
          ['GET', ''],
          ['POST', 'application/json'],
          ['POST', 'text/plain'],
          ['DELETE', ''],
          ['PUT', 'application/json'],
        ])
          for (const mode of ['cors', 'no-cors']) {
            if (mode === 'no-cors' && (method === 'DELETE' || method === 'PUT' || type === 'application/json'))
              continue;
            const path = method === 'GET' ? '/api/overview' : '/api/studies/live/requests';
            try {
              const answer = await fetch(there + path, {
                method,
                mode,
                credentials: 'include',
                headers: type ? { 'Content-Type': type } : {},
                body: method === 'POST' ? '{"command":"set","arguments":{"limits":{"trials":3}}}' : undefined,
              });
              tries.push(answer.type === 'opaque' ? 'opaque' : await answer.text());
            } catch {
              tries.push('refused');
            }
          }
        return tries;
      }, origin);
      assert.ok(
        got.every((one) => one === 'refused' || one === 'opaque'),
        got.join(),
      );
      assert.equal(await limits(), before);
    } finally {
      await page.close();
      stranger.close();
    }
  });

  test('a study that runs moves before the eyes, and obeys', () =>
    withTab(kViews[0], async (tab, page) => {
      await tab.open('/studies/live');
      const count = () =>
        page.$eval('.tiles > div:nth-child(2) dd', (cell) => Number(cell.textContent.replace(/\D/g, '')));
      const before = await count();
      await page.waitForFunction(
        (known) =>
          Number(document.querySelector('.tiles > div:nth-child(2) dd').textContent.replace(/\D/g, '')) > known,
        { timeout: 30_000 },
        before,
      );
      await page.waitForSelector('.device.busy a');
      const press = (text) =>
        page.evaluate(
          (wanted) =>
            [...document.querySelectorAll('button')].find((button) => button.textContent.startsWith(wanted)).click(),
          text,
        );
      await press('Limits');
      await page.waitForSelector('dialog[open]');
      await page.type('dialog .fields label:nth-child(1) input', '500');
      await page.click('dialog button[type=submit]');
      await page.waitForSelector('dialog .done');
      await page.keyboard.press('Escape');
      const status = JSON.parse(await tune('status', 'live', '--json'));
      assert.equal((status.study === 'live' ? status : status.studies[0]).limits.trials, 500);
      await press('Pause');
      await page.waitForSelector('dialog[open]');
      await page.click('dialog button[type=submit]');
      await page.waitForSelector('dialog .done');
      await page.keyboard.press('Escape');
      await page.waitForFunction(() =>
        [...document.querySelectorAll('button')].some((button) => button.textContent === 'Continue…'),
      );
      await press('Enqueue');
      await page.waitForSelector('dialog[open]');
      await page.type('dialog .fields label:nth-child(1) input', '5');
      await page.click('dialog button[type=submit]');
      await page.waitForSelector('dialog .broken'); // outside its range
      await page.keyboard.press('Escape');
      await settle(page);
      assert.equal(await page.evaluate(() => typeof window.pwned), 'undefined');
    }));

  test('the server’s end is said, and nothing that was shown is lost', () =>
    withTab(kViews[0], async (tab, page) => {
      await tab.open('/studies/done');
      server.kill('SIGTERM');
      await ended(server);
      await page.waitForSelector('.banner');
      assert.ok((await page.$$('.trials tbody tr')).length > 0);
    }));
});
