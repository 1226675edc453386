// What ran on each device when: one lane a device, gaps are idle time. A drag zooms; so do the buttons.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { effect } from '@preact/signals';
import type { Timeline as TimelineAnswer } from '../answers.ts';
import { dateText, hoursText, percentText, plural, secondsText, timeOf } from '../numbers.ts';
import { deviceName } from '../parts/device.ts';
import { Figure } from '../parts/figure.tsx';
import { Empty } from '../parts/notice.tsx';
import { ink, paint } from '../theme.ts';
import { shortened, ticksOf, type Axis } from './axis.ts';
import { hovered } from './hovered.ts';

type Span = TimelineAnswer['devices'][number]['spans'][number];

const kLane = 26, kBar = 18, kAxis = 24, kLabels = 132;

interface Props { readonly timeline: TimelineAnswer; readonly onPick: (trial: number) => void }
interface Part { readonly from: number; readonly to: number }  // seconds

export function Timeline({ timeline, onPick }: Props) {
  const [zoom, setZoom] = useState<Part | null>(null);
  const { devices } = timeline, epoch = timeOf(timeline.epoch);
  const whole = useMemo(() => {
    let from = Infinity, to = timeline.devices.some(({ spans }) => spans.some(({ live }) => live)) ? timeline.now : -Infinity;
    for (const { spans } of timeline.devices) for (const { begin, end } of spans) from = Math.min(from, begin), to = Math.max(to, end);
    return from < to ? { from, to } : { from: 0, to: 1 };
  }, [timeline]);
  const { from, to } = zoom ?? whole;
  if (devices.length === 0) return <Empty title="Nothing has run yet." />;
  const busy = devices.reduce((sum, device) => sum + device.busy_seconds, 0), idle = devices.reduce((sum, device) => sum + device.idle_seconds, 0);
  const move = (factor: number, shift: number) => {
    const size = Math.min((to - from) * factor, whole.to - whole.from), middle = (from + to) / 2 + shift * (to - from);
    const begin = Math.max(whole.from, Math.min(whole.to - size, middle - size / 2));
    setZoom(size >= (whole.to - whole.from) * 0.999 ? null : { from: begin, to: begin + size });
  };
  return (
    <Figure title="Timeline by device"
      note={'Busy ' + hoursText(busy / 3600) + ', idle ' + hoursText(idle / 3600) + (busy + idle > 0 ? ' (' + percentText(idle / (busy + idle)) + ' of the time in which the study ran).' : '.') +
        (timeline.left_out ? ' The first ' + plural(timeline.left_out, 'attempt') + ' left out.' : '')}
      legend={['completed', 'stopped', 'failed', 'running']}
      controls={
        <span class="choice" role="group" aria-label="Part of the timeline">
          <button type="button" onClick={() => move(1, -0.5)} aria-label="Earlier">←</button>
          <button type="button" onClick={() => move(1, 0.5)} aria-label="Later">→</button>
          <button type="button" onClick={() => move(0.5, 0)} aria-label="Zoom in">+</button>
          <button type="button" onClick={() => move(2, 0)} aria-label="Zoom out">−</button>
          <button type="button" onClick={() => setZoom(null)}>All</button>
        </span>
      }
      table={() => ({
        columns: [{ title: 'device' }, { title: 'trial', isNumber: true }, { title: 'attempt', isNumber: true }, { title: 'state' }, { title: 'began' }, { title: 'time', isNumber: true }],
        rows: devices.flatMap((device) => [...device.spans].reverse().map((span) =>
          [deviceName(devices, device), span.trial, span.attempt, span.live ? 'running' : span.state, dateText(epoch + 1000 * span.begin), secondsText(span.end - span.begin)])),
      })}>
      <Lanes timeline={timeline} onPick={onPick} part={{ from, to }} whole={whole} onZoom={setZoom} />
    </Figure>
  );
}

