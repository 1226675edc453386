// Starts the pages of `tune serve`.
import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './style/app.css';
import { App } from './app.tsx';
import { effect } from '@preact/signals';
import { startListening, watched } from './live.ts';
import { route, startRouting } from './route.ts';

startRouting();
effect(() => {
  const [place, study] = route.value.path;
  watched.value = place === 'studies' ? (study ?? null) : null;
});
startListening();
render(<App />, document.getElementById('app')!);
