// What every page has: the way to the others, whether the server is heard, and the page that the address names.
import { useEffect, useState } from 'preact/hooks';
import { contact, contactAt, reconnect, watched } from './live.ts';
import { clockText } from './numbers.ts';
import { hrefOf, route } from './route.ts';
import { choice, choose, type Choice } from './theme.ts';
import { StudiesPage } from './pages/studies.tsx';
import { StudyPage } from './pages/study.tsx';
import { TrialPage } from './pages/trial.tsx';
import { ComparisonPage } from './pages/comparison.tsx';
import { ModelsPage } from './pages/models.tsx';
import { ModelPage } from './pages/model.tsx';
import { EndpointsPage } from './pages/endpoints.tsx';
import { EndpointPage } from './pages/endpoint.tsx';

const kPlaces = [['studies', 'Studies'], ['models', 'Models'], ['endpoints', 'Endpoints']] as const;

export function App() {
  const { path } = route.value;
  const place = path[0] ?? 'studies';
  const study = place === 'studies' ? path[1] ?? null : null;
  useEffect(() => { watched.value = study; }, [study]);
  useEffect(() => { document.title = [...path.slice(1).filter((part) => part !== 'trials').reverse(), 'tune'].join(' · '); }, [path.join('/')]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.querySelector<HTMLElement>('main h1')?.focus(); }}>Skip to the content</a>
      <header class="top">
        <a class="brand" href="/">tune</a>
        <nav aria-label="Pages">
          <ul>
            {kPlaces.map(([name, title]) => {
              const isHere = place === name || (name === 'studies' && place === 'comparisons');
              return <li key={name}><a href={hrefOf(name === 'studies' ? [] : [name])} aria-current={isHere ? 'page' : undefined}>{title}</a></li>;
            })}
          </ul>
        </nav>
        <Contact />
        <Theme />
      </header>
      <Banner />
      <main id="main"><Page path={path} /></main>
    </>
  );
}

function Page({ path }: { path: readonly string[] }) {
  const [place, name, part, number] = path;
  if (place === undefined || (place === 'studies' && name === undefined)) return <StudiesPage />;
  if (place === 'studies' && name !== undefined && part === 'trials' && number !== undefined && /^\d+$/.test(number))
    return <TrialPage key={name + '/' + number} study={name} trial={Number(number)} />;
  if (place === 'studies' && name !== undefined && part === undefined) return <StudyPage key={name} name={name} />;
  if (place === 'comparisons' && name !== undefined) return <ComparisonPage key={name} name={name} />;
  if (place === 'models') return name === undefined ? <ModelsPage /> : <ModelPage key={name} name={name} />;
  if (place === 'endpoints') return name === undefined ? <EndpointsPage /> : <EndpointPage key={name} name={name} />;
  return (
    <div class="page">
      <h1 tabIndex={-1}>There is no such page</h1>
      <p>The address <code>{location.pathname}</code> names none. <a href="/">All studies</a></p>
    </div>
  );
}

function Contact() {
  const words = { connecting: 'connecting', live: 'live', lost: 'disconnected' }[contact.value];
  const at = clockText(contactAt.value);
  return (
    <span class={'contact ' + contact.value} title={at ? 'Last heard from the server at ' + at : ''}>
      <span class="dot" aria-hidden="true" /> <span class="word">{words}</span>
      {at && <span class="at">data as of {at}</span>}
    </span>
  );
}

function Banner() {
  // A gap of a second is no news.
  const [isLong, setLong] = useState(false);
  const isLost = contact.value === 'lost';
  useEffect(() => {
    if (!isLost) {
      setLong(false);
      return;
    }
    const timer = setTimeout(() => setLong(true), 1500);
    return () => clearTimeout(timer);
  }, [isLost]);
  return (
    <div role="status" class="banner-place">
      {isLost && isLong && (
        <div class="banner">
          <strong>Disconnected from the server.</strong>{' '}
          {Number.isFinite(contactAt.value) ? 'What is shown is as of ' + clockText(contactAt.value) + '. ' : ''}Trying again…
          <button type="button" onClick={reconnect}>Try now</button>
        </div>
      )}
    </div>
  );
}

function Theme() {
  return (
    <label class="select theme"><span class="unseen">Colours</span>
      <select value={choice.value} onChange={(event) => choose(event.currentTarget.value as Choice)}>
        <option value="system">System</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}
