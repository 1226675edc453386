// The frame of a chart: title, note, legend, its controls, and the same numbers as a table.
import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { kLabels, type Role } from '../charts/chart.ts';
import { Grid, type GridData } from './grid.tsx';

interface Props {
  readonly title: string;
  readonly note?: ComponentChildren;
  readonly legend?: readonly Role[];
  readonly controls?: ComponentChildren;
  readonly table: () => GridData;  // made when it is asked for
  readonly children: ComponentChildren;
}

export function Figure({ title, note, legend = [], controls, table, children }: Props) {
  const [isTable, setTable] = useState(false);
  return (
    <figure>
      <figcaption>
        <strong>{title}</strong>
        <span class="controls">
          {controls}
          <button type="button" class="soft" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
            Show as table<span class="unseen">: {title}</span>
          </button>
        </span>
        {note && <span class="note">{note}</span>}
      </figcaption>
      {isTable ? <Grid caption={title} data={table()} isHidden /> : (
        <>
          {legend.length > 1 && (
            <ul class="legend">{[...new Set(legend)].map((role) => <li key={role} class={'key ' + role}>{kLabels[role]}</li>)}</ul>
          )}
          {children}
        </>
      )}
    </figure>
  );
}

// One choice of a few, as a row of buttons.
export function Choice<T extends string>({ label, options, value, onChoose }: {
  label: string; options: readonly (readonly [T, string])[]; value: T; onChoose: (value: T) => void;
}) {
  return (
    <span class="choice" role="group" aria-label={label}>
      {options.map(([one, text]) => (
        <button key={one} type="button" aria-pressed={one === value} onClick={() => onChoose(one)}>{text}</button>
      ))}
    </span>
  );
}
