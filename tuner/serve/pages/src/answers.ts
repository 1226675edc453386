// What the server answers, as docs/dashboard.md has it. Numbers that JSON does not have come as "NaN", "Infinity", "-Infinity".
import type { TrialState } from './words.ts';

export type Num = number | 'NaN' | 'Infinity' | '-Infinity' | null;
export type Value = string | number | boolean | null | object;
export type Values = Readonly<Record<string, Value>>;
export type Goal = 'minimize' | 'maximize';
export type Counts = Readonly<Record<TrialState | 'deleted', number>>;

export interface Cost { lease_seconds: number; device_hours: number; usd: number | null }

export interface Overview {
  version: string; store: string; as_of: string;
  studies: StudyLine[];
  comparisons: { comparison: string; created: string; studies?: string[]; scored: boolean }[];
  models: ModelLine[];
  endpoints: EndpointLine[];
  warnings: { study: string | null; message: string }[];
}
export interface StudyLine {
  study: string; state: string; console_state: string; standing: string; held: string | null; metric: string; goal: Goal; second_metric: string | null;
  counts: Counts; trials: number; limit_trials: number | null; best: { trial: number; value: Num; values: Num[] } | null;
  elapsed_seconds: number; created: string; updated: string; device_hours: number; usd: number | null; comparison: string | null;
}
export interface ModelLine {
  model: string; versions: number; current: number | null; aliases?: Record<string, number>; metric: string | null; value: Num; study: string | null;
  trial: number | null; created: string | null;
}
export interface EndpointLine {
  endpoint: string; state: string; console_state: string; model: string | null; version: number | string | null; url: string | null; since: string | null;
  last_error: string | null; reason?: string | null;
}

export interface SpaceParameter {
  name: string; type: 'float' | 'int' | 'categorical'; scale: string; min: number | null; max: number | null; step: number | null;
  values: Value[] | null; when: Record<string, unknown> | null;
}

export interface Study {
  study: string; state: string; console_state: string; standing: string; finish_reason: string; held: string | null;
  metric: string; goal: Goal; objectives: { metric: string; goal: Goal }[]; other_metrics: string[];
  limits: Record<string, unknown>; elapsed_seconds: number; created: string; updated: string; counts: Counts;
  running: { trial: number; attempt: number; step: number | null; value: Num; devices: string[]; seconds: number }[];
  best: { trial: number | null; value?: Num; values?: Num[]; parameters?: Values } | null;
  cost: Record<string, Cost>;
  seed: number; strategy: string; stop_rule: string; reduce: string;
  space: SpaceParameter[]; fixed: Values; is_live: boolean; comparison: string | null;
  progress: { searched: number; beyond: number; limit: number | null; remaining_seconds: number | null; full_steps: number | null } | null;
  rungs: { step: number; reached: number; stopped: number; paused: number }[];
  edge_texts: string[]; failures: { reason: string; trials: number[] }[];
  stopped_early: { trials: number; saved_estimate: Cost } | null;
  promoted: { model: string; version: number; trial: number; reason: string; current: boolean }[];
  promotion: { model: string; promoted: boolean; version: number | null; reason: string } | null;
  warning: string;
  machine: { host: string; cores: number; gpus: { uuid: string; name: string; memory: number | null }[]; driver: string | null } | null;
  devices: { device: string; name: string; running: number[] }[];
  accepts_requests: boolean; why_no_requests: string;
  notices: { id: number; time: string; message: string }[];
}

export interface TrialColumn { name: string; kind: string; type?: string; varies?: boolean; metric?: string }
export interface TrialLine {
  trial: number; state: TrialState; value: Num; values: Num[]; parameters: Values; metrics: Record<string, Num>; budget: number; attempts: number;
  seconds: number | null; device_hours: number; usd: number | null; created: string; started: string | null; ended: string | null; reason: string;
  failure: string; cut: string | null; replicate_of: number | null; rerun_of: number | null; deleted: boolean | string | null; best: boolean; front: boolean | null;
}
export interface TrialLines {
  total: number; matching: number; offset: number; limit: number; by_state: Partial<Record<TrialState, number>>; columns: TrialColumn[]; rows: TrialLine[];
}

