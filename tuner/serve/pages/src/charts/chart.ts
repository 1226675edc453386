// A chart as data, as the report has it (tuner/report/page/chart.h): what is drawn, on which axes.
import { ink } from '../theme.ts';
import type { Axis } from './axis.ts';

export type Role = 'run' | 'completed' | 'stopped' | 'failed' | 'running' | 'best' | 'best-so-far' | 'front' | 'curve' | 'stopped-curve'
  | 'running-curve' | 'best-curve';

export interface Series {
  readonly role: Role;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly trials: ArrayLike<number>;  // one a point, or one for all of them
}

export interface Chart {
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];  // the later above the earlier
  readonly rules?: readonly number[];  // places on x that are marked by a line from bottom to top
}

export const kLabels: Readonly<Record<Role, string>> = {
  run: 'run', completed: 'completed trial', stopped: 'stopped trial', failed: 'failed trial', running: 'running trial', best: 'best trial',
  'best-so-far': 'best so far', front: 'best trade-offs', curve: 'completed trial', 'stopped-curve': 'stopped trial',
  'running-curve': 'running trial', 'best-curve': 'best trial',
};

export function isLine(role: Role): boolean {
  return role.endsWith('curve') || role === 'best-so-far' || role === 'front';
}

export function colorOf(role: Role): string {
  switch (role) {
    case 'completed': case 'run': case 'curve': return ink('completed');
    case 'stopped': case 'stopped-curve': return ink('stopped');
    case 'failed': return ink('failed');
    case 'running': case 'running-curve': return ink('running');
    case 'best': case 'best-curve': return ink('best');
    default: return ink('reference');
  }
}

export function trialAt(series: Series, i: number): number {
  return series.trials.length === 1 ? series.trials[0]! : series.trials[i]!;
}
