// The address is the state: `/studies/s?state=failed&sort=lr`. A page reads it from here and writes to it here, so that a link shows
// to another person what its sender sees, and Back goes back.
import { signal } from '@preact/signals';

export interface Route {
  readonly path: readonly string[];  // decoded parts
  readonly query: URLSearchParams;
}

function read(): Route {
  const path = location.pathname.split('/').filter((part) => part !== '').map(decoded);
  return { path, query: new URLSearchParams(location.search) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;  // a lone '%': the text as it stands
  }
}

export const route = signal<Route>(read());

export function hrefOf(path: readonly (string | number)[], query: Readonly<Record<string, string>> = {}): string {
  return '/' + path.map((part) => encodeURIComponent(String(part))).join('/') + queryText(new URLSearchParams(query));
}

function queryText(query: URLSearchParams): string {
  // ':' and ',' may stand in a query, and are easier to read so.
  const text = query.toString().replace(/%3A/g, ':').replace(/%2C/g, ',');
  return text === '' ? '' : '?' + text;
}

// Changes parts of the query: null takes one away. Steps of one control replace the entry of the history.
export function setQuery(changes: Readonly<Record<string, string | null>>, isStep = false): void {
  const query = new URLSearchParams(route.peek().query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  const href = location.pathname + queryText(query);
  if (href === location.pathname + location.search) return;
  if (isStep) history.replaceState(null, '', href);
  else history.pushState(null, '', href);
  route.value = read();
}

export function go(href: string): void {
  history.pushState(null, '', href);
  route.value = read();
  window.scrollTo(0, 0);
  // Who listens to the page, or goes through it by keyboard, begins at its top.
  requestAnimationFrame(() => document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true }));
}

export function startRouting(): void {
  window.addEventListener('popstate', () => { route.value = read(); });
  // Plain clicks on links to our own pages stay in this document.
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.('a');
    if (!(link instanceof HTMLAnchorElement) || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.pathname.startsWith('/assets/')) return;
    if (link.hash !== '' && link.pathname === location.pathname) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
