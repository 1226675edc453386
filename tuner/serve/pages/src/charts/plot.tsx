// A chart on a canvas: uPlot brings axes, zoom and the pointer, the marks are drawn by draw.ts. A drag zooms, a double click or the
// button resets. The trial under the pointer is told to the rest of the page.
import { useEffect, useRef, useState } from 'preact/hooks';
import { effect } from '@preact/signals';
import uPlot from 'uplot';
import { fromLine, isLogarithmic, onLine, ticksOf, type Axis, type Tick } from './axis.ts';
import { trialAt, type Chart } from './chart.ts';
import { drawSeries, type Placed } from './draw.ts';
import { hovered } from './hovered.ts';
import { ink, paint } from '../theme.ts';

interface Props {
  readonly label: string;   // what the chart says, for those who do not see it
  readonly chart: Chart;
  readonly height: number;
  readonly isSmall?: boolean;
  // What is said of the trial under the pointer, a line each.
  readonly describe: (trial: number, x: number, y: number) => readonly string[];
  readonly onPick?: (trial: number) => void;
}

interface Hit { trial: number; left: number; top: number; x: number; y: number }

const kReachPixels = 22;

function scaleOf(axis: () => Axis): uPlot.Scale {
  const range: uPlot.Range.Function = (_, min, max) => {
    const { min: low, max: high } = axis();
    return min === null || max === null || !(min < max) ? [low, high] : [min, max];
  };
  const { scale } = axis();
  if (!isLogarithmic(scale)) return { time: false, range };
  return { time: false, distr: 100, fwd: (value) => onLine(scale, value), bwd: (at) => fromLine(scale, at), range };
}

function axisOf(side: 1 | 3, axis: () => Axis, isSmall: boolean): uPlot.Axis {
  let ticks: Tick[] = [];
  return {
    side: side === 1 ? 3 : 2,
    font: '12px system-ui, sans-serif',
    stroke: () => ink('muted'),
    grid: { show: axis().scale !== 'categories', stroke: () => ink('line'), width: 1 },
    ticks: { show: false },
    gap: 6,
    // One axis of the canvas is as wide as its longest text; the other as high as a line.
    size: side === 1 ? (_, values) => 14 + 6.6 * Math.max(3, ...(values ?? []).map((text) => text.length)) : 24,
    splits: (u, _, min, max) => {
      const pixels = (side === 1 ? u.bbox.height : u.bbox.width) / uPlot.pxRatio;
      ticks = ticksOf(axis(), min, max, pixels, side === 1 ? (isSmall ? 36 : 44) : isSmall ? 70 : 84);
      return ticks.map(({ at }) => at);
    },
    values: () => ticks.map(({ text }) => text),
  };
}

export function Plot({ label, chart, height, isSmall = false, describe, onPick }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const live = useRef({ chart, describe, onPick, placed: [] as Placed[], plot: null as uPlot | null, overlay: null as HTMLCanvasElement | null });
  live.current.chart = chart, live.current.describe = describe, live.current.onPick = onPick;
  const [hit, setHit] = useState<Hit | null>(null);
  const [isZoomed, setZoomed] = useState(false);
  const theme = paint.value;

  // An axis of another kind is another plot.
  const kind = [chart.x.scale, chart.y.scale, isSmall, theme].join();
  useEffect(() => {
    const at = live.current, element = host.current!;
    const x = () => at.chart.x, y = () => at.chart.y;
    const plot = new uPlot({
      width: Math.max(120, element.clientWidth), height,
      padding: [8, 22, 0, 0],
      legend: { show: false },
      scales: { x: scaleOf(x), y: scaleOf(y) },
      axes: [axisOf(3, x, isSmall), axisOf(1, y, isSmall)],
      series: [{}, { paths: () => null, points: { show: false } }],
      cursor: { drag: { x: true, y: true, uni: 40, setScale: false }, points: { show: false }, x: false, y: false },
      hooks: {
        draw: [(u) => {
          at.placed = place(u, at.chart);
          const { left, top, width, height: high } = u.bbox;
          u.ctx.save();
          u.ctx.beginPath();
          u.ctx.rect(left - 4, top - 4, width + 8, high + 8);
          u.ctx.clip();
          drawRules(u, at.chart);
          drawSeries(u.ctx, at.placed, uPlot.pxRatio);
          u.ctx.restore();
          highlight();
        }],
        setSelect: [(u) => {
          const { left, top, width, height: high } = u.select;
          if (width < 4 && high < 4) return;
          const from = { x: u.posToVal(left, 'x'), y: u.posToVal(top + high, 'y') };
          const to = { x: u.posToVal(left + width, 'x'), y: u.posToVal(top, 'y') };
          u.batch(() => {
            if (width >= 4) u.setScale('x', { min: from.x, max: to.x });
            if (high >= 4) u.setScale('y', { min: from.y, max: to.y });
          });
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          setZoomed(true);
        }],
      },
    }, [[chart.x.min, chart.x.max], [chart.y.min, chart.y.max]], element);
    plot.root.querySelector('canvas')?.setAttribute('aria-hidden', 'true');
    at.plot = plot;
    const overlay = document.createElement('canvas');
    overlay.className = 'overlay';
    overlay.setAttribute('aria-hidden', 'true');
    plot.over.append(overlay);
    at.overlay = overlay;

    // The trial under the pointer, above all others.
    function highlight(): void {
      const ratio = uPlot.pxRatio, { left, top, width, height: high } = plot.bbox;
      overlay.width = width, overlay.height = high;
      overlay.style.width = width / ratio + 'px', overlay.style.height = high / ratio + 'px';
      const trial = hovered.peek();
      if (trial === 0) return;
      const context = overlay.getContext('2d')!;
      context.translate(-left, -top);
      drawSeries(context, at.placed, ratio, trial);
    }
    const stop = effect(() => { hovered.value; highlight(); });

    const over = plot.over;
    let frame = 0;
    const move = (event: PointerEvent) => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        const box = over.getBoundingClientRect();
        const found = nearest(plot, at.placed, event.clientX - box.left, event.clientY - box.top);
        hovered.value = found?.trial ?? 0;
        setHit(found);
      });
    };
    const leave = () => {
      cancelAnimationFrame(frame);
      hovered.value = 0;
      setHit(null);
    };
    let downAt: [number, number] = [0, 0];
    const down = (event: PointerEvent) => { downAt = [event.clientX, event.clientY]; };
    const pick = (event: MouseEvent) => {
      const hasMoved = Math.hypot(event.clientX - downAt[0], event.clientY - downAt[1]) > 4;
      if (!hasMoved && hovered.peek() > 0) at.onPick?.(hovered.peek());
    };
    over.addEventListener('pointermove', move);
    over.addEventListener('pointerleave', leave);
    over.addEventListener('pointerdown', down);
    over.addEventListener('click', pick);
    over.addEventListener('dblclick', reset);
    const watcher = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height });
    });
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      stop();
      plot.destroy();
      at.plot = null;
      setZoomed(false);
    };
  }, [kind, height]);

  function reset(): void {
    const plot = live.current.plot, { x, y } = live.current.chart;
    if (plot === null) return;
    plot.batch(() => {
      plot.setScale('x', { min: x.min, max: x.max });
      plot.setScale('y', { min: y.min, max: y.max });
    });
    setZoomed(false);
  }

  // New data keep a zoom.
  useEffect(() => {
    const plot = live.current.plot;
    if (plot === null) return;
    if (isZoomed) plot.redraw(false);
    else plot.setData([[chart.x.min, chart.x.max], [chart.y.min, chart.y.max]]);
  }, [chart]);

  return (
    <div class="plot" role="img" aria-label={label}>
      <div ref={host} class="canvas" style={{ height: height + 'px' }} />
      {isZoomed && <button type="button" class="reset" onClick={reset}>Reset zoom</button>}
      {hit !== null && <Tip hit={hit} lines={describe(hit.trial, hit.x, hit.y)} width={host.current?.clientWidth ?? 0} />}
    </div>
  );
}

