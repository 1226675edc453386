// Parallel coordinates: a line a trial through all parameters to the objective. A drag along an axis keeps the trials that pass
// there, which are conditions of the page's filter; so do the two handles of each axis by the arrow keys. Titles are dragged, or
// moved by the arrow keys, to another place. Lines are drawn on a canvas, a batch a frame, so that 50,000 do not hold up the page.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { effect } from '@preact/signals';
import type { SpaceParameter } from '../answers.ts';
import type { Condition } from '../filter.ts';
import { numberText, plural } from '../numbers.ts';
import type { PointParameter } from '../points.ts';
import { Figure } from '../parts/figure.tsx';
import { Tip } from '../parts/tip.tsx';
import { ink, paint } from '../theme.ts';
import { onLine, shortened, ticksOf } from './axis.ts';
import { hovered } from './hovered.ts';
import { describeTrial, objectiveAxis, parameterText, placeOf, type Selection } from './selection.ts';
import { conditionsFor, rangeKept, textAt, tones, type Rail, type Range } from './rail.ts';
import { parameterAxis } from './slices.tsx';

interface Props {
  readonly selection: Selection;
  readonly parameters: readonly PointParameter[]; // in the order of their axes
  readonly space: readonly SpaceParameter[];
  readonly conditions: readonly Condition[];
  readonly onConditions: (name: string, conditions: Condition[]) => void;
  readonly onMove: (name: string, steps: number) => void;
  readonly onPick: (trial: number) => void;
  readonly controls?: JSX.Element | undefined;
}

const kHeight = 300,
  kTop = 46,
  kBottom = 30,
  kLeast = 92,
  kSide = 44,
  kFrameMs = 8,
  kBatch = 50,
  kContext = 2000;
const kLineHeight = kHeight - kTop - kBottom;

export function Parallel(props: Props) {
  const { selection, parameters, space } = props;
  const { points } = selection;
  const rails = useMemo<Rail[]>(
    () => [
      ...parameters.map((parameter) => ({
        name: parameter.name,
        axis: parameterAxis(parameter, space),
        values: parameter.values,
        labels: parameter.labels,
      })),
      { name: 'value', axis: objectiveAxis(selection), values: points.value, labels: null },
    ],
    [parameters, space, selection],
  );
  return (
    <Figure
      title="Parallel coordinates"
      controls={props.controls}
      note="Drag along an axis to keep the trials that pass there: the table, the curves and all charts follow. Drag a title to move its axis."
      table={() => ({
        columns: [
          { title: 'trial', isNumber: true },
          ...rails.map(({ axis, labels }) => ({ title: axis.title, isNumber: labels === null })),
        ],
        rows: [...points.number.keys()]
          .filter((i) => selection.mask[i] === 1)
          .slice(0, 2000)
          .map((i) => [
            points.number[i],
            ...parameters.map((parameter) => parameterText(parameter, i)),
            Number.isFinite(points.value[i]!) ? numberText(points.value[i]!) : '',
          ]),
      })}
    >
      <Sheet {...props} rails={rails} />
    </Figure>
  );
}

