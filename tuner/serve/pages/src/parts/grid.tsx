// A plain table of texts. Long ones show their first rows, and say so.
import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { countText } from '../numbers.ts';

export interface Column { readonly title: string; readonly isNumber?: boolean; readonly isLong?: boolean }
export interface GridData { readonly columns: readonly Column[]; readonly rows: readonly (readonly ComponentChildren[])[] }

const kFirstRows = 200;

export function Grid({ caption, data, isHidden = false }: { caption: string; data: GridData; isHidden?: boolean }) {
  const [most, setMost] = useState(kFirstRows);
  const { columns, rows } = data;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class={isHidden ? 'unseen' : ''}>{caption}</caption>
        <thead><tr>{columns.map(({ title, isNumber }) => <th key={title} scope="col" class={isNumber ? 'number' : ''}>{title}</th>)}</tr></thead>
        <tbody>
          {rows.slice(0, most).map((row, i) => (
            <tr key={i}>
              {row.map((cell, k) => (k === 0
                ? <th key={k} scope="row" class={columns[k]!.isNumber ? 'number' : ''}>{cell}</th>
                : <td key={k} class={columns[k]!.isNumber ? 'number' : columns[k]!.isLong ? 'long' : ''}>{cell}</td>))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > most && (
        <p class="note">{countText(most)} of {countText(rows.length)} rows. <button type="button" class="link" onClick={() => setMost(most * 5)}>Show more</button></p>
      )}
    </div>
  );
}
