// What the sandboxes share: one or two targets beside each other, and what a call took.
import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { Failure, post, api } from '../api.ts';
import type { Target } from './endpoint.tsx';

export interface Call { readonly seconds: number; readonly model: string }  // `model`: NAME@VERSION, as the endpoint says
export type Tried<T> = { readonly state: 'none' } | { readonly state: 'busy' } | { readonly state: 'failed'; readonly failure: Failure }
  | { readonly state: 'done'; readonly answer: T; readonly call: Call };

export function invokePath(endpoint: string, path: string): string {
  return api('endpoints', endpoint, 'invoke') + '?' + new URLSearchParams({ path });
}

export async function invoke<T>(endpoint: string, body: BodyInit, type: string, signal: AbortSignal): Promise<{ answer: T; call: Call }> {
  const begin = performance.now();
  const response = await post(invokePath(endpoint, '/invocations'), body, type, { Accept: 'application/vnd.tune+json' }, signal);
  const answer = (await response.json()) as T;
  return { answer, call: { seconds: (performance.now() - begin) / 1000, model: response.headers.get('X-Tune-Model') ?? endpoint } };
}

export function failureIn(error: unknown): Failure {
  return error instanceof Failure ? error : new Failure(0, error instanceof Error ? error.message : String(error));
}

// One panel, or two beside each other, each with its own target.
export function SideBySide({ targets, panel }: { targets: readonly Target[]; panel: (target: Target, k: number) => ComponentChildren }) {
  const [isDouble, setDouble] = useState(false);
  const first = targets[0]!;
  // Beside it another endpoint of the same model, where there is one.
  const beside = targets.find(({ endpoint, model }) => endpoint !== first.endpoint && model === first.model) ?? first;
  const [chosen, choose] = useState<readonly [string | null, string | null]>([null, null]);
  const target = (k: 0 | 1) => targets.find(({ endpoint }) => endpoint === chosen[k]) ?? (k === 0 ? first : beside);
  const places = isDouble ? ([0, 1] as const) : ([0] as const);
  return (
    <>
      <p class="controls">
        <button type="button" aria-pressed={isDouble} onClick={() => setDouble(!isDouble)}>Two side by side</button>
      </p>
      <div class={isDouble ? 'pair even' : ''}>
        {places.map((k) => (
          <div key={k} class="try">
            {(isDouble || targets.length > 1) && (
              <label class="select"><span class="unseen">Endpoint{isDouble ? ' ' + (k + 1) : ''}</span>
                <select value={target(k).endpoint} onChange={(event) => choose(k === 0 ? [event.currentTarget.value, chosen[1]] : [chosen[0], event.currentTarget.value])}>
                  {targets.map(({ endpoint, title }) => <option key={endpoint} value={endpoint}>{title}</option>)}
                </select>
              </label>
            )}
            {panel(target(k), k)}
          </div>
        ))}
      </div>
    </>
  );
}

// Classes with how likely each is, the likeliest first.
export function Probabilities({ classes, probabilities }: { classes: readonly string[]; probabilities: readonly number[] }) {
  const rows = classes.map((name, k) => ({ name, share: probabilities[k] ?? 0 })).sort((a, b) => b.share - a.share);
  const kMost = 10;
  return (
    <ol class="bars">
      {rows.slice(0, kMost).map(({ name, share }) => (
        <li key={name}>
          <span class="name" title={name}>{name}</span>
          <svg class="share" aria-hidden="true"><rect width={Math.max(0.5, 100 * share) + '%'} height="100%" rx="2" /></svg>
          <span class="number">{(100 * share).toFixed(1)} %</span>
        </li>
      ))}
      {rows.length > kMost && <li class="note">{rows.length - kMost} more classes</li>}
    </ol>
  );
}
