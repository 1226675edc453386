// All trials of a study as columns, for the charts; 50,000 of them are a few megabytes. Grows by what has changed.
import { useRef } from 'preact/hooks';
import { api, getJson, useAsked, type Answer } from './api.ts';
import { numberOf, type Goal, type Num, type PointColumns } from './answers.ts';
import { takeLowestChanged } from './live.ts';
import { timeOf, valueText } from './numbers.ts';

export interface PointParameter {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[] | null;  // of a categorical one: `values` are places in it
  readonly values: Float64Array;              // NaN where it was not active
}

// Column k of each array is one trial; ascending by number. NaN: none.
export interface Points {
  readonly count: number;
  readonly number: Int32Array;
  readonly state: string;  // a letter each
  readonly value: Float64Array;
  readonly value2: Float64Array;
  readonly start: Float64Array;  // ms since 1970
  readonly end: Float64Array;
  readonly hours: Float64Array;
  readonly seconds: Float64Array;
  readonly isApart: Uint8Array;  // a replicate or a repeat: no point of the search
  readonly parameters: ReadonlyMap<string, PointParameter>;
}

export const kLetters: Readonly<Record<string, string>> = {
  q: 'queued', r: 'running', p: 'paused', c: 'completed', s: 'stopped', f: 'failed', d: 'deleted' };

function decoded(values: readonly Num[] | undefined, count: number): Float64Array {
  const numbers = new Float64Array(count).fill(NaN);
  if (values) for (let i = 0; i < count; ++i) numbers[i] = numberOf(values[i]);
  return numbers;
}

export function pointsOf(answer: PointColumns): Points {
  const { columns } = answer, count = columns.number.length, epoch = timeOf(answer.epoch);
  const times = (seconds: readonly (number | null)[]) => {
    const ms = new Float64Array(count).fill(NaN);
    for (let i = 0; i < count; ++i) if (seconds[i] !== null) ms[i] = epoch + 1000 * seconds[i]!;
    return ms;
  };
  const start = times(columns.start), end = times(columns.end);
  const isApart = new Uint8Array(count);
  if (columns.replicate_of)
    for (let i = 0; i < count; ++i) if (columns.replicate_of[columns.number[i]!] !== undefined) isApart[i] = 1;
  return {
    count, number: Int32Array.from(columns.number), state: columns.state, start, end, isApart,
    value: decoded(columns.value, count), value2: decoded(columns.value2, count), hours: decoded(columns.device_hours, count),
    seconds: end.map((ms, i) => (ms - start[i]!) / 1000),
    parameters: new Map(answer.parameters.map(({ name, type, labels, values }) =>
      [name, { name, type, labels: labels ? labels.map(valueText) : null, values: decoded(values, count) }])),
  };
}

// `known` up to the trial before the first of `later`, and then these.
export function joined(known: Points, later: Points): Points {
  if (later.count === 0) return known;
  let keep = known.count;
  while (keep > 0 && known.number[keep - 1]! >= later.number[0]!) --keep;
  const count = keep + later.count;
  const floats = (a: Float64Array, b: Float64Array) => {
    const both = new Float64Array(count);
    both.set(a.subarray(0, keep));
    both.set(b, keep);
    return both;
  };
  const number = new Int32Array(count), isApart = new Uint8Array(count);
  number.set(known.number.subarray(0, keep)), number.set(later.number, keep);
  isApart.set(known.isApart.subarray(0, keep)), isApart.set(later.isApart, keep);
  const parameters = new Map<string, PointParameter>();
  for (const [name, parameter] of later.parameters) {
    const before = known.parameters.get(name);
    const old = before === undefined ? new Float64Array(keep).fill(NaN) : relabelled(before, parameter);
    parameters.set(name, { ...parameter, values: floats(old, parameter.values) });
  }
  return {
    count, number, isApart, parameters, state: known.state.slice(0, keep) + later.state,
    value: floats(known.value, later.value), value2: floats(known.value2, later.value2), start: floats(known.start, later.start),
    end: floats(known.end, later.end), hours: floats(known.hours, later.hours), seconds: floats(known.seconds, later.seconds),
  };
}

function relabelled(before: PointParameter, now: PointParameter): Float64Array {
  if (before.labels === null || now.labels === null || before.labels.join('\0') === now.labels.join('\0')) return before.values;
  const places = before.labels.map((label) => now.labels!.indexOf(label));
  return before.values.map((at) => (Number.isNaN(at) || places[at]! < 0 ? NaN : places[at]!));
}

// The number after which a trial may still change: all from the first open or paused one on.
function settledUpTo(points: Points): number {
  for (let i = 0; i < points.count; ++i) if ('qrp'.includes(points.state[i]!)) return points.number[i]! - 1;
  return points.count === 0 ? 0 : points.number[points.count - 1]!;
}

export function usePoints(study: string): Answer<Points> {
  const known = useRef<{ study: string; points: Points } | null>(null);
  return useAsked<Points>(study, async (signal) => {
    const before = known.current?.study === study ? known.current.points : null;
    known.current = null;  // after a failure everything is asked for
    const after = before === null ? 0 : Math.max(0, Math.min(settledUpTo(before), takeLowestChanged(study) - 1));
    const later = pointsOf(await getJson<PointColumns>(api('studies', study, 'points') + (after > 0 ? '?after=' + after : ''), signal));
    const points = before === null || after === 0 ? later : joined(before, later);
    known.current = { study, points };
    return points;
  }, 'study/' + study);
}

// The best value so far after each trial that has one, as steps: numbers of trials, and places in `points`.
export function improvements(points: Points, goal: Goal, order?: readonly number[]): number[] {
  const places: number[] = [];
  let best = NaN;
  for (let k = 0; k < points.count; ++k) {
    const i = order ? order[k]! : k, value = points.value[i]!;
    if (points.state[i] !== 'c' || points.isApart[i] === 1 || !Number.isFinite(value)) continue;
    if (Number.isNaN(best) || (goal === 'maximize' ? value > best : value < best)) {
      best = value;
      places.push(i);
    }
  }
  return places;
}

// Parameters of which trials have more than one value, in the order of the space.
export function varying(points: Points): PointParameter[] {
  return [...points.parameters.values()].filter(({ values }) => {
    let first = NaN;
    for (const value of values) {
      if (Number.isNaN(value)) continue;
      if (Number.isNaN(first)) first = value;
      else if (value !== first) return true;
    }
    return false;
  });
}
