// Numbers, times and costs as the report and the terminal write them (tuner/core/number_text.h, tuner/report/text/format.h).

// As printf's %.6g does.
function sixDigits(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa, exponentText] = value.toExponential(5).split('e') as [string, string];
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 6) return trimmed(mantissa) + exponentPart(exponent);
  return trimmed(value.toFixed(Math.max(0, 5 - exponent)));
}

function trimmed(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function exponentPart(exponent: number): string {
  return 'e' + (exponent < 0 ? '-' : '+') + String(Math.abs(exponent)).padStart(2, '0');
}

// Six significant digits, in the shorter of two ways to write them: "0.4125", "1e-04"; "nan", "inf", "-inf".
export function numberText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const text = sixDigits(value);
  if (Math.abs(value) >= 1 || value === 0) return text;
  const [mantissa, exponent] = Number(text).toExponential().split('e') as [string, string];
  const shorter = mantissa + exponentPart(Number(exponent));
  return shorter.length < text.length ? shorter : text;
}

// A value of JSON as it is shown, whole numbers exactly; what is no finite number comes as a text ("NaN"), or is absent.
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : numberText(value);
  if (value === 'NaN') return 'nan';
  if (value === 'Infinity') return 'inf';
  if (value === '-Infinity') return '-inf';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

// "1 trial", "3 trials".
export function plural(count: number, noun: string): string {
  return countText(count) + ' ' + noun + (count === 1 ? '' : 's');
}

// Thousands apart by a thin space: "50 000".
export function countText(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}

// "850ms", "42s", "3m 20s", "2h 05m", "1d 4h".
export function secondsText(seconds: number): string {
  const exact = Math.max(0, seconds);
  if (exact < 0.0005) return '0s';
  if (exact < 0.9995) return Math.round(exact * 1000) + 'ms';
  let whole = Math.round(exact);
  if (whole < 60) return whole + 's';
  if (whole < 3600) return Math.floor(whole / 60) + 'm ' + String(whole % 60).padStart(2, '0') + 's';
  const minutes = Math.round(exact / 60);
  if (minutes < 24 * 60) return Math.floor(minutes / 60) + 'h ' + String(minutes % 60).padStart(2, '0') + 'm';
  whole = Math.round(exact / 3600);
  return Math.floor(whole / 24) + 'd ' + (whole % 24) + 'h';
}

export function hoursText(hours: number): string {
  return Math.round(hours * 3600) < 3600 ? secondsText(hours * 3600) : hours.toFixed(2) + ' h';
}

export function usdText(usd: number | null | undefined): string {
  if (usd === null || usd === undefined) return '';
  return '$' + usd.toFixed(usd > 0 && usd < 0.0995 ? 4 : 2);
}

export function percentText(share: number): string {
  return Math.round(100 * share) + ' %';
}

export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']; // as the commands count them
  let size = bytes,
    unit = 0;
  for (; size >= 1000 && unit < units.length - 1; ++unit) size /= 1000;
  return (unit === 0 ? String(size) : size.toFixed(1)) + ' ' + units[unit];
}

// An RFC 3339 time as milliseconds since 1970; NaN for none.
export function timeOf(text: string | null | undefined): number {
  return text ? Date.parse(text) : NaN;
}

const timeOfDay = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayAndTime = new Intl.DateTimeFormat('en-GB', {
  year: 'numeric',
  month: 'short',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
});

// In the reader's time zone.
export function clockText(ms: number): string {
  return Number.isFinite(ms) ? timeOfDay.format(ms) : '';
}
export function dateText(ms: number): string {
  return Number.isFinite(ms) ? dayAndTime.format(ms) : '';
}

// "just now", "3 minutes ago".
export function agoText(ms: number, now: number): string {
  const seconds = (now - ms) / 1000;
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 45) return 'just now';
  const [size, unit] = seconds < 3300 ? [60, 'minute'] : seconds < 79_200 ? [3600, 'hour'] : [86_400, 'day'];
  const count = Math.max(1, Math.round(seconds / (size as number)));
  return count + ' ' + unit + (count === 1 ? '' : 's') + ' ago';
}
