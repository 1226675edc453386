// One trial: what it was given, how that differs from the best, what it came to and why, its attempts, its log as it grows.
import { useState } from 'preact/hooks';
import { api, useAnswer } from '../api.ts';
import { numberOf, type Study, type Trial } from '../answers.ts';
import { Curves } from '../charts/curves.tsx';
import { bytesText, dateText, hoursText, numberText, plural, secondsText, timeOf, usdText, valueText } from '../numbers.ts';
import { Command } from '../parts/copy.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Grid } from '../parts/grid.tsx';
import { Empty, Failed, MissingPage } from '../parts/notice.tsx';
import { State } from '../parts/state.tsx';
import { Tiles, type Tile } from '../parts/tiles.tsx';
import { go, hrefOf, route, setQuery } from '../route.ts';
import { kindText } from '../words.ts';
import { request } from './study_steering.tsx';
import { TrialLog } from './trial_log.tsx';

export function TrialPage({ study, trial }: { study: string; trial: number }) {
  const topic = 'study/' + study;
  const answer = useAnswer<Trial>(api('studies', study, 'trials', trial), topic, 1500);
  const parent = useAnswer<Study>(api('studies', study), topic, 5000);
  const [asked, ask] = useState<'stop' | 'rerun' | null>(null);
  const { query } = route.value;
  const whole = answer.data;
  const crumbs = <nav class="crumbs" aria-label="Where this is"><a href="/">Studies</a> / <a href={hrefOf(['studies', study])}>{study}</a></nav>;
  if (whole === null) return <div class="page">{crumbs}<MissingPage title={'Trial ' + trial} failure={answer.failure} /></div>;
  const one = whole.trial, total = parent.data === null ? 0 : Object.values(parent.data.counts).reduce((sum, count) => sum + count, 0);
  const isOpen = one.state === 'running' || one.state === 'queued' || one.state === 'paused';
  const metric = query.get('metric') ?? one.metric;
  const withBest = whole.best_trial !== null && whole.best_trial !== trial && query.get('beside') !== '0';
  const canAsk = parent.data?.accepts_requests ?? false;
  return (
    <div class="page">
      {crumbs}
      <div class="head">
        <div>
          <h1 tabIndex={-1}>Trial {trial}</h1>
          <p class="subtitle">
            <State state={one.deleted ? 'deleted' : one.state} /> {one.reason !== one.state && one.reason !== '' && <span class="reason">· {one.reason}</span>}
            {one.replicate_of !== null && <> · replicate of <a href={hrefOf(['studies', study, 'trials', one.replicate_of])}>trial {one.replicate_of}</a></>}
            {one.rerun_of !== null && <> · repeats <a href={hrefOf(['studies', study, 'trials', one.rerun_of])}>trial {one.rerun_of}</a></>}
          </p>
        </div>
        <div class="controls">
          {canAsk && isOpen && one.state === 'running' && <button type="button" onClick={() => ask('stop')}>Stop this trial…</button>}
          {canAsk && !isOpen && <button type="button" onClick={() => ask('rerun')}>Run it again…</button>}
          <button type="button" disabled={trial <= 1} onClick={() => go(hrefOf(['studies', study, 'trials', trial - 1]))} ><span aria-hidden="true">‹ </span><span class="unseen">Trial before: </span>{trial > 1 ? trial - 1 : ''}</button>
          <button type="button" disabled={total > 0 && trial >= total} onClick={() => go(hrefOf(['studies', study, 'trials', trial + 1]))} ><span class="unseen">Next trial: </span>{trial + 1}<span aria-hidden="true"> ›</span></button>
        </div>
      </div>
      {answer.failure !== null && answer.failure.status !== 0 && <Failed failure={answer.failure} />}
      <Tiles tiles={tilesOf(whole)} />
      {one.cut !== null && <p class="notice">It was cut short by limits.{one.cut}, and might have become better with more time.</p>}
      {Object.keys(one.overrides).length > 0 && <p class="notice">It ran with {Object.entries(one.overrides).map(([name, value]) => name + '=' + valueText(value)).join(' ')}, since it ran out of memory as it was suggested.</p>}
      {whole.versions.length > 0 && <p class="notice good">Its model is {whole.versions.map((version, k) => <>{k > 0 && ', '}<a href={hrefOf(['models', version.model])}>{version.model}</a> version {version.version}{version.current ? ' (current)' : ''}</>)}.</p>}
      <section class="pair even">
        <Parameters whole={whole} />
        <div>
          <h2>Why</h2>
          <pre class="why">{whole.explanation_text || 'Nothing was recorded.'}</pre>
        </div>
      </section>
      <section>
        <h2>Curves</h2>
        {whole.metrics.length === 0 ? <Empty title="It has reported no metric yet." /> : (
          <>
            <Curves study={study} trials={withBest ? trial + ',' + whole.best_trial : String(trial)} metric={metric} metrics={whole.metrics.map(({ name }) => name)}
              goal={parent.data?.objectives.find((objective) => objective.metric === metric)?.goal ?? 'minimize'} best={whole.best_trial ?? 0}
              stateOf={(number) => (number === trial ? one.state : 'completed')} describe={(number) => ['Trial ' + number + (number === whole.best_trial ? ' (best)' : '')]}
              by={query.get('by') === 'seconds' ? 'seconds' : 'step'} onBy={(by) => setQuery({ by: by === 'step' ? null : by }, true)}
              onMetric={(name) => setQuery({ metric: name === one.metric ? null : name }, true)} onPick={() => undefined} height={260} />
            <Grid caption="Metrics" data={{
              columns: [{ title: 'metric' }, { title: 'points', isNumber: true }, { title: 'last', isNumber: true }, { title: 'smallest', isNumber: true }, { title: 'largest', isNumber: true }],
              rows: whole.metrics.map(({ name, points, last, min, max }) => [name, points, valueText(last), valueText(min), valueText(max)]),
            }} />
          </>
        )}
      </section>
      <TrialLog study={study} trial={trial} attempts={one.attempts.map(({ attempt }) => attempt)} />
      {one.attempts.length > 0 && (
        <section>
          <h2>Attempts</h2>
          <Grid caption="Attempts" isHidden data={{
            columns: [{ title: 'attempt', isNumber: true }, { title: 'state' }, { title: 'ended with' }, { title: 'time', isNumber: true }, { title: 'CPU time', isNumber: true }, { title: 'memory', isNumber: true },
              { title: 'GPU memory', isNumber: true }, { title: 'devices', isLong: true }, { title: 'started' }, { title: 'reason', isLong: true }],
            rows: one.attempts.map((attempt) => [attempt.attempt, <State state={attempt.state} />, endOf(attempt), secondsText(attempt.lease_seconds), secondsText(attempt.cpu_seconds),
              attempt.max_rss_bytes > 0 ? bytesText(attempt.max_rss_bytes) : '', attempt.peak_device_memory_bytes ? bytesText(attempt.peak_device_memory_bytes) : '',
              attempt.devices.join(', ') || plural(attempt.threads, 'thread'), dateText(timeOf(attempt.started)), attempt.reason]),
          }} />
        </section>
      )}
      <section>
        <h2>Run it by hand</h2>
        {whole.command_text && <Command text={whole.command_text} label="the command of this trial" />}
        {whole.environment_note !== '' && <p class="note">{whole.environment_note}</p>}
        {whole.tune_command !== '' && <Command text={whole.tune_command} label="the command that repeats it" />}
        <p class="note">Files: <code>{whole.folder}</code></p>
        {whole.artifacts.length > 0 && (
          <details>
            <summary>{plural(whole.artifacts.length, 'file')} that it has left</summary>
            <Grid caption="Files" isHidden data={{ columns: [{ title: 'file' }, { title: 'attempt', isNumber: true }, { title: 'size', isNumber: true }],
              rows: whole.artifacts.map(({ path, attempt, bytes }) => [path, attempt, bytesText(bytes)]) }} />
          </details>
        )}
      </section>
      {one.events.length > 0 && (
        <details>
          <summary>Events ({one.events.length})</summary>
          <Grid caption="Events" isHidden data={{ columns: [{ title: 'time' }, { title: 'event' }, { title: 'attempt', isNumber: true }, { title: '', isLong: true }],
            rows: one.events.map(({ time, kind, attempt, data }) => [dateText(timeOf(time)), kindText(kind), attempt || '', typeof data.message === 'string' ? data.message : Object.keys(data).length > 0 ? JSON.stringify(data) : '']) }} />
        </details>
      )}
      {asked === 'stop' && (
        <Dialog title={'Stop trial ' + trial + '?'} confirm="Stop the trial" isDangerous onClose={() => ask(null)} action={() => request(study, 'stop', { trial })}>
          <p>It counts as stopped, with the value that it has reached.</p>
          <Command text={'tune stop ' + study + '/' + trial} label="the command that does the same" />
        </Dialog>
      )}
      {asked === 'rerun' && (
        <Dialog title={'Run trial ' + trial + ' again?'} confirm="Run it again" onClose={() => ask(null)} action={() => request(study, 'rerun', { trial })}>
          <p>A trial of its own number repeats it exactly. It is no point of the search.</p>
          <Command text={'tune rerun ' + study + '/' + trial} label="the command that does the same" />
        </Dialog>
      )}
    </div>
  );
}