export interface PointColumns {
  count: number;
  columns: {
    number: number[]; state: string; value: Num[]; value2?: Num[]; start: (number | null)[]; end: (number | null)[]; device_hours: (number | null)[];
    replicate_of?: Record<string, number>;
  };
  epoch: string;
  parameters: { name: string; type: string; labels?: unknown[]; values: Num[] }[];
}

export interface Curves {
  metric: string;
  curves: { trial: number; points: number; thinned: boolean; steps: number[]; values: Num[]; seconds?: Num[] }[];
  rungs: number[];
}

export interface Importance { trials: number; parameters: { name: string; share: number }[]; interactions?: number; reason?: string }

export interface Timeline {
  epoch: string; now: number; runs: [number, number][]; left_out?: number;
  devices: {
    device: string; name: string; busy_seconds: number; idle_seconds: number;
    spans: { trial: number; attempt: number; begin: number; end: number; state: string; is_retry: boolean; stop: string; live: boolean }[];
  }[];
}

export interface Attempt {
  attempt: number; state: string; exit_code: number | null; signal: number | null; stop: string; reason: string; devices: string[]; threads: number;
  lease_seconds: number; cpu_seconds: number; max_rss_bytes: number; peak_device_memory_bytes: number | null; failure: string; created: string;
  started: string | null; ended: string | null;
}
export interface Trial {
  trial: {
    trial: number; state: TrialState; value: Num; values: Num[]; parameters: Values; budget: number; attempts: Attempt[]; note: string; reason: string;
    failure: string; cut: string | null; overrides: Values; replicate_of: number | null; rerun_of: number | null; deleted: string | null;
    created: string; started: string | null; ended: string | null; seconds: number | null; cost: Cost; retried_cost: Cost; study: string; metric: string;
    fixed: Values; rank: number | null; second_metric?: string; reruns?: number[];
    events: { id: number; time: string; kind: string; attempt: number; data: Record<string, unknown> }[];
  };
  metrics: { name: string; points: number; last: Num; min: Num; max: Num }[];
  explanation_text: string;
  compared_to_best: { name: string; value: Value; best: Value }[];
  best_trial: number | null;
  command_text: string | null; environment_note: string; tune_command: string; folder: string;
  artifacts: { attempt: number; path: string; bytes: number }[];
  versions: { model: string; version: number; current: boolean }[];
}
export interface LogPart { trial: number; attempt: number; begin: number; next: number; text: string; live: boolean; attempts: number }

export interface ModelVersion {
  version: number; approval?: string; created: string; study: string | null; trial: number | null; metric: string | null; goal: Goal; value: Num;
  lineage: Record<string, unknown>; files: { path: string; bytes: number; sha256: string }[];
}
export interface Model {
  model: string; current: number | null; versions: ModelVersion[]; aliases?: Record<string, number>; endpoints?: string[];
  promotions: { alias?: string; from: number | null; to: number | null; outcome?: string; reason: string; evidence: unknown; time: string; who?: string }[];
  remarks?: { version: number; kind: string; text: string; who: string; time: string }[];
}

export interface Endpoint {
  endpoint: string; console_state: string; reachable: boolean; asked: Record<string, unknown>;
  state: {
    state?: string; reason?: string; model?: string; version?: number | string | null; previous_version?: number | string | null; url?: string | null; since?: string;
    restarts?: number; last_error?: string | null; requests?: number; last_request?: string | null; undeploy_at?: string | null;
  } | null;
}

// A number of an answer; NaN for none.
export function numberOf(value: Num | undefined): number {
  if (typeof value === 'number') return value;
  if (value === 'Infinity') return Infinity;
  if (value === '-Infinity') return -Infinity;
  return NaN;
}
