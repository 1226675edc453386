// A state as a word with a mark and a tone; the consoles' word beside it where it differs.
import { markOf, toneOf } from '../words.ts';

export function State({ state, consoleState }: { state: string; consoleState?: string | undefined }) {
  const other = consoleState !== undefined && consoleState !== state ? consoleState : '';
  return (
    <span class={'state ' + toneOf(state)}>
      <span aria-hidden="true">{markOf(state)}</span> {state}
      {other !== '' && <span class="console"> · {other}</span>}
    </span>
  );
}