function Tip({ hit, lines, width }: { hit: Hit; lines: readonly string[]; width: number }) {
  const isRight = hit.left > width / 2;
  const style = isRight ? { right: width - hit.left + 14 + 'px', top: hit.top + 'px' } : { left: hit.left + 14 + 'px', top: hit.top + 'px' };
  return (
    <div class="tip" style={style} aria-hidden="true">
      {lines.map((line, i) => (i === 0 ? <strong key={i}>{line}</strong> : <span key={i}>{line}</span>))}
    </div>
  );
}

// Where everything stands on the canvas.
function place(u: uPlot, chart: Chart): Placed[] {
  const { left, top, width, height } = u.bbox;
  const [x, y] = [u.scales.x!, u.scales.y!];
  const line = (axis: Axis, scale: uPlot.Scale, from: number, pixels: number) => {
    const low = onLine(axis.scale, scale.min!), high = onLine(axis.scale, scale.max!), factor = pixels / (high - low);
    return (value: number) => from + (onLine(axis.scale, value) - low) * factor;
  };
  const atX = line(chart.x, x, left, width), atY = line(chart.y, y, top + height, -height);
  const isStrip = chart.x.scale === 'categories';
  return chart.series.map((series) => {
    const count = series.x.length, xs = new Float32Array(count), ys = new Float32Array(count);
    for (let i = 0; i < count; ++i) {
      // Points of one category stand beside each other, always in the same way.
      const shift = isStrip ? (((trialAt(series, i) * 0.618034) % 1) - 0.5) * 0.5 : 0;
      xs[i] = atX(series.x[i]! + shift);
      ys[i] = atY(series.y[i]!);
    }
    return { series, x: xs, y: ys };
  });
}

function drawRules(u: uPlot, { rules = [] }: Chart): void {
  u.ctx.strokeStyle = ink('muted');
  u.ctx.lineWidth = uPlot.pxRatio;
  u.ctx.setLineDash([2 * uPlot.pxRatio, 3 * uPlot.pxRatio]);
  for (const rule of rules) {
    const x = u.valToPos(rule, 'x', true);
    u.ctx.beginPath();
    u.ctx.moveTo(x, u.bbox.top);
    u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
    u.ctx.stroke();
  }
  u.ctx.setLineDash([]);
}

function nearest(u: uPlot, placed: readonly Placed[], left: number, top: number): Hit | null {
  const ratio = uPlot.pxRatio, px = left * ratio + u.bbox.left, py = top * ratio + u.bbox.top;
  let best: Hit | null = null, closest = (kReachPixels * ratio) ** 2;
  for (const { series, x, y } of placed) {
    if (series.role === 'best-so-far' || series.role === 'front') continue;
    for (let i = 0; i < x.length; ++i) {
      const distance = (x[i]! - px) ** 2 + (y[i]! - py) ** 2;
      if (!(distance < closest)) continue;
      closest = distance;
      best = {
        trial: trialAt(series, i), x: series.x[i]!, y: series.y[i]!,
        left: x[i]! / ratio, top: y[i]! / ratio,
      };
    }
  }
  return best;
}
