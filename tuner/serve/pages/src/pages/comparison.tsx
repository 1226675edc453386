// A comparison: what each approach reached on the test set, the differences with their intervals, what each part cost.
import { api, useAnswer } from '../api.ts';
import type { Cost, Num } from '../answers.ts';
import { hoursText, numberText, usdText, valueText } from '../numbers.ts';
import { Grid, type Column } from '../parts/grid.tsx';
import { Empty, Failed, MissingPage } from '../parts/notice.tsx';
import { Tiles } from '../parts/tiles.tsx';
import { hrefOf } from '../route.ts';

interface Row {
  name: string; approach: string; kind: string; table: string; winner: { study: string; trial: number } | null; validation_metric: string; selection: Num; cost: Cost;
  parameters: Num; latency_ms: Num; peak_memory_bytes: Num; runs: { study: string; trial: number; validation: Num }[]; [score: string]: unknown;
}
interface AnswerRow {
  question: string; row: string; against: string; difference: Num; interval: [number, number] | null; no_interval: string | null; p: Num; adjusted_p: Num; verdict: string;
}
interface Document {
  comparison: {
    comparison?: string; rows?: Row[]; answers?: AnswerRow[]; studies?: { study: string; total: Cost; completed: Cost; stopped: Cost; failed: Cost; idle: Cost }[];
    cost?: { total: Cost; idle: Cost }; test?: Record<string, unknown>; warnings?: string[]; notes?: string[];
  };
  text?: string;
}

export function ComparisonPage({ name }: { name: string }) {
  const answer = useAnswer<Document>(api('comparisons', name), 'overview', 5000);
  const crumbs = <nav class="crumbs" aria-label="Where this is"><a href="/">Studies</a> / Comparisons</nav>;
  if (answer.data === null) return <div class="page">{crumbs}<MissingPage title={name} failure={answer.failure} /></div>;
  const { comparison, text } = answer.data;
  const rows = comparison.rows ?? [], answers = comparison.answers ?? [], studies = comparison.studies ?? [], total = comparison.cost?.total;
  const score = rows.some((row) => 'AP' in row) ? 'AP' : 'score', metric = score === 'AP' ? 'AP' : valueText(comparison.test?.metric) || 'score';
  const hasPrice = total?.usd != null;
  return (
    <div class="page">
      {crumbs}
      <h1 tabIndex={-1}>{name}</h1>
      <p class="subtitle">A comparison of {rows.length} rows{comparison.test?.images !== undefined && ' on ' + valueText(comparison.test.images) + ' test images'}</p>
      {answer.failure !== null && answer.failure.status !== 0 && <Failed failure={answer.failure} />}
      {total !== undefined && <Tiles tiles={[
        { title: 'device time', value: hoursText(total.device_hours), note: usdText(total.usd) },
        ...(comparison.cost?.idle ? [{ title: 'idle beside it', value: hoursText(comparison.cost.idle.device_hours), note: usdText(comparison.cost.idle.usd) }] : []),
        { title: 'studies', value: studies.length },
      ]} />}
      {(comparison.warnings ?? []).map((warning) => <p key={warning} class="notice">{warning}</p>)}
      {answers.length > 0 && <section><h2>Differences on the test set</h2><Answers answers={answers} metric={metric} /></section>}
      {rows.length === 0 ? <Empty title="It has no rows yet." /> : (
        <section>
          <h2>Rows</h2>
          <Grid caption="Rows of the comparison" isHidden data={{
            columns: [{ title: 'row' }, { title: metric, isNumber: true }, { title: 'spread', isNumber: true }, { title: 'runs', isNumber: true }, { title: 'winner' }, { title: 'device time', isNumber: true },
              ...(hasPrice ? [{ title: 'cost', isNumber: true }] : []), { title: 'latency', isNumber: true }, { title: 'parameters', isNumber: true }] as Column[],
            rows: rows.map((row) => [row.name, valueText(row[score]), valueText(row[score + '_spread']), row.runs.length,
              row.winner ? <a href={hrefOf(['studies', row.winner.study, 'trials', row.winner.trial])}>{row.winner.study}/{row.winner.trial}</a> : '', hoursText(row.cost.device_hours),
              ...(hasPrice ? [usdText(row.cost.usd)] : []), typeof row.latency_ms === 'number' ? numberText(row.latency_ms) + ' ms' : '', valueText(row.parameters)]),
          }} />
        </section>
      )}
      {studies.length > 0 && (
        <section>
          <h2>Studies</h2>
          <Grid caption="What each study cost" isHidden data={{
            columns: [{ title: 'study' }, { title: 'device time', isNumber: true }, { title: 'completed', isNumber: true }, { title: 'stopped', isNumber: true }, { title: 'failed', isNumber: true }, { title: 'idle', isNumber: true },
              ...(hasPrice ? [{ title: 'cost', isNumber: true }] : [])] as Column[],
            rows: studies.map((study) => [<a href={hrefOf(['studies', study.study])}>{study.study}</a>, hoursText(study.total.device_hours), hoursText(study.completed.device_hours), hoursText(study.stopped.device_hours),
              hoursText(study.failed.device_hours), hoursText(study.idle.device_hours), ...(hasPrice ? [usdText(study.total.usd)] : [])]),
          }} />
        </section>
      )}
      {(comparison.notes ?? []).length > 0 && <section><h2>Notes</h2><ul>{comparison.notes!.map((note) => <li key={note}>{note}</li>)}</ul></section>}
      {text && <details><summary>As the terminal shows it</summary><pre class="why">{text}</pre></details>}
    </div>
  );
}

function Answers({ answers, metric }: { answers: readonly AnswerRow[]; metric: string }) {
  let low = 0, high = 0;
  for (const { interval, difference } of answers)
    for (const value of [...(interval ?? []), difference]) if (typeof value === 'number') low = Math.min(low, value), high = Math.max(high, value);
  const room = (high - low || 1) * 0.06, from = low - room, to = high + room;
  const x = (value: number) => (100 * (value - from)) / (to - from) + '%';
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Differences">
      <table class="wide intervals">
        <caption class="unseen">Differences of {metric} with their intervals</caption>
        <thead><tr><th scope="col">row</th><th scope="col">against</th><th scope="col" class="number">difference</th><th scope="col">interval</th><th scope="col" class="number">adjusted p</th><th scope="col">verdict</th></tr></thead>
        <tbody>
          {answers.map((one, k) => (
            <tr key={k}>
              <th scope="row">{one.row}</th><td>{one.against}</td><td class="number">{valueText(one.difference)}</td>
              <td class="strip">
                {one.interval === null ? <span class="note">{one.no_interval ?? ''}</span> : (
                  <svg role="img" aria-label={numberText(one.interval[0]) + ' to ' + numberText(one.interval[1])}>
                    <line class="zero" x1={x(0)} x2={x(0)} y1="0" y2="100%" />
                    <line class="span" x1={x(one.interval[0])} x2={x(one.interval[1])} y1="50%" y2="50%" />
                    {typeof one.difference === 'number' && <circle cx={x(one.difference)} cy="50%" r="4" />}
                  </svg>
                )}
              </td>
              <td class="number">{valueText(one.adjusted_p)}</td><td>{one.verdict}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
