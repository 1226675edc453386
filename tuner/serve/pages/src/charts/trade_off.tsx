// The objective against device time, or two objectives against each other, with the front of what nothing beats in both.
import { useMemo } from 'preact/hooks';
import type { Goal } from '../answers.ts';
import { hoursText, numberText, plural } from '../numbers.ts';
import type { PointParameter } from '../points.ts';
import { Figure } from '../parts/figure.tsx';
import { frontOf } from './front.ts';
import { hourUnit, roundEnds, valueAxis, type Axis } from './axis.ts';
import type { Series } from './chart.ts';
import { describeTrial, objectiveAxis, pointSeries, shownValues, type Selection } from './selection.ts';
import { Plot } from './plot.tsx';

export function TradeOff({ selection, second, parameters, onPick, height }: {
  selection: Selection; second: { metric: string; goal: Goal } | null; parameters: readonly PointParameter[]; onPick: (trial: number) => void; height: number;
}) {
  const { points, metric, goal } = selection;
  const xGoal = second?.goal ?? 'minimize';
  const made = useMemo(() => {
    let longest = 0;
    for (const value of shownValues(selection, points.hours)) if (Number.isFinite(value)) longest = Math.max(longest, value);
    const unit = hourUnit(longest), x = second === null ? points.hours.map((hours) => hours * unit.inHour) : points.value2;
    const axis: Axis = second === null ? roundEnds('device time, ' + unit.name, 0, longest * unit.inHour || 1) : valueAxis(second.metric, shownValues(selection, x), xGoal === 'minimize');
    const y = objectiveAxis(selection);
    const front = frontOf(selection, x, xGoal, goal);
    const series: Series[] = [];
    if (front.length > 0) {
      // Steps go on from the smallest x, whichever end is the good one.
      const ordered = xGoal === 'minimize' ? front : [...front].reverse();
      series.push({ role: 'front', x: ordered.map((i) => x[i]!), y: ordered.map((i) => points.value[i]!), trials: [0] });
    }
    series.push(...pointSeries(selection, x, points.value));
    return { chart: { x: axis, y, series }, front, x };
  }, [selection, second?.metric]);
  const xName = made.chart.x.title, x = made.x;
  return (
    <Figure title={metric + ' against ' + xName} legend={made.chart.series.map(({ role }) => role)}
      note={plural(made.front.length, 'trial') + ' on the front, where no other completed trial is ' + (second === null ? 'both cheaper and better.' : 'better in both.')}
      table={() => ({
        columns: [{ title: 'trial', isNumber: true }, { title: xName, isNumber: true }, { title: metric, isNumber: true }],
        rows: made.front.map((i) => [points.number[i], second === null ? hoursText(points.hours[i]!) : numberText(x[i]!), numberText(points.value[i]!)]),
      })}>
      <Plot label={metric + ' against ' + xName + ', with the front of the best trade-offs.'} chart={made.chart} height={height} onPick={onPick}
        describe={(trial) => describeTrial(selection, trial, parameters)} />
    </Figure>
  );
}
