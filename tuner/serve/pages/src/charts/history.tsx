// What each trial came to, in the order of trials, of time or of device time spent, and the best so far.
import { useMemo } from 'preact/hooks';
import { numberText, dateText, plural } from '../numbers.ts';
import { improvements, type PointParameter } from '../points.ts';
import { Choice, Figure } from '../parts/figure.tsx';
import { roundEnds, timeAxis, valueAxis, isShown, type Axis } from './axis.ts';
import type { Chart, Series } from './chart.ts';
import { describeTrial, objectiveAxis, pointSeries, shownValues, type Selection } from './selection.ts';
import { Plot } from './plot.tsx';

export type HistoryX = 'trial' | 'time' | 'hours';

interface Props {
  readonly selection: Selection;
  readonly parameters: readonly PointParameter[];
  readonly x: HistoryX;
  readonly isLog: boolean | undefined;
  readonly onX: (x: HistoryX) => void;
  readonly onLog: (isLog: boolean) => void;
  readonly onPick: (trial: number) => void;
  readonly height: number;
}

export function History({ selection, parameters, x, isLog, onX, onLog, onPick, height }: Props) {
  const { points, metric, goal } = selection;
  const made = useMemo(() => chartOf(selection, x, isLog), [selection, x, isLog]);
  const label = metric + ' of ' + plural(selection.count, 'trial') + '; the best so far after ' + plural(made.steps, 'improvement') + '.';
  return (
    <Figure title={metric + ' by ' + { trial: 'trial', time: 'time', hours: 'device hours spent' }[x]}
      note={made.beyond > 0 ? plural(made.beyond, 'trial') + ' beyond the axis left out.' : undefined}
      legend={made.chart.series.map(({ role }) => role)}
      controls={<>
        <Choice label="Horizontal axis of the history" options={[['trial', 'Trial'], ['time', 'Time'], ['hours', 'Device time']]} value={x} onChoose={onX} />
        <button type="button" class="soft" aria-pressed={made.chart.y.scale === 'log'} onClick={() => onLog(made.chart.y.scale !== 'log')}>Log</button>
      </>}
      table={() => ({
        columns: [{ title: 'trial', isNumber: true }, { title: 'best ' + metric + ' so far', isNumber: true }, { title: 'ended' }],
        rows: improvements(points, goal).reverse().map((i) => [points.number[i], numberText(points.value[i]!), dateText(points.end[i]!)]),
      })}>
      <Plot label={label} chart={made.chart} height={height} onPick={onPick}
        describe={(trial) => describeTrial(selection, trial, parameters)} />
    </Figure>
  );
}

// Device hours spent by all trials that had ended when each one did.
function spentHours(selection: Selection): { spent: Float64Array; order: number[] } {
  const { points } = selection;
  const order = [...points.number.keys()].sort((a, b) => (points.end[a] || Infinity) - (points.end[b] || Infinity) || a - b);
  const spent = new Float64Array(points.count).fill(NaN);
  let sum = 0;
  for (const i of order) {
    if (!Number.isFinite(points.end[i]!)) continue;
    sum += points.hours[i]! || 0;
    spent[i] = sum;
  }
  return { spent, order };
}

function chartOf(selection: Selection, x: HistoryX, isLog: boolean | undefined): { chart: Chart; beyond: number; steps: number } {
  const { points, metric, goal } = selection;
  let places: ArrayLike<number> = points.number, order: number[] | undefined, axis: Axis;
  if (x === 'trial') {
    axis = { title: 'trial', scale: 'linear', min: 0, max: Math.max(1, points.number[points.count - 1] ?? 1) * 1.01, text: (value) => (Number.isInteger(value) ? numberText(value) : '') };
  } else {
    const { spent, order: byEnd } = spentHours(selection);
    order = byEnd;
    places = x === 'time' ? points.end : spent;
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < points.count; ++i) if (Number.isFinite(places[i]!)) low = Math.min(low, places[i]!), high = Math.max(high, places[i]!);
    if (!(high >= low)) low = 0, high = 1;
    axis = x === 'time' ? timeAxis('time', low, high) : { ...roundEnds('device hours', 0, high), max: high * 1.01 || 1 };
  }
  const y = isLog === undefined ? objectiveAxis(selection) : valueAxis(metric, shownValues(selection, points.value), goal === 'minimize', isLog);
  const series: Series[] = [];
  const steps = improvements(points, goal, order);
  if (steps.length > 0) {
    const xs = steps.map((i) => places[i]!), ys = steps.map((i) => points.value[i]!);
    series.push({ role: 'best-so-far', x: [...xs, axis.max], y: [...ys, ys[ys.length - 1]!], trials: [0] });
  }
  let beyond = 0;
  for (let i = 0; i < points.count; ++i)
    if (selection.mask[i] === 1 && Number.isFinite(points.value[i]!) && !isShown(points.value[i]!, y)) ++beyond;
  // A failed trial has no value: it stands at the bad end.
  const failed = { role: 'failed' as const, x: [] as number[], y: [] as number[], trials: [] as number[] };
  const bad = goal === 'maximize' ? y.min : y.max;
  for (let i = 0; i < points.count; ++i)
    if (selection.mask[i] === 1 && points.state[i] === 'f' && Number.isFinite(places[i]!))
      failed.x.push(places[i]!), failed.y.push(bad), failed.trials.push(points.number[i]!);
  if (failed.x.length > 0) series.push(failed);
  series.push(...pointSeries(selection, places, points.value));
  return { chart: { x: axis, y, series }, beyond, steps: steps.length };
}
