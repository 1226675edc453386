// An axis of the parallel coordinates, and the part of it that the conditions of the page keep.
import { labelsKept, rangeOf, type Condition } from '../filter.ts';
import { numberText } from '../numbers.ts';
import { fromLine, onLine, type Axis } from './axis.ts';

export interface Rail {
  readonly name: string; // of the column
  readonly axis: Axis;
  readonly values: ArrayLike<number>;
  readonly labels: readonly string[] | null;
}

// In parts of the axis' line, 0 to 1 from below.
export interface Range {
  readonly low: number;
  readonly high: number;
}

const kTones = 12;

// null: all of it.
export function rangeKept({ name, axis, labels }: Rail, conditions: readonly Condition[]): Range | null {
  if (labels !== null) {
    const kept = labelsKept(conditions, name, labels);
    if (kept.every(Boolean)) return null;
    const first = kept.indexOf(true);
    return first < 0
      ? { low: 0, high: 0 }
      : { low: first / kept.length, high: (kept.lastIndexOf(true) + 1) / kept.length };
  }
  const range = rangeOf(conditions, name);
  if (range === null) return null;
  const low = onLine(axis.scale, axis.min);
  const high = onLine(axis.scale, axis.max);
  const share = (value: number, otherwise: number) =>
    Number.isFinite(value) ? Math.max(0, Math.min(1, (onLine(axis.scale, value) - low) / (high - low))) : otherwise;
  return { low: share(range.low, 0), high: share(range.high, 1) };
}

function valueAt({ axis }: Rail, share: number): number {
  const low = onLine(axis.scale, axis.min),
    high = onLine(axis.scale, axis.max);
  return Number(fromLine(axis.scale, low + share * (high - low)).toPrecision(4));
}

export function textAt(rail: Rail, share: number): string {
  if (rail.labels === null) return numberText(valueAt(rail, share));
  return rail.labels[Math.max(0, Math.min(rail.labels.length - 1, Math.floor(share * rail.labels.length)))] ?? '';
}

// The conditions that keep the trials in a part of an axis.
export function conditionsFor(rail: Rail, { low, high }: Range): Condition[] {
  const { name, labels } = rail;
  if (labels !== null) {
    const n = labels.length;
    // A category is kept when the brush covers its middle. One alone is named, of several those that are not.
    const isKept = (k: number) => (k + 0.5) / n >= low && (k + 0.5) / n <= high;
    const kept = labels.filter((_, k) => isKept(k));
    if (kept.length === 1) return [{ name, comparison: '=', value: kept[0]! }];
    return labels.filter((_, k) => !isKept(k)).map((value) => ({ name, comparison: '!=', value }));
  }
  const conditions: Condition[] = [];
  if (low > 0) conditions.push({ name, comparison: '>=', value: String(valueAt(rail, low)) });
  if (high < 1) conditions.push({ name, comparison: '<=', value: String(valueAt(rail, high)) });
  return conditions;
}

// Colours from one to another, both "#rrggbb".
export function tones(from: string, to: string): string[] {
  const part = (color: string, k: number) => parseInt(color.slice(1 + 2 * k, 3 + 2 * k), 16);
  return Array.from({ length: kTones }, (_, i) => {
    const share = i / (kTones - 1);
    return (
      '#' +
      [0, 1, 2]
        .map((k) =>
          Math.round(part(from, k) + share * (part(to, k) - part(from, k)))
            .toString(16)
            .padStart(2, '0'),
        )
        .join('')
    );
  });
}
