// What is said of the mark under the pointer, beside it, on the side where there is room. Who does not see it has the table.
interface Props {
  readonly left: number; // of the pointer, in pixels of the chart
  readonly top: number;
  readonly width: number; // of the chart
  readonly lines: readonly string[];
}

export function Tip({ left, top, width, lines }: Props) {
  const side = left > width / 2 ? { right: width - left + 14 + 'px' } : { left: left + 14 + 'px' };
  return (
    <div class="tip" style={{ ...side, top: top + 'px' }} aria-hidden="true">
      {lines.map((line, i) => (i === 0 ? <strong key={i}>{line}</strong> : <span key={i}>{line}</span>))}
    </div>
  );
}
