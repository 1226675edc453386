// The few numbers that matter, large.
import type { ComponentChildren } from 'preact';

export interface Tile { readonly title: string; readonly value: ComponentChildren; readonly note?: ComponentChildren }

export function Tiles({ tiles }: { tiles: readonly Tile[] }) {
  return (
    <dl class="tiles">
      {tiles.map(({ title, value, note }) => (
        <div key={title}><dt>{title}</dt><dd>{value}</dd>{note !== undefined && note !== '' && <dd class="note">{note}</dd>}</div>
      ))}
    </dl>
  );
}
