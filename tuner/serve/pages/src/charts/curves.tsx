// Learning curves of a few trials over each other, by step or by seconds; the steps at which a rule judged are drawn.
import { useMemo } from 'preact/hooks';
import { api, useAnswer } from '../api.ts';
import { numberOf, type Curves as CurvesAnswer, type Goal } from '../answers.ts';
import { numberText, plural, secondsText } from '../numbers.ts';
import { Choice, Figure } from '../parts/figure.tsx';
import { Empty, Failed, Loading } from '../parts/notice.tsx';
import { isShown, roundEnds, valueAxis } from './axis.ts';
import type { Chart, Role, Series } from './chart.ts';
import { Plot } from './plot.tsx';

interface Props {
  readonly study: string;
  readonly trials: string; // "1,2" or "best:20"
  readonly metric: string;
  readonly metrics: readonly string[]; // to choose from
  readonly goal: Goal;
  readonly best: number;
  readonly stateOf: (trial: number) => string;
  readonly by: 'step' | 'seconds';
  readonly onBy: (by: 'step' | 'seconds') => void;
  readonly onMetric: (metric: string) => void;
  readonly onPick: (trial: number) => void;
  readonly describe: (trial: number) => readonly string[];
  readonly height: number;
  readonly note?: string;
}

export function Curves(props: Props) {
  const { study, trials, metric, metrics, goal, best, by, note } = props;
  const query = new URLSearchParams({ trials, metric, points: '500' });
  const answer = useAnswer<CurvesAnswer>(
    trials === '' ? null : api('studies', study, 'curves') + '?' + query,
    'study/' + study,
    2000,
  );
  const curves = answer.data;
  const made = useMemo(() => curves && chartOf(curves, goal, by, best, props.stateOf), [curves, by, best, goal]);
  if (answer.failure !== null && curves === null) return <Failed failure={answer.failure} />;
  if (made === null || curves === null)
    return trials === '' ? <Empty title="No trials to draw curves of." /> : <Loading what="learning curves" />;
  const notes = [
    note,
    made.beyond > 0 ? numberText(made.beyond) + ' values lie beyond the axis.' : '',
    by === 'step' && curves.rungs.length > 0 ? 'Broken lines are the rungs, at which a stop rule judges.' : '',
    curves.curves.some(({ thinned }) => thinned)
      ? 'Long curves are thinned: of each stretch the smallest and the largest value are drawn.'
      : '',
  ];
  return (
    <Figure
      title={metric + ' by ' + (by === 'step' ? 'step' : 'seconds')}
      note={notes.filter(Boolean).join(' ')}
      legend={made.chart.series.map(({ role }) => role)}
      controls={
        <>
          {metrics.length > 1 && (
            <label class="select">
              <span class="unseen">Metric of the curves</span>
              <select value={metric} onChange={(event) => props.onMetric(event.currentTarget.value)}>
                {metrics.map((name) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          )}
          <Choice
            label="Horizontal axis of the curves"
            options={[
              ['step', 'Step'],
              ['seconds', 'Seconds'],
            ]}
            value={by}
            onChoose={props.onBy}
          />
        </>
      }
      table={() => ({
        columns: [
          { title: 'trial', isNumber: true },
          { title: 'state' },
          { title: 'points', isNumber: true },
          { title: 'last step', isNumber: true },
          { title: 'last', isNumber: true },
          { title: 'smallest', isNumber: true },
          { title: 'largest', isNumber: true },
        ],
        rows: curves.curves.map((curve) => {
          const values = curve.values.map(numberOf).filter(Number.isFinite);
          return [
            curve.trial,
            props.stateOf(curve.trial),
            curve.points,
            curve.steps.at(-1) ?? '',
            values.length ? numberText(values.at(-1)!) : '',
            values.length ? numberText(Math.min(...values)) : '',
            values.length ? numberText(Math.max(...values)) : '',
          ];
        }),
      })}
    >
      {made.chart.series.length === 0 ? (
        <Empty title={'No points of ' + metric + ' yet.'} />
      ) : (
        <Plot
          label={'Curves of ' + metric + ' of ' + plural(curves.curves.length, 'trial') + '.'}
          chart={made.chart}
          height={props.height}
          onPick={props.onPick}
          describe={(trial, x, y) => [
            ...props.describe(trial).slice(0, 1),
            metric + ': ' + numberText(y),
            by === 'step' ? 'step ' + numberText(x) : secondsText(x),
            ...props.describe(trial).slice(2),
          ]}
        />
      )}
    </Figure>
  );
}

function chartOf(
  answer: CurvesAnswer,
  goal: Goal,
  by: 'step' | 'seconds',
  best: number,
  stateOf: (trial: number) => string,
): { chart: Chart; beyond: number } {
  const roles: Readonly<Record<string, Role>> = {
    stopped: 'stopped-curve',
    paused: 'stopped-curve',
    failed: 'stopped-curve',
    running: 'running-curve',
  };
  const all: number[] = [];
  let longest = 0;
  const series: Series[] = [];
  let strongest: Series | null = null;
  for (const { trial, steps, values, seconds } of answer.curves) {
    if (steps.length === 0) continue;
    const y = values.map(numberOf),
      x = by === 'seconds' && seconds ? seconds.map(numberOf) : steps;
    for (const value of y) all.push(value);
    longest = Math.max(longest, x[x.length - 1]!);
    const one: Series = {
      role: trial === best ? 'best-curve' : (roles[stateOf(trial)] ?? 'curve'),
      x,
      y,
      trials: [trial],
    };
    if (trial === best) strongest = one;
    else series.push(one);
  }
  if (strongest !== null) series.push(strongest);
  const y = valueAxis(answer.metric, all, goal === 'minimize');
  const beyond = all.filter((value) => Number.isFinite(value) && !isShown(value, y)).length;
  return {
    chart: {
      x: {
        ...roundEnds(by, 0, longest),
        max: longest * 1.02 || 1,
        ...(by === 'step' && { text: (value: number) => (Number.isInteger(value) ? numberText(value) : '') }),
      },
      y,
      series,
      rules: by === 'step' ? answer.rungs : [],
    },
    beyond,
  };
}
