// Starts the pages of `tune serve`.
import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './style/app.css';
import { App } from './app.tsx';
import { startListening } from './live.ts';
import { startRouting } from './route.ts';

startRouting();
startListening();
render(<App />, document.getElementById('app')!);
