// A study live. The filter, the states and the brushes are one thing, in the address, and hold for every chart and for the table.
import { useEffect, useMemo } from 'preact/hooks';
import { api, useAnswer } from '../api.ts';
import {
  type Importance as ImportanceAnswer,
  type Study,
  type Timeline as TimelineAnswer,
  type TrialLines,
} from '../answers.ts';
import { Curves } from '../charts/curves.tsx';
import { History, type HistoryX } from '../charts/history.tsx';
import { Importance } from '../charts/importance.tsx';
import { Parallel } from '../charts/parallel.tsx';
import { describeTrial, placeOf, selectionOf } from '../charts/selection.ts';
import { Slice } from '../charts/slices.tsx';
import { Timeline } from '../charts/timeline.tsx';
import { TradeOff } from '../charts/trade_off.tsx';
import { conditionsOf, filterText, withColumn, type Condition } from '../filter.ts';
import { Failed, Loading, MissingPage } from '../parts/notice.tsx';
import { Later } from '../parts/later.tsx';
import { watched } from '../live.ts';
import { kLetters, usePoints, varying, type PointParameter } from '../points.ts';
import { go, hrefOf, route, setQuery } from '../route.ts';
import { FilterBar } from './study_filter.tsx';
import { StudyHead } from './study_head.tsx';
import { StudyNow } from './study_now.tsx';
import { StudySetup } from './study_setup.tsx';
import { queryOfTable, TrialTable } from './study_table.tsx';

const kMostAxes = 9,
  kMostCurves = 20;

export function StudyPage({ name }: { name: string }) {
  const topic = 'study/' + name;
  const answer = useAnswer<Study>(api('studies', name), topic, 1000);
  const { query } = route.value;
  const lines = useAnswer<TrialLines>(api('studies', name, 'trials') + '?' + queryOfTable(query), topic, 1000);
  const points = usePoints(name);
  const study = answer.data;
  // There is no stream of a study that is not there, and the server would seem to be gone.
  const isMissing = answer.failure?.isMissing === true;
  useEffect(() => {
    if (isMissing) watched.value = null;
  }, [isMissing]);

  const filter = query.get('filter') ?? '',
    stateText = query.get('state') ?? '';
  const conditions = useMemo(() => conditionsOf(filter), [filter]);
  const states = useMemo(() => new Set(stateText.split(',').filter(Boolean)), [stateText]);
  const selection = useMemo(
    () =>
      points.data &&
      study &&
      selectionOf(points.data, conditions, states, study.metric, study.goal, study.best?.trial ?? 0),
    [points.data, conditions, states, study?.metric, study?.goal, study?.best?.trial],
  );
  const moving = useMemo(() => (points.data ? varying(points.data) : []), [points.data]);
  const axesText = query.get('axes') ?? '';
  const axes = useMemo(() => axesOf(moving, points.data?.parameters, axesText), [moving, axesText]);

  if (study === null)
    return (
      <div class="page">
        <MissingPage title={name} failure={answer.failure} />
      </div>
    );

  const setConditions = (changed: readonly Condition[]) =>
    setQuery({ filter: filterText(changed), offset: null }, true);
  const pick = (trial: number) => go(hrefOf(['studies', name, 'trials', trial]));
  const describe = (trial: number) => (selection ? describeTrial(selection, trial, moving) : ['Trial ' + trial]);
  const stateOf = (trial: number) => {
    const i = points.data === null ? -1 : placeOf(points.data, trial);
    return i < 0 ? '' : kLetters[points.data!.state[i]!]!;
  };
  const picked = query.get('pick') ?? '';
  const isFiltered = conditions.length > 0 || states.size > 0;
  const curveTrials =
    picked !== ''
      ? picked
      : isFiltered
        ? (lines.data?.rows ?? [])
            .slice(0, kMostCurves)
            .map(({ trial }) => trial)
            .join(',')
        : 'best:' + kMostCurves;
  const curveNote =
    picked !== ''
      ? 'The trials that are ticked in the table.'
      : isFiltered
        ? 'The first ' + kMostCurves + ' trials of the table.'
        : 'The best ' + kMostCurves + ' trials, and what runs.';
  const metric = query.get('metric') ?? study.metric;
  const second = study.objectives[1] ?? null;
  const charts = { selection, parameters: moving, onPick: pick };

  return (
    <div class="page">
      <StudyHead study={study} />
      {answer.failure !== null && answer.failure.status !== 0 && <Failed failure={answer.failure} />}
      <StudyNow study={study} />
      <FilterBar
        study={study}
        lines={lines.data}
        failure={lines.failure}
        states={states}
        conditions={conditions}
        filter={filter}
        onConditions={setConditions}
        unknown={selection?.unknown ?? []}
      />
      {points.failure !== null && points.data === null && <Failed failure={points.failure} />}
      {selection ? (
        <>
          <section class="pair" aria-label="History and importance">
            <History
              {...charts}
              selection={selection}
              height={300}
              x={historyX(query.get('x'))}
              isLog={query.has('log') ? query.get('log') === '1' : undefined}
              onX={(x) => setQuery({ x: x === 'trial' ? null : x }, true)}
              onLog={(isLog) => setQuery({ log: isLog ? '1' : '0' }, true)}
            />
            <StudyImportance study={study} />
          </section>
          {moving.length > 0 && (
            <section aria-label="Parallel coordinates">
              <Later height={360}>
                <Parallel
                  {...charts}
                  selection={selection}
                  parameters={axes}
                  space={study.space}
                  conditions={conditions}
                  onConditions={(column, changed) => setConditions(withColumn(conditions, column, changed))}
                  onMove={(column, steps) => setQuery({ axes: moved(axes, column, steps).join(',') }, true)}
                  controls={
                    <AxisChooser
                      all={[...selection.points.parameters.keys()]}
                      shown={axes.map(({ name: axis }) => axis)}
                    />
                  }
                />
              </Later>
            </section>
          )}
        </>
      ) : (
        points.failure === null && (
          <div class="coming">
            <Loading what="the charts" />
          </div>
        )
      )}
      {selection && (
        <>
          <section class="pair even" aria-label="Learning curves and cost">
            <Later height={360}>
              <Curves
                study={name}
                trials={curveTrials}
                metric={metric}
                metrics={[...study.objectives.map((one) => one.metric), ...study.other_metrics]}
                note={curveNote}
                goal={study.objectives.find((one) => one.metric === metric)?.goal ?? 'minimize'}
                best={study.best?.trial ?? 0}
                stateOf={stateOf}
                describe={describe}
                by={query.get('by') === 'seconds' ? 'seconds' : 'step'}
                onBy={(by) => setQuery({ by: by === 'step' ? null : by }, true)}
                onMetric={(chosen) => setQuery({ metric: chosen === study.metric ? null : chosen }, true)}
                onPick={pick}
                height={280}
              />
            </Later>
            <Later height={360}>
              <TradeOff {...charts} selection={selection} second={null} height={280} />
            </Later>
            {second !== null && (
              <Later height={360}>
                <TradeOff {...charts} selection={selection} second={second} height={280} />
              </Later>
            )}
          </section>
        </>
      )}
      <section aria-label="Trials">
        <TrialTable study={study} answer={lines} moving={moving.map(({ name: parameter }) => parameter)} />
      </section>
      {selection && moving.length > 0 && (
        <section>
          <h2>{study.metric} against each parameter</h2>
          <Later height={260}>
            <div class="slices">
              {moving.map((parameter) => (
                <Slice
                  key={parameter.name}
                  selection={selection}
                  parameter={parameter}
                  space={study.space}
                  parameters={moving}
                  onPick={pick}
                />
              ))}
            </div>
          </Later>
        </section>
      )}
      <section aria-label="Timeline">
        <Later height={200}>
          <StudyTimeline name={name} onPick={pick} />
        </Later>
      </section>
      <StudySetup study={study} />
    </div>
  );
}

