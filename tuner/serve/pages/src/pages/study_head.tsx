// The head of a study: what it is, where it stands, and what can be asked of it.
import type { Study } from '../answers.ts';
import { numberOf } from '../answers.ts';
import { countText, hoursText, numberText, percentText, plural, secondsText, usdText, valueText } from '../numbers.ts';
import { State } from '../parts/state.tsx';
import { Tiles, type Tile } from '../parts/tiles.tsx';
import { hrefOf } from '../route.ts';
import { goalText } from '../words.ts';
import { Progress } from './studies.tsx';
import { Steering } from './study_steering.tsx';

export function StudyHead({ study }: { study: Study }) {
  const isHeld = study.held !== null && study.state === 'running';
  return (
    <>
      <nav class="crumbs" aria-label="Where this is"><a href="/">Studies</a>{study.comparison !== null && <> / <a href={hrefOf(['comparisons', study.comparison])}>{study.comparison}</a></>}</nav>
      <div class="head">
        <div>
          <h1 tabIndex={-1}>{study.study}</h1>
          <p class="subtitle"><State state={isHeld ? 'paused' : study.state} consoleState={study.console_state} /> <span class="note">{standingOf(study)}</span></p>
        </div>
        <Steering study={study} />
      </div>
      <Tiles tiles={tilesOf(study)} />
      {study.warning !== '' && <p class="notice">{study.warning}</p>}
      {study.edge_texts.map((text) => <p key={text} class="notice">{text}</p>)}
    </>
  );
}

function tilesOf(study: Study): Tile[] {
  const { best, counts, progress, cost } = study;
  const tiles: Tile[] = [];
  const hasBest = best !== null && best.trial !== null;
  tiles.push({
    title: 'best ' + study.metric,
    value: hasBest ? <a href={hrefOf(['studies', study.study, 'trials', best.trial!])}>{numberText(numberOf(best.value))}</a> : '–',
    note: hasBest ? 'trial ' + best.trial + ', ' + goalText(study.goal) : goalText(study.goal),
  });
  const second = study.objectives[1];
  if (second !== undefined && hasBest && best.values && best.values.length > 1)
    tiles.push({ title: second.metric, value: numberText(numberOf(best.values[1])), note: 'of the same trial, ' + goalText(second.goal) });
  const trials = Object.entries(counts).reduce((sum, [, count]) => sum + count, 0);
  tiles.push({
    title: 'trials', value: countText(trials),
    note: <Progress line={{ counts, trials: progress?.searched ?? trials, limit_trials: progress?.limit ?? null }} />,
  });
  const total = cost.total;
  if (total !== undefined) {
    const idle = cost.idle?.device_hours ?? 0;
    tiles.push({
      title: 'device time', value: hoursText(total.device_hours),
      note: [usdText(total.usd), limitText(study, 'gpu_hours', (hours) => 'of ' + hoursText(hours)), limitText(study, 'cost_usd', (usd) => 'of ' + usdText(usd)),
        idle > 0 ? percentText(idle / (idle + total.device_hours)) + ' idle beside it' : ''].filter(Boolean).join(', '),
    });
  }
  if (study.state === 'running' || study.is_live)
    tiles.push({
      title: 'forecast', value: progress?.remaining_seconds == null ? '–' : secondsText(progress.remaining_seconds),
      note: progress?.remaining_seconds == null ? 'not known yet' : 'left, about ' + new Intl.DateTimeFormat('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' }).format(Date.now() + 1000 * progress.remaining_seconds),
    });
  tiles.push({ title: 'elapsed', value: secondsText(study.elapsed_seconds), note: study.limits.time ? 'of ' + valueText(study.limits.time) : '' });
  if (study.stopped_early && study.stopped_early.trials > 0)
    tiles.push({ title: 'saved by stopping early', value: hoursText(study.stopped_early.saved_estimate.device_hours), note: plural(study.stopped_early.trials, 'trial') + ' stopped, estimated' });
  const live = study.promoted.find(({ current }) => current);
  if (live !== undefined)
    tiles.push({ title: 'promoted', value: <a class="text" href={hrefOf(['models', live.model])}>{live.model}</a>, note: 'version ' + live.version + ', trial ' + live.trial });
  return tiles;
}

// What the standing says beyond the state: "(trial limit)".
function standingOf({ state, standing }: Study): string {
  return standing.startsWith(state) ? standing.slice(state.length).replace(/^,? /, '') : standing;
}

function limitText(study: Study, name: string, text: (value: number) => string): string {
  const limit = study.limits[name];
  return typeof limit === 'number' ? text(limit) : '';
}
