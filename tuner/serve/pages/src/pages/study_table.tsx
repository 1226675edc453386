// The table of trials: sorted, filtered and cut into pages by the server. What is ticked has its learning curve drawn.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { effect } from '@preact/signals';
import type { Answer } from '../api.ts';
import { numberOf, type Study, type TrialLine, type TrialLines } from '../answers.ts';
import { hovered } from '../charts/hovered.ts';
import { countText, dateText, hoursText, numberText, secondsText, timeOf, usdText, valueText } from '../numbers.ts';
import { Empty, Failed, Loading } from '../parts/notice.tsx';
import { State } from '../parts/state.tsx';
import { hrefOf, route, setQuery } from '../route.ts';

const kPageSizes = [25, 50, 100, 200] as const;
const kMostDefaults = 8;

// What the server is asked, of what the address says.
export function queryOfTable(query: URLSearchParams): URLSearchParams {
  const asked = new URLSearchParams();
  for (const name of ['sort', 'descending', 'state', 'filter', 'offset']) {
    const value = query.get(name);
    if (value !== null) asked.set(name, value);
  }
  asked.set('limit', query.get('limit') ?? '25');
  return asked;
}

interface Column {
  readonly name: string; // as the server sorts by it
  readonly title: string;
  readonly isNumber: boolean;
  readonly cell: (line: TrialLine) => ComponentChildren;
}

function columnsOf(study: Study, answer: TrialLines): Column[] {
  const columns: Column[] = [];
  const add = (name: string, title: string, isNumber: boolean, cell: Column['cell']) =>
    columns.push({ name, title, isNumber, cell });
  study.objectives.forEach(({ metric, goal }, k) => {
    add(k === 0 ? 'value' : 'value' + (k + 1), metric + (goal === 'maximize' ? ' ↑' : ' ↓'), true, (line) => {
      const value = line.values[k] ?? (k === 0 ? line.value : null);
      return value === null ? '' : numberText(numberOf(value));
    });
  });
  for (const column of answer.columns) {
    if (column.kind === 'parameter')
      add(column.name, column.name, column.type !== 'categorical', ({ parameters }) =>
        valueText(parameters[column.name]),
      );
    else if (column.kind === 'metric')
      add(column.name, column.name, true, ({ metrics }) => {
        const value = metrics[column.name];
        return value == null ? '' : numberText(numberOf(value));
      });
  }
  add('seconds', 'time', true, ({ seconds }) => (seconds === null ? '' : secondsText(seconds)));
  add('device_hours', 'device time', true, ({ device_hours: hours }) => (hours > 0 ? hoursText(hours) : ''));
  add('usd', 'cost', true, ({ usd }) => usdText(usd));
  add('attempts', 'attempts', true, ({ attempts }) => attempts);
  add('budget', 'budget', true, ({ budget }) => numberText(budget));
  add('created', 'suggested', false, ({ created }) => dateText(timeOf(created)));
  add('started', 'started', false, ({ started }) => dateText(timeOf(started)));
  add('ended', 'ended', false, ({ ended }) => dateText(timeOf(ended)));
  add('failure', 'reason', false, ({ reason, failure, state }) => (
    <span class="reason" title={reason}>
      {reason !== state ? reason || failure : ''}
    </span>
  ));
  return columns;
}

function defaultNames(study: Study, answer: TrialLines, moving: readonly string[]): string[] {
  const isVarying = (name: string, said: boolean | undefined) => said ?? moving.includes(name);
  const parameters = answer.columns
    .filter(({ kind, name, varies }) => kind === 'parameter' && isVarying(name, varies))
    .map(({ name }) => name);
  const hasPrice = answer.rows.some(({ usd }) => usd !== null);
  return [
    ...study.objectives.map((_, k) => (k === 0 ? 'value' : 'value' + (k + 1))),
    ...parameters.slice(0, kMostDefaults),
    'seconds',
    hasPrice ? 'usd' : 'device_hours',
    ...(answer.rows.some(({ reason, state, failure }) => failure !== '' || (reason !== '' && reason !== state))
      ? ['failure']
      : []),
  ];
}

