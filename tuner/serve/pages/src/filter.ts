// Conditions on trials, as the server takes them: `lr<1e-3,optimizer=adam`. A brush is nothing but conditions, so that what is drawn,
// listed and linked to is the same.
import type { Points } from './points.ts';

export type Comparison = '<' | '<=' | '>' | '>=' | '=' | '!=' | '~';
export interface Condition {
  readonly name: string;
  readonly comparison: Comparison;
  readonly value: string;
}

function partsOf(text: string): string[] {
  return (text.match(/(?:[^\\,]|\\.)+/g) ?? []).filter((part) => part.trim() !== '');
}

// Whether each part of it is a condition.
export function isFilter(text: string): boolean {
  const parts = partsOf(text);
  return parts.length > 0 && conditionsOf(text).length === parts.length;
}

// What cannot be read is left to the server, which says why. A comma of a value is written "\,".
export function conditionsOf(text: string): Condition[] {
  const conditions: Condition[] = [];
  for (const part of partsOf(text)) {
    const match = /^\s*([^<>=!~]+?)\s*(<=|>=|!=|==?|<|>|~)\s*(.*?)\s*$/.exec(part);
    if (match) conditions.push({ name: match[1]!, comparison: (match[2] === '==' ? '=' : match[2]) as Comparison, value: match[3]!.replace(/\\(.)/g, '$1') });
  }
  return conditions;
}

export function filterText(conditions: readonly Condition[]): string {
  return conditions.map(({ name, comparison, value }) => name + comparison + value.replace(/[\\,]/g, '\\$&')).join(',');
}
export function conditionText({ name, comparison, value }: Condition): string {
  return name + comparison + value;
}

// The conditions with those on one column replaced by others.
export function withColumn(conditions: readonly Condition[], name: string, others: readonly Condition[]): Condition[] {
  return [...conditions.filter((one) => one.name !== name), ...others];
}

// The part of a numeric column that the conditions leave.
export function rangeOf(conditions: readonly Condition[], name: string): { low: number; high: number } | null {
  let low = -Infinity, high = Infinity;
  for (const one of conditions) {
    const value = Number(one.value);
    if (one.name !== name || one.value === '' || Number.isNaN(value)) continue;
    if (one.comparison === '>=' || one.comparison === '>') low = Math.max(low, value);
    if (one.comparison === '<=' || one.comparison === '<') high = Math.min(high, value);
  }
  return low === -Infinity && high === Infinity ? null : { low, high };
}

// A number of a column for a trial of the points; null where these do not know the column.
function numbersOf(points: Points, name: string): ArrayLike<number> | null {
  switch (name) {
    case 'trial': return points.number;
    case 'value': return points.value;
    case 'value2': return points.value2;
    case 'device_hours': return points.hours;
    case 'seconds': return points.seconds;
    default: return points.parameters.get(name)?.values ?? null;
  }
}

// Which trials hold all conditions, one byte each; and the conditions on columns that only the server knows.
export function matching(points: Points, conditions: readonly Condition[]): { mask: Uint8Array; unknown: Condition[] } {
  const mask = new Uint8Array(points.count).fill(1);
  const unknown: Condition[] = [];
  for (const condition of conditions) {
    const numbers = numbersOf(points, condition.name);
    if (numbers === null) {
      unknown.push(condition);
      continue;
    }
    const labels = points.parameters.get(condition.name)?.labels;
    const holds = labels ? labelTest(condition, labels) : numberTest(condition);
    for (let i = 0; i < points.count; ++i) if (mask[i] === 1 && !holds(numbers[i]!)) mask[i] = 0;
  }
  return { mask, unknown };
}

// As the server holds them: labels that are numbers compare as numbers, and what was not active holds "!=" alone.
function holdsLabel({ comparison, value }: Condition, label: string): boolean {
  if (comparison === '~') return label.toLowerCase().includes(value.toLowerCase());
  const [a, b] = label.trim() !== '' && value.trim() !== '' ? [Number(label), Number(value)] : [NaN, NaN];
  return Number.isNaN(a) || Number.isNaN(b) ? holds(label, comparison, value) : holds(a, comparison, b);
}

function holds<T extends string | number>(a: T, comparison: Comparison, b: T): boolean {
  switch (comparison) {
    case '<': return a < b;
    case '<=': return a <= b;
    case '>': return a > b;
    case '>=': return a >= b;
    case '!=': return a !== b;
    default: return a === b;
  }
}

// Which labels of a column the conditions leave.
export function labelsKept(conditions: readonly Condition[], name: string, labels: readonly string[]): boolean[] {
  return labels.map((label) => conditions.every((one) => one.name !== name || holdsLabel(one, label)));
}

function labelTest(condition: Condition, labels: readonly string[]): (at: number) => boolean {
  const good = labels.map((label) => holdsLabel(condition, label));
  return (at) => (Number.isNaN(at) ? condition.comparison === '!=' : good[at] === true);
}

function numberTest({ comparison, value }: Condition): (number: number) => boolean {
  const bound = Number(value);
  return (number) => (Number.isNaN(number) ? comparison === '!=' : holds(number, comparison, bound));
}
