// Every page in a real browser, over invented studies: what it shows, by light and by dark, on a phone and without a mouse.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { kHostile } from '../mock/data.mjs';
import { startMock } from '../mock/server.mjs';
import { checkPage, findChromium, kViews, launch, openTab, settle } from './browser.mjs';

const hostile = encodeURIComponent('h' + kHostile);
const kPages = [
  ['studies', '/'],
  ['a study that runs', '/studies/steel-legacy'],
  ['a study of two objectives', '/studies/two-goals'],
  ['a study that has just begun', '/studies/just-begun'],
  ['a hostile study', '/studies/' + hostile],
  ['a trial', '/studies/steel-legacy/trials/12'],
  ['a hostile trial', '/studies/' + hostile + '/trials/40'],
  ['a comparison', '/comparisons/steel-compare'],
  ['models', '/models'],
  ['a model', '/models/steel-detector'],
  ['endpoints', '/endpoints'],
  ['an endpoint for images', '/endpoints/steel-detector'],
  ['an endpoint for texts', '/endpoints/opinions'],
  ['an endpoint for prompts', '/endpoints/smol'],
  ['an endpoint that is down', '/endpoints/night'],
  ['what is not there', '/studies/none'],
  ['no such page', '/nowhere/at/all'],
];

// How many pixels of each canvas differ from its most frequent colour.
function drawnPixels(page) {
  return page.$$eval('canvas:not(.overlay)', (all) =>
    all.map((canvas) => {
      const pixels = new Uint32Array(
          canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer,
        ),
        counts = new Map();
      for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
      return pixels.length - Math.max(...counts.values());
    }),
  );
}

