// The trial under the pointer, or with the focus: every chart and table of the page shows where it stands. 0: none.
import { signal } from '@preact/signals';

export const hovered = signal(0);