function Lanes({ timeline, onPick, part: { from, to }, whole, onZoom }: Props & { part: Part; whole: Part; onZoom: (part: Part) => void }) {
  const host = useRef<HTMLDivElement>(null), canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(800);
  const [select, setSelect] = useState<Part | null>(null);
  const [tip, setTip] = useState<{ span: Span; left: number; top: number } | null>(null);
  const theme = paint.value;
  useEffect(() => {
    const element = host.current!, watcher = new ResizeObserver(() => setWidth(element.clientWidth));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);

  const { devices } = timeline, epoch = timeOf(timeline.epoch);
  const labels = width < 520 ? 76 : kLabels, inner = Math.max(100, width - labels - 8), height = devices.length * kLane;
  const x = (seconds: number) => labels + ((seconds - from) / (to - from)) * inner;

  useEffect(() => effect(() => {
    const element = canvas.current, ratio = window.devicePixelRatio || 1, shown = hovered.value;
    if (element === null) return;
    element.width = width * ratio, element.height = height * ratio;
    const context = element.getContext('2d')!;
    context.scale(ratio, ratio);
    context.beginPath();
    context.rect(labels, 0, inner, height);
    context.clip();
    const colors: Readonly<Record<string, string>> = { completed: ink('completed'), stopped: ink('stopped'), failed: ink('failed'), running: ink('running'), paused: ink('stopped') };
    const panel = ink('panel'), ground = ink('ground');
    devices.forEach(({ spans }, lane) => {
      const top = lane * kLane + (kLane - kBar) / 2;
      context.fillStyle = panel;
      for (const [begin, end] of timeline.runs) context.fillRect(x(begin), top, x(Math.min(end, timeline.now)) - x(begin), kBar);
      for (const span of spans) {
        const left = x(span.begin), wide = Math.max(1, x(span.end) - left);
        if (left > width || left + wide < labels) continue;
        context.globalAlpha = shown === 0 || shown === span.trial ? 1 : 0.35;
        context.fillStyle = colors[span.live ? 'running' : span.state] ?? colors.completed!;
        context.fillRect(left, top, wide, kBar);
        if (span.is_retry) {
          context.fillStyle = ground;
          for (let at = left + 3; at < left + wide - 1; at += 6) context.fillRect(at, top + kBar - 5, 2, 3);
        }
        if (wide > 3) context.clearRect(left + wide - 1, top, 1, kBar);
        if (wide > 24) {
          context.fillStyle = ground;
          context.font = '11px system-ui, sans-serif';
          context.fillText(String(span.trial), left + 4, top + 13, wide - 6);
        }
      }
    });
  }), [timeline, width, from, to, theme]);

  const axis: Axis = { title: 'time', scale: 'time', min: epoch + 1000 * from, max: epoch + 1000 * to };
  const at = (event: PointerEvent) => {
    const box = host.current!.getBoundingClientRect();
    return { px: event.clientX - box.left, py: event.clientY - box.top };
  };
  const secondsAt = (px: number) => from + ((px - labels) / inner) * (to - from);
  const spanAt = (px: number, py: number) => {
    const seconds = secondsAt(px), slack = (2 * (to - from)) / inner;
    return devices[Math.floor(py / kLane)]?.spans.find(({ begin, end }) => seconds >= begin - slack && seconds <= end + slack);
  };
  return (
    <div class="timeline" ref={host} role="img" aria-label={'What ran on ' + plural(devices.length, 'device') + ', over ' + hoursText((whole.to - whole.from) / 3600) + '.'}
      onPointerDown={(event) => {
        const start = at(event).px;
        if (event.button !== 0 || start < labels) return;
        const target = event.currentTarget;
        target.setPointerCapture(event.pointerId);
        const drag = (now: PointerEvent) => { if (Math.abs(at(now).px - start) > 4) setSelect({ from: Math.min(start, at(now).px), to: Math.max(start, at(now).px) }); };
        const end = (now: PointerEvent) => {
          target.removeEventListener('pointermove', drag);
          setSelect(null);
          const stop = at(now).px;
          if (Math.abs(stop - start) > 4) {
            onZoom({ from: Math.max(whole.from, secondsAt(Math.min(start, stop))), to: Math.min(whole.to, secondsAt(Math.max(start, stop))) });
          } else {
            const span = spanAt(stop, at(now).py);
            if (span !== undefined) onPick(span.trial);
          }
        };
        target.addEventListener('pointermove', drag);
        target.addEventListener('pointerup', end, { once: true });
      }}
      onPointerMove={(event) => {
        const { px, py } = at(event), span = spanAt(px, py);
        hovered.value = span?.trial ?? 0;
        setTip(span === undefined ? null : { span, left: px, top: py });
      }}
      onPointerLeave={() => { hovered.value = 0; setTip(null); }}>
      <canvas ref={canvas} aria-hidden="true" style={{ width: width + 'px', height: height + 'px' }} />
      <svg width={width} height={height + kAxis}>
        {devices.map((device, lane) => <text key={device.device} class="lane" x={0} y={lane * kLane + kLane / 2} dy="0.32em"><title>{device.device}</title>{shortened(deviceName(devices, device), Math.floor(labels / 7))}</text>)}
        {ticksOf(axis, axis.min, axis.max, inner, 90).map((tick) => {
          const px = x((tick.at - epoch) / 1000);
          return <g key={tick.at}><line class="grid" x1={px} x2={px} y1={0} y2={height + 4} /><text class="tick" x={px} y={height + 17} text-anchor="middle">{tick.text}</text></g>;
        })}
        {select !== null && <rect class="select" x={select.from} width={select.to - select.from} y={0} height={height} />}
      </svg>
      {tip !== null && (
        <div class="tip" aria-hidden="true" style={tip.left > width / 2 ? { right: width - tip.left + 14 + 'px', top: tip.top + 'px' } : { left: tip.left + 14 + 'px', top: tip.top + 'px' }}>
          <strong>Trial {tip.span.trial} · {tip.span.live ? 'running' : tip.span.state}</strong>
          <span>attempt {tip.span.attempt}{tip.span.is_retry ? ', run again' : ''}</span>
          <span>{secondsText(tip.span.end - tip.span.begin)} from {dateText(epoch + 1000 * tip.span.begin)}</span>
          {tip.span.stop !== '' && <span>{tip.span.stop}</span>}
        </div>
      )}
    </div>
  );
}
