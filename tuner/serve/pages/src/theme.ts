// Dark or light: as the system has it, or as the reader chose.
import { effect, signal } from '@preact/signals';

export type Choice = 'system' | 'light' | 'dark';
const kKey = 'tune-theme';
const systemIsDark = window.matchMedia('(prefers-color-scheme: dark)');

function stored(): Choice {
  try {
    const text = localStorage.getItem(kKey);
    return text === 'light' || text === 'dark' ? text : 'system';
  } catch {
    return 'system';  // storage is switched off
  }
}

export const choice = signal<Choice>(stored());
// Counts changes, so that what is drawn on a canvas is drawn anew.
export const paint = signal(0);

effect(() => {
  const root = document.documentElement;
  if (choice.value === 'system') delete root.dataset.theme;
  else root.dataset.theme = choice.value;
  paint.value = paint.peek() + 1;
});
systemIsDark.addEventListener('change', () => { paint.value += 1; });

export function choose(next: Choice): void {
  choice.value = next;
  try {
    if (next === 'system') localStorage.removeItem(kKey);
    else localStorage.setItem(kKey, next);
  } catch {
    // It holds for this tab alone.
  }
}

// A colour of the style sheet, for a canvas.
export function ink(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
}
