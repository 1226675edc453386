// What of a study the charts show: its trials, those that hold the conditions of the page, and where one stands.
import type { Goal } from '../answers.ts';
import { matching, type Condition } from '../filter.ts';
import { numberText, hoursText } from '../numbers.ts';
import { kLetters, type PointParameter, type Points } from '../points.ts';
import { valueAxis, type Axis } from './axis.ts';
import type { Role, Series } from './chart.ts';

export interface Selection {
  readonly points: Points;
  readonly mask: Uint8Array;        // 1: holds the conditions
  readonly count: number;           // of these
  readonly unknown: readonly Condition[];  // on columns that only the server knows: the charts pass them over
  readonly metric: string;
  readonly goal: Goal;
  readonly best: number;            // the trial; 0: none
}

export function selectionOf(points: Points, conditions: readonly Condition[], states: ReadonlySet<string>, metric: string, goal: Goal,
                            best: number): Selection {
  const { mask, unknown } = matching(points, conditions);
  let count = 0;
  for (let i = 0; i < points.count; ++i) {
    const state = kLetters[points.state[i]!]!;
    if (state === 'deleted' || (states.size > 0 && !states.has(state))) mask[i] = 0;
    count += mask[i]!;
  }
  return { points, mask, count, unknown, metric, goal, best };
}

// The place of a trial in the columns; -1 without it.
export function placeOf({ number, count }: Points, trial: number): number {
  let low = 0, high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (number[middle]! < trial) low = middle + 1;
    else high = middle;
  }
  return low < count && number[low] === trial ? low : -1;
}

export function parameterText(parameter: PointParameter, i: number): string {
  const value = parameter.values[i]!;
  if (Number.isNaN(value)) return '';
  return parameter.labels ? parameter.labels[value] ?? '' : numberText(value);
}

// What is said of a trial under the pointer.
export function describeTrial({ points, metric }: Selection, trial: number, parameters: readonly PointParameter[]): string[] {
  const i = placeOf(points, trial);
  if (i < 0) return ['Trial ' + trial];
  const lines = ['Trial ' + trial + ' · ' + kLetters[points.state[i]!]];
  if (Number.isFinite(points.value[i]!)) lines.push(metric + ': ' + numberText(points.value[i]!));
  for (const parameter of parameters.slice(0, 8)) {
    const text = parameterText(parameter, i);
    if (text !== '') lines.push(parameter.name + ': ' + text);
  }
  if (Number.isFinite(points.hours[i]!)) lines.push('device time: ' + hoursText(points.hours[i]!));
  return lines;
}

// The shown trials as points, where `x` and `y` give each its place, by state; the best one above the others.
export function pointSeries({ points, mask, best }: Selection, x: ArrayLike<number>, y: ArrayLike<number>): Series[] {
  const roles: [Role, string][] = [['stopped', 's'], ['completed', 'c']];
  const series: Series[] = [];
  for (const [role, letter] of roles) {
    const xs: number[] = [], ys: number[] = [], trials: number[] = [];
    for (let i = 0; i < points.count; ++i) {
      if (mask[i] === 0 || points.state[i] !== letter || points.number[i] === best) continue;
      if (!Number.isFinite(x[i]!) || !Number.isFinite(y[i]!)) continue;
      xs.push(x[i]!), ys.push(y[i]!), trials.push(points.number[i]!);
    }
    if (xs.length > 0) series.push({ role, x: xs, y: ys, trials });
  }
  const at = placeOf(points, best);
  if (at >= 0 && mask[at] === 1 && Number.isFinite(x[at]!) && Number.isFinite(y[at]!))
    series.push({ role: 'best', x: [x[at]!], y: [y[at]!], trials: [best] });
  return series;
}

// The objective's axis, which many charts have.
const axes = new WeakMap<Selection, Axis>();
export function objectiveAxis(selection: Selection): Axis {
  let axis = axes.get(selection);
  if (axis === undefined) axes.set(selection, axis = valueAxis(selection.metric, shownValues(selection, selection.points.value), selection.goal === 'minimize'));
  return axis;
}

// Values of the shown trials that have ended with one.
export function* shownValues({ points, mask }: Selection, values: ArrayLike<number>): Generator<number> {
  for (let i = 0; i < points.count; ++i) if (mask[i] === 1 && (points.state[i] === 'c' || points.state[i] === 's')) yield values[i]!;
}
