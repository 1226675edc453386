// Axes: which values stand where, and what is written beside them. The rules are the report's (tuner/report/page/chart.h).
import { scaleLinear, scaleTime } from 'd3-scale';
import { numberText } from '../numbers.ts';

export type ScaleName = 'linear' | 'log' | 'reverse_log' | 'categories' | 'time';

export interface Axis {
  readonly title: string;
  readonly scale: ScaleName;
  readonly min: number; // of categories -0.5
  readonly max: number; // of categories their count - 0.5
  readonly labels?: readonly string[]; // of categories: label k stands at k
  readonly text?: (value: number) => string;
}

export function isLogarithmic(scale: ScaleName): boolean {
  return scale === 'log' || scale === 'reverse_log';
}

// A number on a line whose parts are of equal length: logarithms for a log axis, those of the distance from 1, turned round, for
// a reverse_log one. NaN for what has no place.
export function onLine(scale: ScaleName, value: number): number {
  if (scale === 'log') return value > 0 ? Math.log10(value) : NaN;
  if (scale === 'reverse_log') return value < 1 ? -Math.log10(1 - value) : NaN;
  return value;
}
export function fromLine(scale: ScaleName, at: number): number {
  if (scale === 'log') return 10 ** at;
  if (scale === 'reverse_log') return 1 - 10 ** -at;
  return at;
}

export function categories(title: string, labels: readonly string[]): Axis {
  return { title, scale: 'categories', min: -0.5, max: labels.length - 0.5, labels };
}

const kOuterFence = 3,
  kWorthCutting = 5,
  kFewest = 8,
  kDecadesToLog = 100,
  kWantedIntervals = 5;

function quantile(ascending: readonly number[], share: number): number {
  const at = share * (ascending.length - 1),
    low = Math.floor(at);
  const a = ascending[low]!,
    b = ascending[Math.min(low + 1, ascending.length - 1)]!;
  return a + (at - low) * (b - a);
}

// What lies beyond the outer fence (Tukey, "Exploratory Data Analysis", 1977) goes off the bad end, if that leaves the rest much
// more room; the good end shows everything.
function withoutBadEnd(ascending: number[], isMinimized: boolean): number[] {
  if (ascending.length < kFewest) return ascending;
  const low = quantile(ascending, 0.25),
    high = quantile(ascending, 0.75),
    reach = kOuterFence * (high - low);
  if (reach <= 0) return ascending;
  const kept = isMinimized
    ? ascending.filter((value) => value <= high + reach)
    : ascending.filter((value) => value >= low - reach);
  const all = ascending[ascending.length - 1]! - ascending[0]!;
  return all < kWorthCutting * (kept[kept.length - 1]! - kept[0]!) ? ascending : kept;
}

function roundStep(range: number): number {
  const raw = range / kWantedIntervals,
    power = 10 ** Math.floor(Math.log10(raw));
  for (const factor of [1, 2, 2.5, 5]) if (raw <= factor * power * (1 + 1e-9)) return factor * power;
  return 10 * power;
}

export function roundEnds(title: string, low: number, high: number): Axis {
  const range = high > low ? high - low : Math.max(Math.abs(high) * 0.2, 1e-12);
  const step = roundStep(range);
  if (!Number.isFinite(step) || Math.max(Math.abs(low), Math.abs(high)) / step > 1e12)
    return { title, scale: 'linear', min: low, max: high > low ? high : low + 1 };
  const min = Math.floor(low / step + 1e-9) * step,
    max = Math.ceil(high / step - 1e-9) * step;
  return { title, scale: 'linear', min, max: max > min ? max : min + step };
}

// For values of an objective. `isLog`: as the reader wishes; absent: logarithmic for a minimized one that is positive and spans two
// orders of magnitude.
export function valueAxis(title: string, values: Iterable<number>, isMinimized: boolean, isLog?: boolean): Axis {
  let shown: number[] = [];
  for (const value of values) if (Number.isFinite(value) && (isLog !== true || value > 0)) shown.push(value);
  if (shown.length === 0) return { title, scale: isLog ? 'log' : 'linear', min: isLog ? 0.1 : 0, max: 1 };
  shown.sort((a, b) => a - b);
  if (isLog !== true) shown = withoutBadEnd(shown, isMinimized);
  const low = shown[0]!,
    high = shown[shown.length - 1]!;
  if (isLog ?? (isMinimized && low > 0 && high / low >= kDecadesToLog))
    return { title, scale: 'log', min: low / 1.2, max: high * 1.2 };
  return roundEnds(title, low, high);
}

