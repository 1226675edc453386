// The objective against device time, or two objectives against each other, with the front of what nothing beats in both.
import { useMemo } from 'preact/hooks';
import type { Goal } from '../answers.ts';
import { hoursText, numberText, plural } from '../numbers.ts';
import type { PointParameter } from '../points.ts';
import { Figure } from '../parts/figure.tsx';
import { roundEnds, valueAxis, type Axis } from './axis.ts';
import type { Series } from './chart.ts';
import { describeTrial, pointSeries, shownValues, type Selection } from './selection.ts';
import { Plot } from './plot.tsx';

// Places of completed trials that no other one beats in both, by x.
export function frontOf({ points }: Selection, x: ArrayLike<number>, xGoal: Goal, goal: Goal): number[] {
  const signX = xGoal === 'minimize' ? 1 : -1, signY = goal === 'minimize' ? 1 : -1;
  const places = [...points.number.keys()].filter((i) => points.state[i] === 'c' && points.isApart[i] === 0 && Number.isFinite(x[i]!) && Number.isFinite(points.value[i]!));
  places.sort((a, b) => signX * (x[a]! - x[b]!) || signY * (points.value[a]! - points.value[b]!));
  const front: number[] = [];
  let best = Infinity;
  for (const i of places) {
    if (signY * points.value[i]! >= best) continue;
    best = signY * points.value[i]!;
    front.push(i);
  }
  return front;
}

export function TradeOff({ selection, second, parameters, onPick, height }: {
  selection: Selection; second: { metric: string; goal: Goal } | null; parameters: readonly PointParameter[]; onPick: (trial: number) => void; height: number;
}) {
  const { points, metric, goal } = selection;
  const x = second === null ? points.hours : points.value2;
  const xGoal = second?.goal ?? 'minimize', xName = second?.metric ?? 'device time';
  const made = useMemo(() => {
    let longest = 0;
    for (const value of shownValues(selection, x)) if (Number.isFinite(value)) longest = Math.max(longest, value);
    const axis: Axis = second === null ? { ...roundEnds('device hours of a trial', 0, longest || 1), text: hoursText } : valueAxis(second.metric, shownValues(selection, x), xGoal === 'minimize');
    const y = valueAxis(metric, shownValues(selection, points.value), goal === 'minimize');
    const front = frontOf(selection, x, xGoal, goal);
    const series: Series[] = [];
    if (front.length > 0) {
      // Steps go on from the smallest x, whichever end is the good one.
      const ordered = xGoal === 'minimize' ? front : [...front].reverse();
      series.push({ role: 'front', x: ordered.map((i) => x[i]!), y: ordered.map((i) => points.value[i]!), trials: [0] });
    }
    series.push(...pointSeries(selection, x, points.value));
    return { chart: { x: axis, y, series }, front };
  }, [selection, second?.metric]);
  return (
    <Figure title={metric + ' against ' + xName} legend={made.chart.series.map(({ role }) => role)}
      note={plural(made.front.length, 'trial') + ' on the front, where no other completed trial is ' + (second === null ? 'both cheaper and better.' : 'better in both.')}
      table={() => ({
        columns: [{ title: 'trial', isNumber: true }, { title: xName, isNumber: true }, { title: metric, isNumber: true }],
        rows: made.front.map((i) => [points.number[i], second === null ? hoursText(x[i]!) : numberText(x[i]!), numberText(points.value[i]!)]),
      })}>
      <Plot label={metric + ' against ' + xName + ', with the front of the best trade-offs.'} chart={made.chart} height={height} onPick={onPick}
        describe={(trial) => describeTrial(selection, trial, parameters)} />
    </Figure>
  );
}