function historyX(text: string | null): HistoryX {
  return text === 'time' || text === 'hours' ? text : 'trial';
}

// Those that are named, in their order; without names those that vary.
function axesOf(
  moving: readonly PointParameter[],
  all: ReadonlyMap<string, PointParameter> | undefined,
  text: string,
): PointParameter[] {
  if (text === '') return moving.slice(0, kMostAxes);
  return text.split(',').flatMap((name) => all?.get(name) ?? []);
}

function moved(axes: readonly PointParameter[], name: string, steps: number): string[] {
  const names = axes.map((axis) => axis.name),
    from = names.indexOf(name);
  const to = Math.max(0, Math.min(names.length - 1, from + steps));
  names.splice(from, 1);
  names.splice(to, 0, name);
  return names;
}

function AxisChooser({ all, shown }: { all: readonly string[]; shown: readonly string[] }) {
  return (
    <details class="chooser">
      <summary>
        Axes ({shown.length} of {all.length})
      </summary>
      <div class="panel">
        {all.map((name) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={shown.includes(name)}
              onChange={(event) => {
                const next = event.currentTarget.checked ? [...shown, name] : shown.filter((one) => one !== name);
                setQuery({ axes: next.join(',') }, true);
              }}
            />{' '}
            {name}
          </label>
        ))}
        <button type="button" onClick={() => setQuery({ axes: null }, true)}>
          Those that vary
        </button>
      </div>
    </details>
  );
}

interface ImportanceDocument {
  importance: ImportanceAnswer;
  second_importance: ImportanceAnswer | null;
}

function StudyImportance({ study }: { study: Study }) {
  // It changes slowly, and is the one that costs the server something.
  const answer = useAnswer<ImportanceDocument>(
    api('studies', study.study, 'importance'),
    'study/' + study.study,
    10_000,
  );
  if (answer.data === null)
    return answer.failure !== null ? <Failed failure={answer.failure} /> : <Loading what="importance" />;
  const { importance, second_importance: second } = answer.data;
  return (
    <div>
      <Importance importance={importance} metric={study.metric} />
      {second && study.objectives[1] && <Importance importance={second} metric={study.objectives[1].metric} />}
    </div>
  );
}

function StudyTimeline({ name, onPick }: { name: string; onPick: (trial: number) => void }) {
  const answer = useAnswer<TimelineAnswer>(api('studies', name, 'timeline'), 'study/' + name, 3000);
  if (answer.data === null)
    return answer.failure !== null ? <Failed failure={answer.failure} /> : <Loading what="the timeline" />;
  return <Timeline timeline={answer.data} onPick={onPick} />;
}
