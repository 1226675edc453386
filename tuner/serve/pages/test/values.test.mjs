// Numbers, filters, axes and columns, without a browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeStudy, pointsAnswer, trialLines } from '../mock/data.mjs';
import { source } from './sources.mjs';

const numbers = await source('numbers.ts');
const filter = await source('filter.ts');
const points = await source('points.ts');
const axis = await source('charts/axis.ts');
const fronts = await source('charts/front.ts');
const selection = await source('charts/selection.ts');

test('numbers are written as the terminal writes them', () => {
  for (const [value, text] of [
    [0, '0'],
    [0.4125, '0.4125'],
    [0.0001, '1e-04'],
    [0.001, '0.001'],
    [0.00025, '0.00025'],
    [1234567, '1.23457e+06'],
    [100000, '100000'],
    [1e6, '1e+06'],
    [-0.00012345678, '-0.000123457'],
    [1 / 3, '0.333333'],
    [2.5e-7, '2.5e-07'],
    [99999.96, '100000'],
    [99999.94, '99999.9'],
    [NaN, 'nan'],
    [-Infinity, '-inf'],
    [1e21, '1e+21'],
  ])
    assert.equal(numbers.numberText(value), text);
});

test('times and costs are written as the terminal writes them', () => {
  for (const [seconds, text] of [
    [0, '0s'],
    [0.85, '850ms'],
    [42, '42s'],
    [200, '3m 20s'],
    [3599.6, '1h 00m'],
    [7530, '2h 06m'],
    [100_000, '1d 4h'],
    [-3, '0s'],
  ])
    assert.equal(numbers.secondsText(seconds), text);
  assert.equal(numbers.hoursText(0.5), '30m 00s');
  assert.equal(numbers.hoursText(1.25), '1.25 h');
  assert.equal(numbers.usdText(0.0416), '$0.0416');
  assert.equal(numbers.usdText(36.66), '$36.66');
  assert.equal(numbers.usdText(null), '');
  assert.equal(numbers.valueText('NaN'), 'nan');
  assert.equal(numbers.valueText(728316012), '728316012');
  assert.equal(numbers.countText(50000), '50\u202f000');
});

test('the charts keep exactly the trials that the server lists under the same filter', () => {
  const study = makeStudy('s', { count: 500, seed: 4 }),
    columns = points.pointsOf(pointsAnswer(study, 0));
  for (const text of [
    'learning_rate<1e-3',
    'learning_rate>=1e-4,learning_rate<=1e-2',
    'optimizer=adam',
    'optimizer!=adam,optimizer!=sgd',
    'momentum>0.9',
    'value>0.5,batch_size<=20',
    'trial<10',
    'optimizer~adam',
    'nesterov=true',
    'nesterov!=true',
    'momentum!=3',
    'optimizer~ADAMW',
  ]) {
    const { mask, unknown } = filter.matching(columns, filter.conditionsOf(text));
    const listed = trialLines(study, new URLSearchParams({ filter: text, limit: '500' }));
    assert.equal(unknown.length, 0, text);
    assert.deepEqual(
      [...columns.number].filter((_, i) => mask[i] === 1),
      listed.rows.map(({ trial }) => trial),
      text,
    );
  }
  assert.deepEqual(
    filter.matching(columns, filter.conditionsOf('failure=oom')).unknown.map(({ name }) => name),
    ['failure'],
  );
});

test('conditions are read and written alike, and one column’s can be replaced', () => {
  const text = 'lr>=0.001,lr<=0.1,kind!=a b,name~x';
  const conditions = filter.conditionsOf(text);
  assert.equal(filter.filterText(conditions), text);
  assert.deepEqual(filter.rangeOf(conditions, 'lr'), { low: 0.001, high: 0.1 });
  assert.equal(filter.rangeOf(conditions, 'kind'), null);
  assert.deepEqual(filter.conditionsOf('kind=a\\, b, x == 3'), [
    { name: 'kind', comparison: '=', value: 'a, b' },
    { name: 'x', comparison: '=', value: '3' },
  ]);
  assert.equal(filter.filterText([{ name: 'kind', comparison: '=', value: 'a, \\b' }]), 'kind=a\\, \\\\b');
  assert.deepEqual(filter.labelsKept(filter.conditionsOf('n>8,n!=32'), 'n', ['8', '16', '32']), [false, true, false]);
  assert.equal(filter.filterText(filter.withColumn(conditions, 'lr', [])), 'kind!=a b,name~x');
});