function tilesOf({ trial, best_trial: best }: Trial): Tile[] {
  const tiles: Tile[] = [{
    title: trial.metric, value: trial.value === null ? '–' : numberText(numberOf(trial.value)),
    note: trial.trial === best ? 'the best' : trial.rank !== null ? 'place ' + trial.rank : trial.state === 'stopped' || trial.state === 'paused' ? 'what it had reached' : '',
  }];
  if (trial.second_metric !== undefined && trial.values.length > 1) tiles.push({ title: trial.second_metric, value: valueText(trial.values[1]) });
  tiles.push({ title: 'time', value: trial.seconds === null ? '–' : secondsText(trial.seconds), note: trial.started ? 'from ' + dateText(timeOf(trial.started)) : '' });
  tiles.push({ title: 'device time', value: hoursText(trial.cost.device_hours), note: [usdText(trial.cost.usd), trial.retried_cost.device_hours > 0 ? hoursText(trial.retried_cost.device_hours) + ' of it run again' : ''].filter(Boolean).join(', ') });
  tiles.push({ title: 'attempts', value: trial.attempts.length, note: trial.budget < 1 ? 'budget ' + numberText(trial.budget) : '' });
  return tiles;
}

function endOf({ exit_code: code, signal, stop }: Trial['trial']['attempts'][number]): string {
  return [signal !== null ? 'signal ' + signal : code !== null ? 'exit code ' + code : '', stop].filter(Boolean).join(', ');
}

