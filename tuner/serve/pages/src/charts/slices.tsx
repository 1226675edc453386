// The objective against each parameter, one small chart a parameter.
import { useMemo } from 'preact/hooks';
import type { SpaceParameter } from '../answers.ts';
import { numberText } from '../numbers.ts';
import type { PointParameter } from '../points.ts';
import { Figure } from '../parts/figure.tsx';
import { categories, roundEnds, type Axis, type ScaleName } from './axis.ts';
import { describeTrial, objectiveAxis, parameterText, pointSeries, type Selection } from './selection.ts';
import { Plot } from './plot.tsx';

export function parameterAxis(parameter: PointParameter, space: readonly SpaceParameter[]): Axis {
  if (parameter.labels !== null) return categories(parameter.name, parameter.labels);
  let low = Infinity, high = -Infinity;
  for (const value of parameter.values) if (Number.isFinite(value)) low = Math.min(low, value), high = Math.max(high, value);
  const declared = space.find(({ name }) => name === parameter.name);
  if (declared !== undefined && declared.min !== null && declared.max !== null) low = Math.min(low, declared.min), high = Math.max(high, declared.max);
  if (!(high > low)) return roundEnds(parameter.name, Number.isFinite(low) ? low : 0, Number.isFinite(high) ? high : 1);
  const wanted = declared?.scale;
  const scale: ScaleName = wanted === 'log' && low > 0 ? 'log' : wanted === 'reverse_log' && high < 1 ? 'reverse_log' : 'linear';
  return { title: parameter.name, scale, min: low, max: high };
}

export function Slice({ selection, parameter, space, parameters, onPick }: {
  selection: Selection; parameter: PointParameter; space: readonly SpaceParameter[]; parameters: readonly PointParameter[]; onPick: (trial: number) => void;
}) {
  const { points, mask, metric } = selection;
  const chart = useMemo(() => ({
    x: parameterAxis(parameter, space), y: objectiveAxis(selection),
    series: pointSeries(selection, parameter.values, points.value),
  }), [selection, parameter, space]);
  const note = { log: 'logarithmic axis', reverse_log: 'axis logarithmic in the distance from 1', linear: '', categories: '', time: '' }[chart.x.scale];
  return (
    <Figure title={parameter.name} note={note} table={() => ({
      columns: [{ title: 'trial', isNumber: true }, { title: parameter.name, isNumber: parameter.labels === null }, { title: metric, isNumber: true }],
      rows: byValue(selection).filter((i) => mask[i] === 1).slice(0, 1000).map((i) =>
        [points.number[i], parameterText(parameter, i), numberText(points.value[i]!)]),
    })}>
      <Plot label={metric + ' against ' + parameter.name + '.'} chart={chart} height={190} isSmall onPick={onPick}
        describe={(trial) => describeTrial(selection, trial, parameters)} />
    </Figure>
  );
}

function byValue({ points, goal }: Selection): number[] {
  const sign = goal === 'maximize' ? -1 : 1;
  return [...points.number.keys()].filter((i) => Number.isFinite(points.value[i]!)).sort((a, b) => sign * (points.value[a]! - points.value[b]!));
}
