// What was searched, how, on which machine, and what was said meanwhile.
import type { ComponentChildren } from 'preact';
import type { Study } from '../answers.ts';
import { bytesText, dateText, hoursText, numberText, timeOf, usdText, valueText } from '../numbers.ts';
import { Command } from '../parts/copy.tsx';
import { Grid } from '../parts/grid.tsx';
import { quoted } from '../parts/shell.ts';

// In the terminal's order: the total and its parts, what of these was run again or validated, and what comes beside them.
const kBill = [
  'total',
  'completed',
  'stopped',
  'failed',
  'paused',
  'open',
  'deleted',
  'retried',
  'validating',
  'probing',
  'idle',
];

export function StudySetup({ study }: { study: Study }) {
  const { space, fixed, machine, limits, cost } = study;
  const name = quoted(study.study);
  const bill = kBill.flatMap((part) =>
    cost[part] !== undefined && cost[part].device_hours > 0 ? [[part, cost[part]] as const] : [],
  );
  const facts: [string, ComponentChildren][] = [
    ['strategy', study.strategy + ', seed ' + study.seed],
    ['stop rule', study.stop_rule],
    ['value of a trial', study.reduce + ' ' + study.metric],
    ...Object.entries(limits).map(([name, limit]): [string, ComponentChildren] => [
      'limit: ' + name.replace(/_/g, ' '),
      valueText(limit),
    ]),
    ...Object.entries(fixed).map(([name, value]): [string, ComponentChildren] => ['fixed: ' + name, valueText(value)]),
    ['created', dateText(timeOf(study.created))],
    ...(machine
      ? ([
          [
            'machine',
            machine.host + ', ' + machine.cores + ' cores' + (machine.gpus.length ? ', ' + gpuText(machine.gpus) : ''),
          ],
        ] as [string, ComponentChildren][])
      : []),
  ];
  return (
    <section>
      <h2>Setup</h2>
      <div class="pair even">
        <div>
          <Grid
            caption="Search space"
            data={{
              columns: [
                { title: 'parameter' },
                { title: 'type' },
                { title: 'range', isLong: true },
                { title: 'scale' },
                { title: 'only when', isLong: true },
              ],
              rows: space.map((parameter) => [
                parameter.name,
                parameter.type,
                parameter.values
                  ? parameter.values.map(valueText).join(', ')
                  : numberText(parameter.min!) +
                    ' to ' +
                    numberText(parameter.max!) +
                    (parameter.step ? ', step ' + numberText(parameter.step) : ''),
                parameter.type === 'categorical' ? '' : parameter.scale,
                parameter.when
                  ? Object.entries(parameter.when)
                      .map(([name, value]) => name + ' = ' + valueText(value))
                      .join(' and ')
                  : '',
              ]),
            }}
          />
          {study.rungs.length > 0 && (
            <Grid
              caption="Rungs"
              data={{
                columns: [
                  { title: 'step', isNumber: true },
                  { title: 'reached', isNumber: true },
                  { title: 'stopped', isNumber: true },
                  { title: 'paused', isNumber: true },
                ],
                rows: study.rungs.map(({ step, reached, stopped, paused }) => [step, reached, stopped, paused]),
              }}
            />
          )}
        </div>
        <div>
          <dl class="facts">
            {facts.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          {bill.length > 0 && (
            <Grid
              caption="Bill"
              data={{
                columns: [
                  { title: 'part' },
                  { title: 'device time', isNumber: true },
                  ...(cost.total?.usd != null ? [{ title: 'cost', isNumber: true }] : []),
                ],
                rows: bill.map(([part, { device_hours: hours, usd }]) => [
                  part,
                  hoursText(hours),
                  ...(cost.total?.usd != null ? [usdText(usd)] : []),
                ]),
              }}
            />
          )}
        </div>
      </div>
      <details>
        <summary>Take it elsewhere</summary>
        <Command text={'tune report ' + name + ' --output report'} label="the command that writes it as one file" />
        <Command text={'tune trials ' + name + ' --csv'} label="the command that lists every trial" />
        <Command
          text={'tune export ' + name + ' --format optuna --output study.db'}
          label="the command that writes it for Optuna"
        />
      </details>
      {study.notices.length > 0 && (
        <details>
          <summary>What was said and asked ({study.notices.length})</summary>
          <Grid
            caption="Notices"
            isHidden
            data={{
              columns: [{ title: 'time' }, { title: 'notice', isLong: true }],
              rows: [...study.notices].reverse().map(({ time, message }) => [dateText(timeOf(time)), message]),
            }}
          />
        </details>
      )}
    </section>
  );
}

function gpuText(gpus: NonNullable<Study['machine']>['gpus']): string {
  const counts = new Map<string, number>();
  for (const { name, memory } of gpus) {
    const text = name + (memory ? ', ' + bytesText(memory) : '');
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].map(([text, count]) => (count > 1 ? count + ' × ' : '') + text).join('; ');
}