function Sheet(props: Props & { readonly rails: readonly Rail[] }) {
  const { selection, parameters, conditions, rails } = props;
  const { points, metric, goal } = selection;
  const host = useRef<HTMLDivElement>(null),
    canvas = useRef<HTMLCanvasElement>(null),
    over = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(800);
  const [drag, setDrag] = useState<{ name: string; range: Range } | null>(null);
  const [tip, setTip] = useState<{ trial: number; left: number; top: number } | null>(null);
  const theme = paint.value;

  useEffect(() => {
    const element = host.current!,
      watcher = new ResizeObserver(() => setWidth(element.clientWidth));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);

  const inner = Math.max(width, 2 * kSide + kLeast * (rails.length - 1));
  const gap = (inner - 2 * kSide) / Math.max(1, rails.length - 1);
  const x = (k: number) => kSide + k * gap;

  // Where each trial crosses each axis, from the top of the canvas.
  const crossings = useMemo(
    () =>
      rails.map(({ axis, values, labels }) => {
        const low = onLine(axis.scale, axis.min),
          factor = kLineHeight / (onLine(axis.scale, axis.max) - low);
        const ys = new Float32Array(points.count);
        for (let i = 0; i < points.count; ++i) {
          // Trials of one category spread a little, always in the same way.
          const shift = labels ? (((points.number[i]! * 0.618034) % 1) - 0.5) * 0.3 : 0;
          const y = kTop + kLineHeight - (onLine(axis.scale, values[i]! + shift) - low) * factor;
          ys[i] = Math.max(kTop - 4, Math.min(kTop + kLineHeight + 4, y));
          if (Number.isNaN(y)) ys[i] = NaN;
        }
        return ys;
      }),
    [rails, points],
  );

  // Lines: what is left out faint below, the others from bad to good.
  useEffect(() => {
    const element = canvas.current!,
      ratio = window.devicePixelRatio || 1;
    element.width = inner * ratio;
    element.height = kHeight * ratio;
    const context = element.getContext('2d')!;
    context.scale(ratio, ratio);
    const context0: number[] = [],
      shown: number[] = [];
    for (let i = 0; i < points.count; ++i) {
      if (points.state[i] === 'd' || points.state[i] === 'q') continue;
      (selection.mask[i] === 1 ? shown : context0).push(i);
    }
    const sign = goal === 'maximize' ? 1 : -1;
    const rank = (i: number) => (Number.isFinite(points.value[i]!) ? sign * points.value[i]! : -Infinity);
    shown.sort((a, b) => rank(a) - rank(b));
    const every = Math.max(1, Math.ceil(context0.length / kContext));
    const faint = context0.filter((_, k) => k % every === 0);
    const colors = tones(ink('stopped'), ink('completed'));
    const alpha = Math.max(0.016, Math.min(0.8, 60 / shown.length ** 0.75));
    let frame = 0,
      at = 0;
    const step = () => {
      const begin = performance.now();
      for (; at < faint.length + shown.length && (at % kBatch !== 0 || performance.now() - begin < kFrameMs); ++at) {
        const k = at - faint.length;
        const i = k < 0 ? faint[at]! : shown[k]!;
        context.strokeStyle =
          k < 0
            ? ink0
            : points.number[i] === selection.best
              ? best
              : colors[Math.floor((colors.length * k) / shown.length)]!;
        context.globalAlpha = k < 0 ? 0.5 : points.number[i] === selection.best ? 1 : alpha;
        context.lineWidth = k >= 0 && points.number[i] === selection.best ? 2.5 : 1;
        trace(context, i);
      }
      if (at < faint.length + shown.length) frame = requestAnimationFrame(step);
    };
    const ink0 = ink('line'),
      best = ink('best');
    step();
    return () => cancelAnimationFrame(frame);
  }, [crossings, selection, inner, theme]);

  // The trial under the pointer, here or in another chart.
  useEffect(
    () =>
      effect(() => {
        const element = over.current,
          ratio = window.devicePixelRatio || 1,
          trial = hovered.value;
        if (element === null) return;
        element.width = inner * ratio;
        element.height = kHeight * ratio;
        const i = trial === 0 ? -1 : placeOf(points, trial);
        if (i < 0) return;
        const context = element.getContext('2d')!;
        context.scale(ratio, ratio);
        context.strokeStyle = ink('best');
        context.lineWidth = 2.5;
        trace(context, i);
      }),
    [crossings, inner],
  );

  function trace(context: CanvasRenderingContext2D, i: number): void {
    context.beginPath();
    let isDown = false;
    for (let k = 0; k < crossings.length; ++k) {
      const y = crossings[k]![i]!;
      // Not active: the line goes below the axis.
      const py = Number.isNaN(y) ? kTop + kLineHeight + 14 : y;
      if (isDown) context.lineTo(x(k), py);
      else context.moveTo(x(k), py);
      isDown = true;
    }
    context.stroke();
  }

  const shares = (rail: Rail): Range | null => (drag?.name === rail.name ? drag.range : rangeKept(rail, conditions));

  function commit(rail: Rail, range: Range | null): void {
    setDrag(null);
    props.onConditions(
      rail.name,
      range === null || (range.low <= 0 && range.high >= 1) ? [] : conditionsFor(rail, range),
    );
  }

  function startBrush(event: PointerEvent, rail: Rail): void {
    if (event.button !== 0) return;
    event.preventDefault();
    const target = event.currentTarget as SVGElement,
      box = target.ownerSVGElement!.getBoundingClientRect();
    const shareAt = (clientY: number) => Math.max(0, Math.min(1, 1 - (clientY - box.top - kTop) / kLineHeight));
    const start = shareAt(event.clientY),
      before = shares(rail);
    // At a handle the brush is changed, elsewhere a new one begins.
    const isNear = (share: number) => Math.abs(share - start) * kLineHeight < 7;
    const fixed =
      before !== null && isNear(before.low) ? before.high : before !== null && isNear(before.high) ? before.low : start;
    let range: Range | null = null;
    target.setPointerCapture(event.pointerId);
    const move = (now: PointerEvent) => {
      const to = shareAt(now.clientY);
      range = { low: Math.min(fixed, to), high: Math.max(fixed, to) };
      setDrag({ name: rail.name, range });
    };
    const end = () => {
      target.removeEventListener('pointermove', move);
      target.removeEventListener('pointerup', end);
      target.removeEventListener('pointercancel', end);
      commit(rail, range !== null && (range.high - range.low) * kLineHeight > 4 ? range : null);
    };
    target.addEventListener('pointermove', move);
    target.addEventListener('pointerup', end);
    target.addEventListener('pointercancel', end);
  }

  function turnHandle(event: KeyboardEvent, rail: Rail, isLow: boolean): void {
    const now = shares(rail) ?? { low: 0, high: 1 };
    const step = rail.labels !== null ? 1 / rail.labels.length : event.shiftKey ? 0.01 : 0.05;
    const moves: Readonly<Record<string, number>> = {
      ArrowUp: step,
      ArrowRight: step,
      ArrowDown: -step,
      ArrowLeft: -step,
      PageUp: 4 * step,
      PageDown: -4 * step,
      Home: -1,
      End: 1,
    };
    if (event.key === 'Escape' || event.key === 'Delete') commit(rail, null);
    else if (event.key in moves) {
      const to = Math.max(0, Math.min(1, (isLow ? now.low : now.high) + moves[event.key]!));
      commit(
        rail,
        isLow
          ? { low: Math.min(to, now.high - step / 2), high: now.high }
          : { low: now.low, high: Math.max(to, now.low + step / 2) },
      );
    } else return;
    event.preventDefault();
  }

  function moveTitle(event: PointerEvent, name: string): void {
    const target = event.currentTarget as Element,
      from = event.clientX;
    target.setPointerCapture(event.pointerId);
    target.addEventListener(
      'pointerup',
      (now) => {
        const steps = Math.round(((now as PointerEvent).clientX - from) / gap);
        if (steps !== 0) props.onMove(name, steps);
      },
      { once: true },
    );
  }

  const looking = useRef(0);
  function look(event: PointerEvent): void {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const px = event.clientX - box.left,
      py = event.clientY - box.top;
    cancelAnimationFrame(looking.current);
    looking.current = requestAnimationFrame(() => lookAt(px, py));
  }
  function lookAt(px: number, py: number): void {
    const k = Math.max(0, Math.min(rails.length - 2, Math.floor((px - kSide) / gap))),
      share = (px - x(k)) / gap;
    let best = -1,
      closest = 6;
    for (let i = 0; i < points.count; ++i) {
      if (selection.mask[i] === 0) continue;
      const a = crossings[k]![i]!,
        b = (crossings[k + 1] ?? crossings[k]!)[i]!;
      const distance = Math.abs(a + (b - a) * share - py);
      if (distance < closest) {
        closest = distance;
        best = i;
      }
    }
    hovered.value = best < 0 ? 0 : points.number[best]!;
    setTip(best < 0 ? null : { trial: points.number[best]!, left: px, top: py });
  }

  const label =
    'Parallel coordinates of ' +
    plural(selection.count, 'trial') +
    ' over ' +
    plural(parameters.length, 'parameter') +
    ' and ' +
    metric +
    '.';
  return (
    <div class="parallel" ref={host} tabindex={0} role="group" aria-label={label}>
      <div class="sheet" style={{ width: inner + 'px', height: kHeight + 'px' }}>
        <canvas ref={canvas} aria-hidden="true" />
        <canvas ref={over} class="overlay" aria-hidden="true" />
        <svg
          width={inner}
          height={kHeight}
          onPointerMove={look}
          onPointerLeave={() => {
            cancelAnimationFrame(looking.current);
            hovered.value = 0;
            setTip(null);
          }}
          onClick={() => {
            if (hovered.peek() > 0 && tip !== null && drag === null) props.onPick(hovered.peek());
          }}
        >
          {rails.map((rail, k) => {
            const range = shares(rail),
              isParameter = k < rails.length - 1;
            const ticks = ticksOf(rail.axis, rail.axis.min, rail.axis.max, kLineHeight, 48);
            const low = onLine(rail.axis.scale, rail.axis.min),
              high = onLine(rail.axis.scale, rail.axis.max);
            const y = (at: number) => kTop + kLineHeight * (1 - (onLine(rail.axis.scale, at) - low) / (high - low));
            const bounds = range ?? { low: 0, high: 1 };
            return (
              <g key={rail.name} transform={'translate(' + x(k) + ',0)'} class="rail">
                <text
                  class={isParameter ? 'title' : 'title last'}
                  x={isParameter ? 0 : kSide}
                  y={16}
                  aria-hidden="true"
                >
                  {shortened(rail.axis.title, Math.max(8, Math.floor(gap / 7.5)))}
                </text>
                {isParameter && (
                  <rect
                    class="grip"
                    x={-gap / 2 + 4}
                    width={gap - 8}
                    y={0}
                    height={26}
                    rx={4}
                    tabindex={0}
                    role="button"
                    aria-label={'Axis ' + rail.axis.title + ': move with the left and right arrow keys'}
                    onPointerDown={(event) => moveTitle(event, rail.name)}
                    onClick={(event) => event.stopPropagation()}
                    onKeyDown={(event) => {
                      const steps = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
                      if (steps !== 0) {
                        event.preventDefault();
                        props.onMove(rail.name, steps);
                      }
                    }}
                  >
                    <title>{rail.axis.title}</title>
                  </rect>
                )}
                <line y1={kTop} y2={kTop + kLineHeight} />
                {ticks.map(({ at, text }) => (
                  <text key={at} class="tick" x={6} y={y(at)} dy="0.32em">
                    {shortened(text, 12)}
                  </text>
                ))}
                {crossings[k]!.some(Number.isNaN) && (
                  <text class="tick" x={6} y={kTop + kLineHeight + 14} dy="0.32em">
                    none
                  </text>
                )}
                {range !== null && (
                  <rect
                    class="brush"
                    x={-7}
                    width={14}
                    y={kTop + kLineHeight * (1 - range.high)}
                    height={Math.max(1, kLineHeight * (range.high - range.low))}
                  />
                )}
                <rect
                  class="catch"
                  x={-12}
                  width={24}
                  y={kTop - 8}
                  height={kLineHeight + 16}
                  onPointerDown={(event) => startBrush(event, rail)}
                  onClick={(event) => event.stopPropagation()}
                />
                {(['from', 'to'] as const).map((end) => {
                  const share = end === 'from' ? bounds.low : bounds.high;
                  return (
                    <rect
                      key={end}
                      class={range === null ? 'handle idle' : 'handle'}
                      x={-9}
                      width={18}
                      height={5}
                      rx={2}
                      y={kTop + kLineHeight * (1 - share) - 2.5}
                      tabindex={0}
                      role="slider"
                      aria-label={rail.axis.title + ' ' + end}
                      aria-orientation="vertical"
                      aria-valuemin={0}
                      aria-valuemax={100}
                      aria-valuenow={Math.round(100 * share)}
                      aria-valuetext={textAt(rail, share)}
                      onKeyDown={(event) => turnHandle(event, rail, end === 'from')}
                    />
                  );
                })}
              </g>
            );
          })}
        </svg>
        {tip !== null && (
          <Tip left={tip.left} top={tip.top} width={inner} lines={describeTrial(selection, tip.trial, parameters)} />
        )}
      </div>
    </div>
  );
}