describe(
  'pages',
  {
    skip:
      findChromium() === undefined &&
      'no Chromium on this machine: install the package chromium, or name one in TUNE_CHROMIUM',
  },
  () => {
    let mock, browser;
    before(async () => {
      mock = await startMock({ big: 5000 });
      browser = await launch();
    });
    after(async () => {
      await browser?.close();
      await mock?.close();
    });
    const withTab = async (view, work) => {
      const tab = await openTab(browser, mock.url, view);
      try {
        await work(tab, tab.page);
      } finally {
        await tab.page.close();
      }
    };

    for (const view of kViews)
      for (const [name, path] of kPages)
        test(name + ', ' + view.name + ': no complaint, no request outside, nothing that axe finds serious', () =>
          withTab(view, async (tab, page) => {
            await tab.open(path);
            // What is not there is a 404, which the browser writes to the console.
            if (path === '/studies/none') {
              assert.ok(
                (await page.$eval('.broken', (element) => element.textContent)).includes('there is no study none'),
              );
              assert.equal(await page.$eval('main .page > p > a', (link) => link.textContent), 'All studies');
              await page.waitForSelector('.contact.live'); // the server is there
              tab.complaints = tab.complaints.filter((text) => !text.includes('404'));
            }
            for (const summary of await page.$$('main details > summary'))
              if (await summary.evaluate((element) => !element.parentElement.classList.contains('chooser')))
                await summary.evaluate((element) => {
                  element.parentElement.open = true;
                });
            await checkPage(tab, name);
            const [text, ground] = await page.evaluate(() =>
              [getComputedStyle(document.body).color, getComputedStyle(document.documentElement).backgroundColor].map(
                (color) => Math.max(...color.match(/\d+/g).slice(0, 3).map(Number)),
              ),
            );
            assert.equal(text > ground, view.scheme === 'dark');
          }),
        );

    test('an empty store says how to begin', async () => {
      const empty = await startMock({ isEmpty: true });
      const tab = await openTab(browser, empty.url);
      for (const path of ['/', '/models', '/endpoints']) {
        await tab.open(path, '.empty');
        await checkPage(tab, path);
        assert.match(await tab.page.$eval('.empty', (element) => element.textContent), /tune /);
      }
      await tab.page.close();
      await empty.close();
    });

    test('the canvases are drawn on, in both colour schemes, and anew when the scheme changes', () =>
      withTab(kViews[0], async (tab, page) => {
        await tab.open('/studies/steel-legacy');
        const counts = await drawnPixels(page);
        // History, parallel coordinates, curves, cost, a slice for each of six parameters, timeline.
        assert.equal(counts.length, 11);
        for (const count of counts) assert.ok(count > 300, counts.join());
        const picture = () => page.$eval('.plot canvas', (canvas) => canvas.toDataURL());
        const light = await picture();
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
        await settle(page);
        assert.notEqual(await picture(), light);
        await page.select('.theme select', 'light');
        await settle(page);
        assert.equal(
          await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor),
          'rgb(255, 255, 255)',
        );
      }));

    test('each chart is also a table', () =>
      withTab(kViews[0], async (tab, page) => {
        await tab.open('/studies/steel-legacy');
        const buttons = await page.$$('figcaption button.soft[aria-pressed]');
        const labels = [];
        for (const button of buttons) {
          const label = await button.evaluate((element) => element.textContent);
          if (!label.startsWith('Show as table')) continue;
          labels.push(label);
          await button.evaluate((element) => element.click());
        }
        assert.equal(labels.length, new Set(labels).size);
        await settle(page);
        const rows = await page.$$eval('figure', (figures) =>
          figures.map((figure) => figure.querySelectorAll('tbody tr').length),
        );
        for (const count of rows) assert.ok(count > 0, rows.join());
        await checkPage(tab, 'tables of charts');
        for (const button of buttons)
          if (await button.evaluate((element) => element.getAttribute('aria-pressed') === 'true'))
            await button.evaluate((element) => element.click());
        await settle(page);
        for (const count of await drawnPixels(page)) assert.ok(count > 300); // charts again
        assert.deepEqual(tab.complaints, []);
      }));

    test('the table sorts, filters and pages on the server, and all of it is in the address', () =>
      withTab(kViews[0], async (tab, page) => {
        await tab.open('/studies/big');
        const numbers = () => page.$$eval('.trials tbody th', (cells) => cells.map((cell) => Number(cell.textContent)));
        const until = (test, ...values) => page.waitForFunction(test, {}, ...values);
        assert.deepEqual(
          await numbers(),
          Array.from({ length: 25 }, (_, k) => k + 1),
        );
        await page.click('.trials thead th:nth-child(4) button');
        await until(
          () =>
            document.querySelector('.trials th[aria-sort=descending]') &&
            !document.querySelector('.trials.stale') &&
            document.querySelector('.trials tbody tr.best'),
        );
        assert.match(page.url(), /sort=value/);
        const values = await page.$$eval('.trials tbody td:nth-child(4)', (cells) =>
          cells.map((cell) => Number(cell.textContent)),
        );
        assert.deepEqual(
          values,
          [...values].sort((a, b) => b - a),
        );
        await page.type('.filter input', 'learning_rate<1e-3, optimizer=adam');
        await page.keyboard.press('Enter');
        await until(() => /of 5.000 trials/.test(document.querySelector('#filter-said').textContent));
        assert.match(decodeURIComponent(page.url()), /filter=learning_rate<1e-3,optimizer=adam/);
        await page.evaluate(() =>
          [...document.querySelectorAll('.chip')].find((chip) => chip.textContent.includes('failed')).click(),
        );
        await until(
          () =>
            [...document.querySelectorAll('.trials tbody .state')].every((state) =>
              state.textContent.includes('failed'),
            ) && document.querySelector('.trials tbody tr'),
        );
        await page.click('.filter .conditions .link');
        await until(() => document.querySelector('.pager').textContent.includes('of 5'));
        await page.type('.pager input', '7');
        await page.keyboard.press('Enter');
        await until(() => /151/.test(document.querySelector('.pager').textContent));
        const shown = await numbers(),
          address = page.url();
        await tab.open(address.slice(mock.url.length));
        assert.deepEqual(await numbers(), shown); // a link shows the same
        await page.goBack();
        assert.notEqual(page.url(), address);
        await tab.open('/studies/big?filter=nonsense');
        assert.match(await page.$eval('#filter-said', (element) => element.textContent), /cannot read the condition/);
        tab.complaints = tab.complaints.filter((text) => !text.includes('400'));
        await checkPage(tab, 'a bad filter');
      }));

    test('a brush in parallel coordinates keeps its trials in the table and in the curves', () =>
      withTab(kViews[0], async (tab, page) => {
        await tab.open('/studies/steel-legacy');
        const rail = await page.$('.rail .catch');
        await rail.scrollIntoView();
        const box = await rail.boundingBox();
        await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.25);
        await page.mouse.down();
        await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.6, { steps: 5 });
        await page.mouse.up();
        await page.waitForFunction(() => document.querySelectorAll('.conditions .chip').length === 2);
        const [low, high] = await page.evaluate(() =>
          ['>=', '<='].map((sign) =>
            Number(
              new URLSearchParams(location.search)
                .get('filter')
                .split(',')
                .find((one) => one.includes(sign))
                .split(sign)[1],
            ),
          ),
        );
        assert.ok(low > 1e-5 && high < 0.1 && low < high);
        await page.waitForFunction(() => document.querySelector('#filter-said').textContent.includes('of 64 trials'));
        await settle(page);
        const rates = await page.$$eval('.trials tbody td:nth-child(5)', (cells) =>
          cells.map((cell) => Number(cell.textContent)),
        );
        assert.ok(
          rates.length > 0 && rates.length < 64 && rates.every((rate) => rate >= low * 0.999 && rate <= high * 1.001),
          rates.join(),
        );
        const asked = tab.requests.filter((request) => request.includes('/curves?')).at(-1),
          listed = await page.$$eval('.trials tbody th', (cells) => cells.map((cell) => cell.textContent));
        assert.deepEqual(new URL(asked.split(' ')[1]).searchParams.get('trials').split(','), listed.slice(0, 20));
        assert.match(
          await page.$eval('.parallel', (element) => element.getAttribute('aria-label')),
          new RegExp(
            'of ' + (await page.$eval('#filter-said', (element) => element.textContent.split(' of ')[0])) + ' trial',
          ),
        );
        await page.click('.conditions .link');
        await page.waitForFunction(() => document.querySelector('.conditions') === null);
        assert.deepEqual(tab.complaints, []);
      }));

    test('a trial that ends shows at once, without asking for everything again', () =>
      withTab(kViews[0], async (tab, page) => {
        await tab.open('/studies/steel-legacy');
        const trials = mock.studies.get('steel-legacy').trials.length;
        tab.requests.length = 0;
        mock.advance('steel-legacy');
        await page.waitForFunction(
          (count) => [...document.querySelectorAll('.tiles dd')].some((tile) => tile.textContent === String(count)),
          {},
          trials + 1,
        );
        await page.waitForFunction(
          (count) => document.querySelector('.pager > span').textContent.endsWith('of ' + count),
          {},
          trials + 1,
        );
        await page.waitForFunction(() =>
          performance.getEntriesByType('resource').some(({ name }) => /points\?after=\d+/.test(name)),
        );
        assert.deepEqual(
          tab.requests.filter((request) => /\/points$/.test(request)),
          [],
        );
        assert.deepEqual(tab.complaints, []);
      }));

    test('a tab that nobody looks at holds no stream, and shows what it missed when it comes back', () =>
      withTab(kViews[0], async (tab, page) => {
        const untilStreams = async (count) => {
          for (let i = 0; i < 200 && mock.streamCount !== count; ++i) await new Promise((done) => setTimeout(done, 20));
          assert.equal(mock.streamCount, count);
        };
        await untilStreams(0); // those of earlier tabs have ended
        await tab.open('/studies/steel-legacy');
        await untilStreams(1);
        const hide = (isHidden) =>
          page.evaluate((value) => {
            Object.defineProperty(document, 'hidden', { value, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
          }, isHidden);
        await hide(true);
        await untilStreams(0);
        mock.advance('steel-legacy');
        const trials = mock.studies.get('steel-legacy').trials.length;
        await hide(false);
        await page.waitForFunction(
          (count) => document.querySelector('.pager > span').textContent.endsWith('of ' + count),
          {},
          trials,
        );
        await untilStreams(1);
        assert.equal(tab.requests.filter((request) => request.includes('/api/events')).length, 2);
      }));

    test('a server that is gone is said, what was shown stays, and its return is noticed', () =>
      withTab(kViews[0], async (tab, page) => {
        await tab.open('/studies/steel-legacy');
        mock.isDown = true;
        mock.dropStreams();
        await page.waitForSelector('.banner');
        assert.match(
          await page.$eval('.banner', (element) => element.textContent),
          /Disconnected.*as of \d\d:\d\d:\d\d/,
        );
        assert.ok((await page.$$('.trials tbody tr')).length > 0);
        mock.isDown = false;
        await page.click('.banner button');
        await page.waitForFunction(
          () => document.querySelector('.banner') === null && document.querySelector('.contact.live'),
        );
      }));

    test('what is asked of a study goes to its orchestrator, and what it answers is shown', () =>
      withTab(kViews[0], async (tab, page) => {
        await tab.open('/studies/steel-legacy');
        const press = (text) =>
          page.evaluate(
            (wanted) =>
              [...document.querySelectorAll('button')].find((button) => button.textContent.startsWith(wanted)).click(),
            text,
          );
        const asked = () => mock.requests.at(-1);
        const answered = async () => {
          await page.waitForSelector('dialog .done');
          await page.keyboard.press('Escape');
          await page.waitForFunction(() => document.querySelector('dialog') === null);
        };
        await press('Pause');
        await page.waitForSelector('dialog[open]');
        assert.match(await page.$eval('dialog code', (element) => element.textContent), /^tune pause steel-legacy$/);
        await page.click('dialog button[type=submit]');
        await answered();
        assert.deepEqual(asked().asked, { command: 'pause', arguments: {} });
        await page.waitForFunction(() =>
          [...document.querySelectorAll('button')].some((button) => button.textContent === 'Continue…'),
        );
        await press('Continue');
        await page.click('dialog button[type=submit]');
        await answered();
        await press('Limits');
        await page.waitForSelector('dialog[open]');
        await page.type('dialog .fields label:nth-child(1) input', '200');
        await page.type('dialog .fields label:nth-child(3) input', '3h');
        assert.equal(
          await page.$eval('dialog .command code', (element) => element.textContent),
          'tune set steel-legacy --trials 200 --time 3h',
        );
        await page.click('dialog button[type=submit]');
        await answered();
        assert.deepEqual(asked().asked, { command: 'set', arguments: { limits: { trials: 200, time: '3h' } } });
        await press('Enqueue');
        await page.waitForSelector('dialog[open]');
        await page.type('dialog .fields label:nth-child(1) input', '7');
        await page.select('dialog .fields label:nth-child(2) select', 'adam');
        await page.click('dialog button[type=submit]');
        await page.waitForSelector('dialog .broken'); // the server refuses
        assert.match(
          await page.$eval('dialog .broken', (element) => element.textContent),
          /learning_rate must be between/,
        );
        await page.$eval('dialog .fields label:nth-child(1) input', (input) => {
          input.value = '';
          input.dispatchEvent(new Event('input', { bubbles: true }));
        });
        await page.type('dialog .fields label:nth-child(1) input', '0.01');
        await page.click('dialog button[type=submit]');
        await answered();
        assert.deepEqual(asked().asked, {
          command: 'enqueue',
          arguments: { parameters: { learning_rate: 0.01, optimizer: 'adam' } },
        });
        await press('Stop');
        await page.waitForSelector('dialog[open]');
        const count = mock.requests.length;
        await page.keyboard.press('Escape'); // a way out that asks for nothing
        await page.waitForFunction(() => document.querySelector('dialog') === null);
        assert.equal(mock.requests.length, count);
      }));

    test('a promotion is asked for with the version that was seen, and a refusal is shown', () =>
      withTab(kViews[0], async (tab, page) => {
        await tab.open('/models/steel-detector');
        await page.$$eval('main table button', (buttons) => buttons[0].click());
        await page.waitForSelector('dialog[open]');
        await page.click('dialog button[type=submit]');
        await page.waitForSelector('dialog .done');
        assert.deepEqual(mock.requests.at(-1), {
          path: '/api/models/steel-detector/aliases',
          asked: { alias: 'production', version: 3, expected: 2 },
        });
        await page.keyboard.press('Escape');
        await page.waitForFunction(() => document.querySelector('dialog') === null);
        await page.$$eval('main table button', (buttons) => buttons[2].click());
        await page.waitForSelector('dialog[open]');
        await page.$eval('dialog input', (input) => {
          input.value = 'moved';
          input.dispatchEvent(new Event('input', { bubbles: true }));
        });
        await page.click('dialog button[type=submit]');
        await page.waitForSelector('dialog .broken');
        assert.match(await page.$eval('dialog .broken', (element) => element.textContent), /is version 1 now/);
        assert.deepEqual(
          tab.complaints.filter((text) => !text.includes('409')),
          [],
        );
      }));

    test('the log shows its end, and goes on as the trial writes', () =>
      withTab(kViews[0], async (tab, page) => {
        const trial = mock.studies.get('steel-legacy').trials.find(({ state }) => state === 'running');
        await tab.open('/studies/steel-legacy/trials/' + trial.number);
        await page.waitForFunction(() => document.querySelector('pre.log').textContent.includes('epoch'));
        const isAtEnd = () => page.$eval('pre.log', (log) => log.scrollTop + log.clientHeight >= log.scrollHeight - 2);
        assert.ok(await isAtEnd());
        trial.steps += 1;
        await page.waitForFunction(
          (step) => document.querySelector('pre.log').textContent.includes('[epoch ' + step + ']'),
          {},
          trial.steps,
        );
        assert.ok(await isAtEnd());
        const text = await page.$eval('pre.log', (log) => log.textContent);
        assert.equal(text.split('[epoch 1] batch 0/').length, 2); // nothing twice
        assert.ok(text.includes('validation mAP <score>=('));
      }));

    test('an image that is dropped comes back with its boxes, in two versions beside each other', () =>
      withTab(kViews[0], async (tab, page) => {
        await tab.open('/endpoints/steel-detector', '.drop');
        await page.evaluate(async () => {
          const canvas = new OffscreenCanvas(200, 200),
            context = canvas.getContext('2d');
          context.fillStyle = '#888';
          context.fillRect(0, 0, 200, 200);
          const transfer = new DataTransfer();
          transfer.items.add(
            new File([await canvas.convertToBlob({ type: 'image/jpeg' })], 'plate.jpg', { type: 'image/jpeg' }),
          );
          document
            .querySelector('.drop')
            .dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
        });
        await page.waitForFunction(() => document.querySelector('.try').textContent.includes('2 of 3 boxes'));
        const colors = () =>
          page.$eval(
            'canvas.picture',
            (canvas) => new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, 200, 200).data.buffer)).size,
          );
        await page.waitForFunction(() => document.querySelector('canvas.picture')?.width === 200);
        assert.ok((await colors()) > 20);
        assert.match(
          await page.$eval('canvas.picture', (canvas) => canvas.getAttribute('aria-label')),
          /scratches.* 0\.93, inclusion 0\.61/,
        );
        await page.$eval('.range input', (input) => {
          input.value = '0.05';
          input.dispatchEvent(new Event('input', { bubbles: true }));
        });
        await page.waitForFunction(() => document.querySelectorAll('.try tbody tr').length === 3);
        await page.evaluate(() =>
          [...document.querySelectorAll('button')].find((button) => button.textContent === 'Two side by side').click(),
        );
        await page.waitForFunction(() => document.querySelectorAll('.try canvas.picture').length === 2);
        assert.match(
          await page.$eval('.try:nth-child(2) [role=status]', (said) => said.textContent),
          /steel-detector@2/,
        ); // another endpoint of the same model
        await settle(page);
        await checkPage(tab, 'boxes');
      }));

    test('a text comes back with its classes', () =>
      withTab(kViews[0], async (tab, page) => {
        await tab.open('/endpoints/opinions', 'textarea');
        await page.type('textarea', 'a fine film');
        await page.keyboard.down('Control');
        await page.keyboard.press('Enter');
        await page.keyboard.up('Control');
        await page.waitForSelector('.try .bars');
        assert.match(await page.$eval('.try .bars li', (element) => element.textContent), /^positive83\.0 %$/);
        await checkPage(tab, 'classes');
      }));

    test('a prompt is answered as it is written, by two adapters beside each other, with time and tokens', () =>
      withTab(kViews[0], async (tab, page) => {
        await tab.open('/endpoints/smol', 'textarea');
        await page.evaluate(() =>
          [...document.querySelectorAll('button')].find((button) => button.textContent === 'Two side by side').click(),
        );
        await page.waitForFunction(() => document.querySelectorAll('.try').length === 2);
        await page.waitForFunction(() => document.querySelectorAll('.try:nth-child(2) select').length === 2);
        assert.deepEqual(
          await page.$$eval('.try', (panels) => panels.map((panel) => panel.querySelectorAll('select')[1].value)),
          ['smol', 'smol:pirate'],
        );
        await page.type('textarea', 'What is steel?');
        await page.click('button.primary');
        await page.waitForFunction(() =>
          [...document.querySelectorAll('pre.answer')].some((answer) =>
            answer.textContent.includes('Answer of smol:pirate'),
          ),
        );
        await page.waitForFunction(() =>
          [...document.querySelectorAll('.try')].every((panel) =>
            /\d+ tokens in .* tokens a second · ended by stop/.test(panel.textContent),
          ),
        );
        assert.match(
          await page.$eval('.try pre.answer', (answer) => answer.textContent),
          /^Answer of smol at 0\.7: steel/,
        );
        await checkPage(tab, 'answers');
      }));

    test('without a mouse: every page by the Tab key, with a focus that is seen', () =>
      withTab(kViews[0], async (tab, page) => {
        for (const [name, path] of kPages) {
          await tab.open(path);
          await page.evaluate(() => document.activeElement?.blur());
          const seen = new Set();
          let unseen = 0;
          for (let k = 0; k < 150; ++k) {
            await page.keyboard.press('Tab');
            const at = await page.evaluate(() => {
              const element = document.activeElement;
              if (element === null || element === document.body) return null;
              element.dataset.visited = element.dataset.visited ?? String(Math.random());
              const style = getComputedStyle(element),
                host = getComputedStyle(element.closest('.drop') ?? element);
              return {
                id: element.dataset.visited,
                isSeen: style.outlineStyle !== 'none' || host.outlineStyle !== 'none',
                html: element.outerHTML.slice(0, 120),
              };
            });
            if (at === null || seen.has(at.id)) break;
            seen.add(at.id);
            if (!at.isSeen) {
              unseen += 1;
              assert.fail(name + ': no ring around ' + at.html);
            }
          }
          assert.ok(seen.size >= 5, name + ': ' + seen.size + ' stops');
          assert.equal(unseen, 0);
        }
      }));

    test('without a mouse: to the content, a sort, a brush, a dialog and back', () =>
      withTab(kViews[0], async (tab, page) => {
        await tab.open('/studies/steel-legacy');
        await page.evaluate(() => document.activeElement?.blur());
        await page.keyboard.press('Tab');
        assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
        await page.keyboard.press('Enter');
        assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
        await page.focus('.trials thead th:nth-child(4) button');
        await page.keyboard.press('Enter');
        await page.waitForFunction(() => document.querySelector('.trials th[aria-sort=descending]'));
        await page.$eval('.rail .handle', (handle) => handle.focus());
        for (let k = 0; k < 4; ++k) await page.keyboard.press('ArrowUp');
        await page.waitForFunction(() =>
          document.querySelector('.conditions .chip')?.textContent.startsWith('learning_rate>='),
        );
        assert.equal(await page.evaluate(() => document.activeElement.getAttribute('role')), 'slider');
        assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-valuenow')), '20');
        await page.keyboard.press('Escape');
        await page.waitForFunction(() => document.querySelector('.conditions') === null);
        await page.$eval('.rail .grip', (grip) => grip.focus());
        await page.keyboard.press('ArrowRight');
        await page.waitForFunction(() =>
          new URLSearchParams(location.search).get('axes')?.startsWith('optimizer,learning_rate'),
        );
        const opener = await page.evaluateHandle(() =>
          [...document.querySelectorAll('button')].find((button) => button.textContent === 'Limits…'),
        );
        await opener.focus();
        await page.keyboard.press('Enter');
        await page.waitForSelector('dialog[open]');
        assert.ok(await page.evaluate(() => document.querySelector('dialog').contains(document.activeElement)));
        await page.keyboard.press('Escape');
        await page.waitForFunction(() => document.querySelector('dialog') === null);
        assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Limits…');
      }));
  },
);
