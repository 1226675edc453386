// Which trials the page shows: states with their counts, conditions as chips to take away, and a line to write others.
import { useEffect, useState } from 'preact/hooks';
import type { Failure } from '../api.ts';
import type { Study, TrialLines } from '../answers.ts';
import { conditionsOf, conditionText, isFilter, type Condition } from '../filter.ts';
import { countText } from '../numbers.ts';
import { setQuery } from '../route.ts';
import { kTrialStates, markOf, toneOf } from '../words.ts';

interface Props {
  readonly study: Study;
  readonly lines: TrialLines | null;
  readonly failure: Failure | null;
  readonly states: ReadonlySet<string>;
  readonly conditions: readonly Condition[];
  readonly filter: string;
  readonly onConditions: (conditions: readonly Condition[]) => void;
  readonly unknown: readonly Condition[];
}

export function FilterBar({ study, lines, failure, states, conditions, filter, onConditions, unknown }: Props) {
  const [text, setText] = useState('');
  const isBad = failure !== null && failure.status === 400;
  useEffect(() => { if (isBad) setText(filter); }, [isBad]);
  const counts = lines?.by_state ?? study.counts;
  const apply = (event: Event) => {
    event.preventDefault();
    if (text.trim() === '') return;
    if (!isFilter(text)) return setQuery({ filter: text, offset: null });  // the server says what is wrong with it
    onConditions([...conditions, ...conditionsOf(text)]);
    setText('');
  };
  const toggle = (state: string) => {
    const next = new Set(states);
    if (!next.delete(state)) next.add(state);
    setQuery({ state: [...next].join(','), offset: null });
  };
  const isFiltered = conditions.length > 0 || states.size > 0;
  return (
    <section class="filter" aria-label="Which trials are shown">
      <div class="chips" role="group" aria-label="States">
        {kTrialStates.filter((state) => (counts[state] ?? 0) > 0 || states.has(state)).map((state) => (
          <button key={state} type="button" class={'chip ' + toneOf(state)} aria-pressed={states.has(state)} onClick={() => toggle(state)}>
            <span aria-hidden="true">{markOf(state)}</span> {state} <span class="count">{countText(counts[state] ?? 0)}</span>
          </button>
        ))}
      </div>
      <form onSubmit={apply}>
        <label class="find"><span class="unseen">Condition on the trials</span>
          <input type="text" placeholder={'filter: ' + example(study)} value={text} onInput={(event) => setText(event.currentTarget.value)} spellcheck={false} autocomplete="off"
            aria-invalid={isBad} aria-describedby="filter-said" />
        </label>
        <button type="submit">Apply</button>
      </form>
      {isFiltered && (
        <div class="chips conditions">
          {conditions.map((one, k) => (
            <button key={k} type="button" class="chip" onClick={() => onConditions(conditions.filter((_, i) => i !== k))} aria-label={'Take away the condition ' + conditionText(one)}>
              {conditionText(one)} <span aria-hidden="true">×</span>
            </button>
          ))}
          <button type="button" class="link" onClick={() => setQuery({ filter: null, state: null, offset: null })}>Show all</button>
        </div>
      )}
      <p id="filter-said" class={isBad ? 'said bad' : 'said'} role="status">
        {isBad ? failure.message + (failure.hint ? ' ' + failure.hint : '') : lines !== null && isFiltered ? countText(lines.matching) + ' of ' + countText(lines.total) + ' trials' : ''}
        {!isBad && unknown.length > 0 && ' (the charts pass over ' + unknown.map(conditionText).join(', ') + ', which only the table knows)'}
      </p>
    </section>
  );
}

function example(study: Study): string {
  const number = study.space.find(({ type }) => type !== 'categorical');
  return number?.min != null && number.max != null ? number.name + '<' + Number(((number.min + number.max) / 2).toPrecision(2)) + ', value' + (study.goal === 'maximize' ? '>' : '<') + '0.5' : 'value' + (study.goal === 'maximize' ? '>' : '<') + '0.5';
}
