// What stands in place of something that is not there: not yet, not at all, or not any more.
import type { ComponentChildren } from 'preact';
import type { Failure } from '../api.ts';
import { hrefOf, route } from '../route.ts';

export function Loading({ what }: { what: string }) {
  return (
    <p class="loading" role="status">
      Loading {what}…
    </p>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p>
        <strong>{title}</strong>
      </p>
      {children}
    </div>
  );
}

export function Failed({ failure }: { failure: Failure }) {
  return (
    <div class="broken" role="alert">
      <p>
        <strong>{failure.message}</strong>
      </p>
      {failure.hint !== '' && <p>{failure.hint}</p>}
    </div>
  );
}

// The list that what is not there would be in.
function WayBack() {
  const place = route.value.path[0];
  const list = place === 'models' || place === 'endpoints' ? place : 'studies';
  return (
    <p>
      <a href={hrefOf(list === 'studies' ? [] : [list])}>All {list}</a>
    </p>
  );
}

// A whole page of it, with the heading that every page has.
export function MissingPage({ title, failure }: { title: string; failure: Failure | null }) {
  return (
    <>
      <h1 tabIndex={-1}>{title}</h1>
      {failure === null ? <Loading what="it" /> : <Failed failure={failure} />}
      {failure?.isMissing && <WayBack />}
    </>
  );
}
