// All studies and comparisons of the store.
import { useAnswer } from '../api.ts';
import { numberOf, type Overview, type StudyLine } from '../answers.ts';
import { agoText, countText, dateText, hoursText, numberText, plural, secondsText, timeOf, usdText } from '../numbers.ts';
import { Command } from '../parts/copy.tsx';
import { Empty, Failed, MissingPage } from '../parts/notice.tsx';
import { State } from '../parts/state.tsx';
import { hrefOf, route, setQuery } from '../route.ts';
import { goalText, kTrialStates } from '../words.ts';

const kSorts = [['updated', 'Latest first'], ['name', 'By name'], ['created', 'Newest first']] as const;

export function StudiesPage() {
  const answer = useAnswer<Overview>('/api/overview', 'overview', 1000);
  const { query } = route.value;
  if (answer.data === null) return <div class="page"><MissingPage title="Studies" failure={answer.failure} /></div>;
  const { studies, comparisons, warnings, store, version } = answer.data;
  const sort = query.get('sort') ?? 'updated', text = query.get('find') ?? '';
  const order = (a: StudyLine, b: StudyLine) => sort === 'name' ? a.study.localeCompare(b.study) : sort === 'created' ? timeOf(b.created) - timeOf(a.created) : timeOf(b.updated) - timeOf(a.updated);
  const shown = studies.filter(({ study, metric }) => (study + ' ' + metric).toLowerCase().includes(text.toLowerCase())).sort(order);
  const running = studies.filter(({ state }) => state === 'running');
  return (
    <div class="page">
      <div class="head">
        <div>
          <h1 tabIndex={-1}>Studies</h1>
          <p class="subtitle">{plural(studies.length, 'study').replace('studys', 'studies')}, {running.length} running · store <code>{store}</code></p>
        </div>
        {studies.length > 0 && (
          <div class="controls">
            <label class="find"><span class="unseen">Find studies by name</span>
              <input type="search" placeholder="Find" value={text} onInput={(event) => setQuery({ find: event.currentTarget.value }, true)} />
            </label>
            <label class="select"><span class="unseen">Order of the studies</span>
              <select value={sort} onChange={(event) => setQuery({ sort: event.currentTarget.value === 'updated' ? null : event.currentTarget.value })}>
                {kSorts.map(([value, title]) => <option key={value} value={value}>{title}</option>)}
              </select>
            </label>
          </div>
        )}
      </div>
      {answer.failure !== null && answer.failure.status !== 0 && <Failed failure={answer.failure} />}
      {warnings.map(({ study, message }) => <p key={message} class="notice">{study !== null && <><strong>{study}</strong>: </>}{message}</p>)}
      {studies.length === 0 ? (
        <Empty title="No study in this store yet.">
          <p>A search that is started here shows as soon as it begins:</p>
          <Command text={'tune --spec search.json --store ' + store} label="the command that starts a search" />
        </Empty>
      ) : shown.length === 0 ? <Empty title={'No study has “' + text + '” in its name or metric.'} /> : <StudyTable studies={shown} />}
      {comparisons.length > 0 && (
        <section>
          <h2>Comparisons</h2>
          <div class="scroll" tabIndex={0} role="region" aria-label="Comparisons">
            <table class="wide">
              <caption class="unseen">Comparisons</caption>
              <thead><tr><th scope="col">comparison</th><th scope="col">scored</th><th scope="col" class="number">studies</th><th scope="col">created</th></tr></thead>
              <tbody>
                {comparisons.map(({ comparison, scored, studies: parts, created }) => (
                  <tr key={comparison}>
                    <th scope="row"><a href={hrefOf(['comparisons', comparison])}>{comparison}</a></th>
                    <td>{scored ? 'yes' : 'not yet'}</td><td class="number">{parts?.length ?? ''}</td><td>{dateText(timeOf(created))}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
      <p class="note foot">tune {version} · <a href="/assets/licences.txt">licences of what these pages are made of</a></p>
    </div>
  );
}

function StudyTable({ studies }: { studies: readonly StudyLine[] }) {
  const now = Date.now(), hasPrice = studies.some(({ usd }) => usd !== null);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Studies">
      <table class="wide studies">
        <caption class="unseen">Studies</caption>
        <thead>
          <tr>
            <th scope="col">study</th><th scope="col">state</th><th scope="col">trials</th><th scope="col">metric</th><th scope="col" class="number">best</th>
            <th scope="col" class="number">elapsed</th><th scope="col" class="number">device time</th>{hasPrice && <th scope="col" class="number">cost</th>}
            <th scope="col">updated</th>
          </tr>
        </thead>
        <tbody>
          {studies.map((line) => (
            <tr key={line.study}>
              <th scope="row"><a href={hrefOf(['studies', line.study])}>{line.study}</a></th>
              <td><State state={line.held !== null && line.state === 'running' ? 'paused' : line.state} consoleState={line.console_state} /></td>
              <td><Progress line={line} /></td>
              <td class="metric" title={goalText(line.goal)}>{line.metric}{line.second_metric !== null && ', ' + line.second_metric} <span aria-hidden="true">{line.goal === 'maximize' ? '↑' : '↓'}</span></td>
              <td class="number">{line.best === null ? '–' : <a href={hrefOf(['studies', line.study, 'trials', line.best.trial])}>{numberText(numberOf(line.best.value))}</a>}</td>
              <td class="number">{secondsText(line.elapsed_seconds)}</td>
              <td class="number">{hoursText(line.device_hours)}</td>
              {hasPrice && <td class="number">{usdText(line.usd)}</td>}
              <td title={dateText(timeOf(line.updated))}>{agoText(timeOf(line.updated), now)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// How many trials there are of how many, and what became of them.
export function Progress({ line }: { line: Pick<StudyLine, 'counts' | 'trials' | 'limit_trials'> }) {
  const all = Math.max(line.limit_trials ?? 0, line.trials, 1);
  const parts = (['completed', 'stopped', 'failed', 'paused', 'running'] as const).map((state) => [state, line.counts[state]] as const);
  const words = kTrialStates.filter((state) => line.counts[state] > 0).map((state) => countText(line.counts[state]) + ' ' + state).join(', ') || 'none yet';
  let at = 0;
  return (
    <span class="progress" title={words}>
      <svg class="share" role="img" aria-label={words}>
        {parts.map(([state, count]) => {
          const x = at;
          at += (100 * count) / all;
          return count > 0 && <rect key={state} class={'of-' + state} x={x + '%'} width={(100 * count) / all + '%'} height="100%" />;
        })}
      </svg>
      <span>{countText(line.trials)}{line.limit_trials !== null && ' of ' + countText(line.limit_trials)}</span>
    </span>
  );
}