test('columns grow by what has changed, also where a category is new', () => {
  const study = makeStudy('s', { count: 30, running: 2, seed: 6 }),
    whole = points.pointsOf(pointsAnswer(study, 0));
  const known = points.pointsOf(pointsAnswer({ ...study, trials: study.trials.slice(0, 25) }, 0)),
    later = points.pointsOf(pointsAnswer(study, 20));
  assert.deepEqual(points.joined(known, later), whole);
  const renamed = structuredClone(pointsAnswer(study, 20));
  const optimizer = renamed.parameters.find(({ name }) => name === 'optimizer');
  optimizer.labels = ['rmsprop', ...optimizer.labels];
  optimizer.values = optimizer.values.map((at) => (at === null ? null : at + 1));
  const joined = points.joined(known, points.pointsOf(renamed)).parameters.get('optimizer');
  assert.deepEqual(
    [...joined.values].map((at) => joined.labels[at]),
    [...whole.parameters.get('optimizer').values].map((at) => whole.parameters.get('optimizer').labels[at]),
  );
});

test('the best so far is of completed trials of the search alone', () => {
  const columns = points.pointsOf({
    count: 5,
    epoch: '2026-11-30T00:00:00.000Z',
    parameters: [],
    columns: {
      number: [1, 2, 3, 4, 5],
      state: 'csccf',
      value: [0.2, 0.9, 'NaN', 0.5, null],
      start: [0, 1, 2, 3, 4],
      end: [1, 2, 3, 4, 5],
      device_hours: [1, 1, 1, 1, 1],
      replicate_of: {},
    },
  });
  assert.deepEqual(
    points.improvements(columns, 'maximize').map((i) => columns.number[i]),
    [1, 4],
  );
  assert.deepEqual(
    points.improvements(columns, 'minimize').map((i) => columns.number[i]),
    [1],
  );
});

test('no completed trial beats one of the front in both', () => {
  const study = makeStudy('s', { count: 200, seed: 9, second: 'latency_ms' }),
    columns = points.pointsOf(pointsAnswer(study, 0));
  const chosen = selection.selectionOf(columns, [], new Set(), study.metric, 'maximize', 1);
  const front = fronts.frontOf(chosen, columns.value2, 'minimize', 'maximize');
  assert.ok(front.length > 1);
  const completed = [...columns.number.keys()].filter((i) => columns.state[i] === 'c');
  for (const i of front)
    assert.ok(!completed.some((k) => columns.value[k] > columns.value[i] && columns.value2[k] < columns.value2[i]));
  for (const k of completed)
    assert.ok(
      front.includes(k) ||
        front.some((i) => columns.value[i] >= columns.value[k] && columns.value2[i] <= columns.value2[k]),
    );
});

test('an axis shows all good values, and leaves out bad ones that would flatten the others', () => {
  const values = [...Array.from({ length: 20 }, (_, k) => 0.5 + k / 100), 90];
  const minimized = axis.valueAxis('loss', [...values.map((value) => value - 0.6)], true);
  assert.ok(minimized.max < 1);
  const maximized = axis.valueAxis('score', values, false);
  assert.ok(maximized.max >= 90);
  assert.equal(axis.valueAxis('loss', [0.001, 0.1, 5], true).scale, 'log');
});

test('ticks of every scale lie on the axis, in order, without repeating a text', () => {
  const day = Date.UTC(2026, 10, 30);
  for (const one of [
    { scale: 'linear', min: 0, max: 0.8 },
    { scale: 'log', min: 1e-5, max: 0.1 },
    { scale: 'log', min: 8, max: 64 },
    { scale: 'log', min: 3, max: 4 },
    { scale: 'reverse_log', min: 0.8, max: 0.999 },
    { scale: 'time', min: day, max: day + 5 * 86_400_000 },
    { scale: 'time', min: day, max: day + 40_000 },
    { scale: 'linear', min: 1e-9, max: 2e-9 },
  ]) {
    const ticks = axis.ticksOf({ title: '', ...one }, one.min, one.max, 600, 80);
    assert.ok(ticks.length >= 2, JSON.stringify(one));
    for (let k = 1; k < ticks.length; ++k)
      assert.ok(ticks[k].at > ticks[k - 1].at && ticks[k].text !== ticks[k - 1].text, JSON.stringify([one, ticks]));
    assert.ok(
      ticks[0].at >= one.min * (1 - 1e-9) && ticks.at(-1).at <= one.max * (1 + 1e-9),
      JSON.stringify([one, ticks]),
    );
  }
});

test('places on a line come back as the values that they stand for', () => {
  for (const [scale, value] of [
    ['log', 0.003],
    ['reverse_log', 0.97],
    ['linear', -4],
  ])
    assert.ok(Math.abs(axis.fromLine(scale, axis.onLine(scale, value)) - value) < 1e-12);
  assert.ok(Number.isNaN(axis.onLine('log', 0)) && Number.isNaN(axis.onLine('reverse_log', 1)));
});
