// Draws series on a canvas: points in a shape of their role's, lines, steps.
import { colorOf, isLine, trialAt, type Role, type Series } from './chart.ts';

// Where the points of a series stand, in pixels of the canvas; NaN for none.
export interface Placed {
  readonly series: Series;
  readonly x: Float32Array;
  readonly y: Float32Array;
}

const kManyPoints = 4000; // above this many a point is a small square, quicker to fill than a disc

// The more there are, the fainter each: what many share shows.
function alphaFor(crowd: number): number {
  return Math.max(0.12, Math.min(0.85, 14 / Math.sqrt(crowd + 1) / 4));
}

export function drawSeries(
  context: CanvasRenderingContext2D,
  placed: readonly Placed[],
  scale: number,
  only?: number,
): void {
  const curves = placed.filter(({ series }) => isLine(series.role)).length;
  for (const one of placed) {
    const { role } = one.series;
    if (isLine(role)) drawLine(context, one, scale, curves, only);
    else drawPoints(context, one, scale, only);
  }
}

function drawLine(
  context: CanvasRenderingContext2D,
  { series, x, y }: Placed,
  scale: number,
  crowd: number,
  only?: number,
): void {
  const { role } = series;
  const isSteps = role === 'best-so-far' || role === 'front';
  if (only !== undefined && (isSteps || trialAt(series, 0) !== only)) return;
  const isStrong = role === 'best-curve' || only !== undefined;
  const ink = colorOf(role);
  context.save();
  context.strokeStyle = context.fillStyle = ink;
  context.globalAlpha = isSteps || isStrong ? 1 : Math.max(0.25, Math.min(0.9, 14 / crowd));
  context.lineWidth = (isStrong ? 2.75 : isSteps ? 1.75 : 1.25) * scale;
  context.lineJoin = 'round';
  if (role === 'stopped-curve') context.setLineDash([5 * scale, 3 * scale]);
  context.beginPath();
  let isDown = false,
    lastX = NaN,
    lastY = NaN;
  for (let i = 0; i < x.length; ++i) {
    const px = x[i]!,
      py = y[i]!;
    if (!Number.isFinite(px) || !Number.isFinite(py)) {
      isDown = false;
      continue;
    }
    if (!isDown) context.moveTo(px, py);
    else if (isSteps) {
      context.lineTo(px, lastY);
      context.lineTo(px, py);
    } else context.lineTo(px, py);
    isDown = true;
    lastX = px;
    lastY = py;
  }
  context.stroke();
  context.setLineDash([]);
  // Where a curve ends says something: it was stopped there, or goes on.
  if (Number.isFinite(lastX) && (role === 'stopped-curve' || role === 'running-curve' || x.length === 1)) {
    context.globalAlpha = 1;
    mark(context, role === 'stopped-curve' ? 'stopped' : 'running', lastX, lastY, 3.5 * scale);
  }
  context.restore();
}

function drawPoints(context: CanvasRenderingContext2D, { series, x, y }: Placed, scale: number, only?: number): void {
  const { role } = series;
  context.save();
  context.strokeStyle = context.fillStyle = colorOf(role);
  const isMany = x.length > kManyPoints && only === undefined;
  const size = (only !== undefined || role === 'best' || role === 'run' ? 5.5 : isMany ? 1.5 : 3.25) * scale;
  context.globalAlpha =
    only !== undefined || (role !== 'completed' && role !== 'stopped' && role !== 'failed') ? 1 : alphaFor(x.length);
  context.lineWidth = 1.25 * scale;
  for (let i = 0; i < x.length; ++i) {
    const px = x[i]!,
      py = y[i]!;
    if (!Number.isFinite(px) || !Number.isFinite(py)) continue;
    if (only !== undefined && trialAt(series, i) !== only) continue;
    if (isMany) context.fillRect(px - size, py - size, 2 * size, 2 * size);
    else mark(context, role, px, py, size);
  }
  context.restore();
}

// A shape for each role, so that colour is not all that tells.
function mark(context: CanvasRenderingContext2D, role: Role, x: number, y: number, size: number): void {
  context.beginPath();
  switch (role) {
    case 'stopped':
      context.moveTo(x, y - size);
      context.lineTo(x + size, y);
      context.lineTo(x, y + size);
      context.lineTo(x - size, y);
      context.closePath();
      context.stroke();
      return;
    case 'failed':
      context.moveTo(x - size, y - size);
      context.lineTo(x + size, y + size);
      context.moveTo(x - size, y + size);
      context.lineTo(x + size, y - size);
      context.stroke();
      return;
    case 'running':
      context.arc(x, y, size, 0, 2 * Math.PI);
      context.stroke();
      return;
    default:
      context.arc(x, y, size, 0, 2 * Math.PI);
      context.fill();
  }
}