export function timeAxis(title: string, low: number, high: number): Axis {
  const room = Math.max(1000, (high - low) * 0.01);
  return { title, scale: 'time', min: low - room, max: high + room };
}

export function isShown(value: number, axis: Axis): boolean {
  const slack = (axis.max - axis.min) * 1e-9;
  return value >= axis.min - slack && value <= axis.max + slack;
}

export interface Tick {
  readonly at: number;
  readonly text: string;
}

// Between `min` and `max`, which may be a part of the axis, at most about one each `everyPixels`. What has no text is left out.
export function ticksOf(axis: Axis, min: number, max: number, pixels: number, everyPixels: number): Tick[] {
  return allTicks(axis, min, max, pixels, everyPixels).filter(({ text }) => text !== '');
}

function allTicks(axis: Axis, min: number, max: number, pixels: number, everyPixels: number): Tick[] {
  const most = Math.max(2, Math.floor(pixels / everyPixels));
  const text = axis.text ?? numberText;
  if (axis.scale === 'categories')
    return (axis.labels ?? [])
      .map((label, at) => ({ at, text: shortened(label) }))
      .filter(({ at }) => at >= min && at <= max);
  if (axis.scale === 'time') {
    const ticks = scaleTime().domain([min, max]).ticks(most);
    const step = ticks.length > 1 ? ticks[1]!.getTime() - ticks[0]!.getTime() : Infinity;
    return ticks.map((date) => ({ at: date.getTime(), text: dayOrTime(date, step) }));
  }
  if (isLogarithmic(axis.scale)) {
    const ticks = logTicks(axis.scale, min, max, most);
    if (ticks.length >= 2) return ticks.map((at) => ({ at, text: text(at) }));
  }
  return scaleLinear()
    .domain([min, max])
    .ticks(most)
    .map((at) => ({ at, text: text(at) }));
}

// A day where one begins, else the time of day.
function dayOrTime(date: Date, step: number): string {
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (step >= 28 * kDayMs) return monthFormat.format(date);
  if (isMidnight || step >= kDayMs) return dayFormat.format(date);
  return (step < 60_000 ? secondFormat : minuteFormat).format(date);
}
const kDayMs = 86_400_000;
const monthFormat = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric' });
const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const minuteFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const secondFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

// Device time in the unit that suits it: how many of it make an hour.
export function hourUnit(longest: number): { name: string; inHour: number } {
  if (longest < 2 / 60) return { name: 'seconds', inHour: 3600 };
  return longest < 2 ? { name: 'minutes', inHour: 60 } : { name: 'hours', inHour: 1 };
}

// Powers of ten, with 2 and 5 between them where there is room.
function logTicks(scale: ScaleName, min: number, max: number, most: number): number[] {
  const isTurned = scale === 'reverse_log';
  const low = isTurned ? 1 - max : min,
    high = isTurned ? 1 - min : max;
  if (!(low > 0)) return [];
  const ticks: number[] = [];
  const first = Math.floor(Math.log10(low)),
    last = Math.ceil(Math.log10(high));
  const decades = Math.log10(high / low);
  const factors = decades * 3 <= most ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / most));
  for (let power = first; power <= last; ++power) {
    if ((power - first) % every !== 0) continue;
    for (const factor of factors) {
      const value = Number((factor * 10 ** power).toPrecision(12));
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9))
        ticks.push(isTurned ? Number((1 - value).toPrecision(12)) : value);
    }
  }
  return isTurned ? ticks.reverse() : ticks;
}

export function shortened(text: string, most = 14): string {
  return text.length > most ? text.slice(0, most - 1) + '…' : text;
}
