// Asks the server, and says in the reader's words what went wrong.
import { useEffect, useRef, useState } from 'preact/hooks';
import { noteContact, noteSilence, version } from './live.ts';

// An answer that is none: `status` is 0 where the server did not answer at all.
export class Failure extends Error {
  constructor(readonly status: number, message: string, readonly hint = '') {
    super(message);
  }
  get isMissing(): boolean { return this.status === 404; }
}

async function failureOf(response: Response): Promise<Failure> {
  let message = '', hint = '';
  try {
    const error = ((await response.json()) as { error?: unknown }).error;
    if (typeof error === 'string') message = error;
    else if (error !== null && typeof error === 'object') {
      const said = error as { message?: unknown; hint?: unknown };
      if (typeof said.message === 'string') message = said.message;
      if (typeof said.hint === 'string') hint = said.hint;
    }
  } catch {
    // No JSON: the status has to do.
  }
  if (response.status === 401)
    return new Failure(401, 'This browser is not signed in.', 'Reload the page to sign in with the token, or open the address that `tune serve` printed when it started.');
  return new Failure(response.status, message || 'The server answered ' + response.status + ' ' + response.statusText + '.', hint);
}

async function ask(path: string, options: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...options });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    noteSilence();
    throw new Failure(0, 'The server does not answer.', 'Is `tune serve` still running?');
  }
  noteContact();
  if (!response.ok) throw await failureOf(response);
  return response;
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await ask(path, signal ? { signal } : {})).json() as Promise<T>;
}

export async function postJson<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const response = await post(path, JSON.stringify(body), 'application/json', {}, signal);
  return response.json() as Promise<T>;
}

export function post(path: string, body: BodyInit, type: string, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
  return ask(path, { method: 'POST', headers: { 'Content-Type': type, ...headers }, body, ...(signal ? { signal } : {}) });
}

// `/api/studies/a%20b/points`, from what the server names things.
export function api(...parts: (string | number)[]): string {
  return '/api/' + parts.map((part) => encodeURIComponent(String(part))).join('/');
}

export interface Answer<T> {
  data: T | null;       // the last good one, also while the next is on its way
  failure: Failure | null;
  isLoading: boolean;
}

// One question, asked again and again: never twice at once, and never more often than is useful.
class Asker<T> {
  private abort = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isAsking = false;
  private isStale = false;
  private askedAt = -Infinity;

  constructor(private readonly load: (signal: AbortSignal) => Promise<T>, private readonly everyMs: number,
              private readonly take: (change: (before: Answer<T>) => Answer<T>) => void) {}

  refresh(): void {
    this.isStale = true;
    if (this.isAsking || this.timer !== undefined) return;
    const wait = Math.max(0, this.askedAt + this.everyMs - performance.now());
    if (wait === 0) void this.ask();
    else this.timer = setTimeout(() => { this.timer = undefined; void this.ask(); }, wait);
  }
  end(): void {
    clearTimeout(this.timer);
    this.abort.abort();
  }

  private async ask(): Promise<void> {
    this.isAsking = true;
    this.isStale = false;
    this.askedAt = performance.now();
    try {
      const data = await this.load(this.abort.signal);
      if (!this.abort.signal.aborted) this.take(() => ({ data, failure: null, isLoading: false }));
    } catch (error) {
      if (this.abort.signal.aborted) return;
      const failure = error instanceof Failure ? error : new Failure(0, String(error));
      this.take((before) => ({ data: before.data, failure, isLoading: false }));
    }
    this.isAsking = false;
    if (this.isStale) this.refresh();
  }
}

// Asks whenever `key` changes, and again, at most every `everyMs`, when the server says that `topic` has changed. null: asks for
// nothing. While another key is asked for, `data` is still the earlier one's.
export function useAsked<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>, topic: string | null, everyMs = 1000): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ data: null, failure: null, isLoading: key !== null });
  const asker = useRef<Asker<T> | null>(null);
  const loader = useRef(load);
  loader.current = load;
  useEffect(() => {
    if (key === null) return;
    const now = new Asker<T>((signal) => loader.current(signal), everyMs, setAnswer);
    asker.current = now;
    setAnswer((before) => ({ ...before, isLoading: true }));
    now.refresh();
    return () => now.end();
  }, [key, everyMs]);
  const changes = topic === null ? 0 : version(topic).value;
  const seen = useRef(changes);
  useEffect(() => {
    if (seen.current !== changes) asker.current?.refresh();
    seen.current = changes;
  }, [changes]);
  return answer;
}

// The same of a path of the server.
export function useAnswer<T>(path: string | null, topic: string | null, everyMs = 1000): Answer<T> {
  return useAsked<T>(path, (signal) => getJson<T>(path!, signal), topic, everyMs);
}