function Parameters({ whole }: { whole: Trial }) {
  const { trial, compared_to_best: compared, best_trial: best } = whole;
  const other = new Map(compared.map(({ name, best: value }) => [name, value]));
  const isBest = best === null || best === trial.trial;
  const names = [...new Set([...Object.keys(trial.parameters), ...compared.map(({ name }) => name)])];
  return (
    <div>
      <h2>Hyperparameters</h2>
      {names.length === 0 ? <Empty title="Nothing is searched." /> : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Hyperparameters">
          <table class="wide">
            <caption class="unseen">Hyperparameters</caption>
            <thead><tr><th scope="col">parameter</th><th scope="col" class="number">value</th>{!isBest && <th scope="col" class="number">best (trial {best})</th>}</tr></thead>
            <tbody>
              {names.map((name) => (
                <tr key={name} class={other.has(name) ? 'differs' : ''}>
                  <th scope="row">{name}</th>
                  <td class="number">{name in trial.parameters ? valueText(trial.parameters[name]) : 'not active'}</td>
                  {!isBest && <td class="number">{other.has(name) ? (other.get(name) === null ? 'not active' : valueText(other.get(name))) : 'the same'}</td>}
                </tr>
              ))}
              {Object.entries(trial.fixed).map(([name, value]) => (
                <tr key={'fixed ' + name}><th scope="row">{name} <span class="note">fixed</span></th><td class="number">{valueText(value)}</td>{!isBest && <td class="number" />}</tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
