// What the server says by itself: one stream of server-sent events for the tab, closed while nobody looks, since a browser has few
// connections to one server. What has changed is counted by topic; who shows it asks again.
import { effect, signal, type Signal } from '@preact/signals';

export type Contact = 'connecting' | 'live' | 'lost';
export const contact = signal<Contact>('connecting');
export const contactAt = signal(NaN);  // when the server was last heard, ms since 1970

const versions = new Map<string, Signal<number>>();

// Topics: "overview", "models", "endpoints", and "study/NAME".
export function version(topic: string): Signal<number> {
  let found = versions.get(topic);
  if (found === undefined) versions.set(topic, found = signal(0));
  return found;
}
function bump(topic: string): void {
  version(topic).value += 1;
}
function bumpAll(): void {
  if (watched.peek() !== null) noteChanged(watched.peek()!, null);
  for (const topic of versions.keys()) bump(topic);
}

export function noteContact(): void {
  contactAt.value = Date.now();
  if (contact.peek() === 'lost' && stream === null) open();
}
export function noteSilence(): void {
  contact.value = 'lost';
}

// The lowest number of a trial whose row has changed since this was asked last; Infinity for none, 0 where all may have.
const lowest = new Map<string, number>();
export function takeLowestChanged(study: string): number {
  const number = lowest.get(study) ?? Infinity;
  lowest.delete(study);
  return number;
}
function noteChanged(study: string, trials: unknown): void {
  const numbers = Array.isArray(trials) ? trials.filter((one): one is number => typeof one === 'number') : [0];
  lowest.set(study, Math.min(lowest.get(study) ?? Infinity, ...numbers));
}

// The study whose page is open; null for none.
export const watched = signal<string | null>(null);

const kFirstWaitMs = 1000, kLongestWaitMs = 15_000, kPollMs = 5000;
let stream: EventSource | null = null;
let retry: ReturnType<typeof setTimeout> | undefined;
let waitMs = kFirstWaitMs;
let wasLost = false;

function close(): void {
  clearTimeout(retry);
  stream?.close();
  stream = null;
}

function open(): void {
  close();
  if (document.hidden) return;
  const study = watched.peek();
  const mine = new EventSource('/api/events' + (study === null ? '' : '?study=' + encodeURIComponent(study)));
  stream = mine;
  mine.onopen = () => {
    contact.value = 'live';
    contactAt.value = Date.now();
    waitMs = kFirstWaitMs;
    if (wasLost) bumpAll();
    wasLost = false;
  };
  mine.addEventListener('change', (event) => {
    contactAt.value = Date.now();
    const changed = parsed((event as MessageEvent<string>).data);
    const name = typeof changed.study === 'string' ? changed.study : study;
    if (name !== null) {
      noteChanged(name, changed.trials);
      bump('study/' + name);
    }
    bump('overview');
    if (changed.overview === true) bump('models'), bump('endpoints');
  });
  mine.addEventListener('resync', () => {
    contactAt.value = Date.now();
    bumpAll();
  });
  // The browser would try again by itself, but not after an answer that is an error, nor after a server that was started anew.
  mine.onerror = () => {
    if (stream !== mine) return;
    contact.value = 'lost';
    wasLost = true;
    close();
    retry = setTimeout(open, waitMs);
    waitMs = Math.min(2 * waitMs, kLongestWaitMs);
  };
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export function reconnect(): void {
  waitMs = kFirstWaitMs;
  contact.value = 'connecting';
  open();
  bumpAll();
}

export function startListening(): void {
  effect(() => {
    watched.value;
    open();
  });
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      close();
    } else {
      open();
      bumpAll();
    }
  });
  // Endpoints change without an event of a study.
  setInterval(() => {
    if (!document.hidden && contact.peek() !== 'lost') bump('endpoints');
  }, kPollMs);
}