export function TrialTable({
  study,
  answer,
  moving,
}: {
  study: Study;
  answer: Answer<TrialLines>;
  moving: readonly string[];
}) {
  const { query } = route.value;
  const lines = answer.data;
  const body = useRef<HTMLTableSectionElement>(null);
  // The row of the trial under the pointer, without drawing the table anew.
  useEffect(
    () =>
      effect(() => {
        const trial = String(hovered.value);
        for (const row of body.current?.rows ?? []) row.toggleAttribute('data-over', row.dataset.trial === trial);
      }),
    [lines],
  );
  if (lines === null) return answer.failure !== null ? <Failed failure={answer.failure} /> : <Loading what="trials" />;
  const all = columnsOf(study, lines);
  const chosen = query.get('cols')?.split(',') ?? defaultNames(study, lines, moving);
  const shown = chosen.flatMap((name) => all.find((column) => column.name === name) ?? []);
  const sort = query.get('sort') ?? 'trial',
    isDescending = query.get('descending') === '1';
  const picked = new Set((query.get('pick') ?? '').split(',').filter(Boolean));
  const sortBy = (name: string) => {
    const isSame = name === sort;
    // A first click shows the best of a value first.
    const first = name === 'value' ? study.goal === 'maximize' : false;
    const descending = isSame ? !isDescending : first;
    setQuery({ sort: name === 'trial' ? null : name, descending: descending ? '1' : null, offset: null });
  };
  const toggle = (trial: number) => {
    const next = new Set(picked);
    if (!next.delete(String(trial))) next.add(String(trial));
    setQuery({ pick: [...next].join(',') }, true);
  };
  const title = (name: string, text: string, isNumber: boolean) => (
    <th
      key={name}
      scope="col"
      class={isNumber ? 'number' : ''}
      aria-sort={name === sort ? (isDescending ? 'descending' : 'ascending') : undefined}
    >
      <button type="button" class="sort" onClick={() => sortBy(name)}>
        {text}
        {name === sort && <span aria-hidden="true">{isDescending ? ' ▾' : ' ▴'}</span>}
      </button>
    </th>
  );
  return (
    <>
      <div class="head">
        <h2>Trials</h2>
        <div class="controls">
          {picked.size > 0 && (
            <button type="button" class="link" onClick={() => setQuery({ pick: null }, true)}>
              Untick {picked.size}
            </button>
          )}
          <ColumnChooser all={all} shown={chosen} />
        </div>
      </div>
      {lines.rows.length === 0 ? (
        <Empty title={lines.total === 0 ? 'No trial has been suggested yet.' : 'No trial fits these conditions.'} />
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Table of trials">
          <table class={answer.isLoading ? 'wide trials stale' : 'wide trials'}>
            <caption class="unseen">
              Trials {lines.offset + 1} to {lines.offset + lines.rows.length} of {lines.matching}
            </caption>
            <thead>
              <tr>
                <th scope="col">
                  <span class="unseen">Draw its curve</span>
                </th>
                {title('trial', 'trial', true)}
                {title('state', 'state', false)}
                {shown.map((column) => title(column.name, column.title, column.isNumber))}
              </tr>
            </thead>
            <tbody ref={body}>
              {lines.rows.map((line) => (
                <tr
                  key={line.trial}
                  data-trial={line.trial}
                  class={line.best ? 'best' : ''}
                  onPointerEnter={() => {
                    hovered.value = line.trial;
                  }}
                  onPointerLeave={() => {
                    hovered.value = 0;
                  }}
                >
                  <td>
                    <input
                      type="checkbox"
                      aria-label={'Draw the curve of trial ' + line.trial}
                      checked={picked.has(String(line.trial))}
                      onChange={() => toggle(line.trial)}
                    />
                  </td>
                  <th scope="row" class="number">
                    <a href={hrefOf(['studies', study.study, 'trials', line.trial])}>{line.trial}</a>
                  </th>
                  <td class="nowrap">
                    <State state={line.deleted ? 'deleted' : line.state} />
                    {line.best && <span class="mark-best"> best</span>}
                    {line.replicate_of !== null && <span class="note"> replicate of {line.replicate_of}</span>}
                    {line.rerun_of !== null && <span class="note"> repeats {line.rerun_of}</span>}
                  </td>
                  {shown.map((column) => (
                    <td key={column.name} class={column.isNumber ? 'number' : ''}>
                      {column.cell(line)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Pager lines={lines} />
    </>
  );
}

function Pager({ lines }: { lines: TrialLines }) {
  const { offset, limit, matching } = lines;
  const pages = Math.max(1, Math.ceil(matching / limit)),
    page = Math.floor(offset / limit) + 1;
  const [text, setText] = useState('');
  const to = (target: number) =>
    setQuery({ offset: target <= 1 ? null : String((Math.min(pages, target) - 1) * limit) });
  return (
    <nav class="pager" aria-label="Pages of the table">
      <span>
        {matching === 0
          ? 'none'
          : countText(offset + 1) + '–' + countText(Math.min(matching, offset + limit)) + ' of ' + countText(matching)}
      </span>
      <button type="button" disabled={page <= 1} onClick={() => to(1)} aria-label="First page">
        «
      </button>
      <button type="button" disabled={page <= 1} onClick={() => to(page - 1)} aria-label="Page before">
        ‹
      </button>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const wanted = Number(text);
          if (wanted >= 1) to(Math.floor(wanted));
          setText('');
        }}
      >
        <label>
          Page{' '}
          <input
            type="text"
            inputMode="numeric"
            size={4}
            placeholder={String(page)}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            aria-label={'Page, ' + page + ' of ' + pages}
          />
        </label>{' '}
        of {countText(pages)}
      </form>
      <button type="button" disabled={page >= pages} onClick={() => to(page + 1)} aria-label="Next page">
        ›
      </button>
      <button type="button" disabled={page >= pages} onClick={() => to(pages)} aria-label="Last page">
        »
      </button>
      <label class="select">
        <select
          value={String(limit)}
          onChange={(event) =>
            setQuery({ limit: event.currentTarget.value === '25' ? null : event.currentTarget.value, offset: null })
          }
          aria-label="Rows on a page"
        >
          {kPageSizes.map((size) => (
            <option key={size} value={String(size)}>
              {size} rows
            </option>
          ))}
        </select>
      </label>
    </nav>
  );
}

function ColumnChooser({ all, shown }: { all: readonly Column[]; shown: readonly string[] }) {
  return (
    <details class="chooser">
      <summary>Columns</summary>
      <div class="panel">
        {all.map(({ name, title }) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={shown.includes(name)}
              onChange={(event) => {
                const next = event.currentTarget.checked
                  ? all.map((column) => column.name).filter((one) => one === name || shown.includes(one))
                  : shown.filter((one) => one !== name);
                setQuery({ cols: next.length === 0 ? 'value' : next.join(',') }, true);
              }}
            />{' '}
            {title}
          </label>
        ))}
        <button type="button" onClick={() => setQuery({ cols: null }, true)}>
          Varying only
        </button>
      </div>
    </details>
  );
}
