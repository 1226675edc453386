// Asks something of a study, through its orchestrator as the commands do; each dialog shows the command that does the same.
import { useState } from 'preact/hooks';
import { api, postJson } from '../api.ts';
import type { Study, Value } from '../answers.ts';
import { valueText } from '../numbers.ts';
import { Command } from '../parts/copy.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { quoted } from '../parts/shell.ts';

type Asked = 'stop' | 'limits' | 'enqueue' | 'pause' | 'continue' | null;

export async function request(study: string, command: string, args: object): Promise<string> {
  const answer = await postJson<{ done?: string }>(api('studies', study, 'requests'), { command, arguments: args });
  return answer.done ?? 'Done.';
}

export function Steering({ study }: { study: Study }) {
  const [asked, ask] = useState<Asked>(null);
  const close = () => ask(null);
  if (!study.accepts_requests) return study.why_no_requests ? <p class="note steering">{study.why_no_requests}</p> : null;
  const isOver = study.state === 'finished', name = study.study;
  return (
    <div class="controls steering">
      {!isOver && (study.held === null
        ? <button type="button" onClick={() => ask('pause')}>Pause…</button>
        : <button type="button" onClick={() => ask('continue')}>Continue…</button>)}
      {study.is_live && <button type="button" onClick={() => ask('stop')}>Stop…</button>}
      <button type="button" onClick={() => ask('limits')}>Limits…</button>
      <button type="button" onClick={() => ask('enqueue')}>Enqueue a trial…</button>
      {asked === 'pause' && (
        <Dialog title={'Pause ' + name + '?'} confirm="Pause" onClose={close} action={() => request(name, 'pause', {})}>
          <p>No new trial begins until it is continued. What runs goes on to its end.</p>
          <Command text={'tune pause ' + quoted(name)} label="the command that does the same" />
        </Dialog>
      )}
      {asked === 'continue' && (
        <Dialog title={'Continue ' + name + '?'} confirm="Continue" onClose={close} action={() => request(name, 'continue', {})}>
          <p>It has been paused by {study.held}. Trials begin again.</p>
          <Command text={'tune continue ' + quoted(name)} label="the command that does the same" />
        </Dialog>
      )}
      {asked === 'stop' && (
        <Dialog title={'Stop ' + name + '?'} confirm="Stop the study" isDangerous onClose={close} action={() => request(name, 'stop', {})}>
          <p>Its trials save their state and end. <code>tune resume {name}</code> goes on with it.</p>
          <Command text={'tune stop ' + quoted(name)} label="the command that does the same" />
        </Dialog>
      )}
      {asked === 'limits' && <LimitsDialog study={study} onClose={close} />}
      {asked === 'enqueue' && <EnqueueDialog study={study} onClose={close} />}
    </div>
  );
}

const kLimits = [
  ['trials', 'trials in all', 'number'], ['parallel', 'trials at once', 'number'], ['time', 'time in all (90s, 20m, 2h, 1d)', 'text'], ['gpu_hours', 'device hours in all', 'number'],
  ['cost_usd', 'dollars in all', 'number'], ['target', 'value that ends the study', 'number'], ['no_improvement', 'trials without a new best that end it', 'number'],
] as const;

function LimitsDialog({ study, onClose }: { study: Study; onClose: () => void }) {
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({});
  const given = kLimits.filter(([name]) => (texts[name] ?? '') !== '');
  const command = ['tune set', quoted(study.study), ...given.map(([name]) => '--' + name.replace(/_/g, '-') + ' ' + quoted(texts[name]!))].join(' ');
  const action = async () => {
    if (given.length === 0) throw new Error('Nothing was changed: give one limit at least.');
    const limits: Record<string, unknown> = {};
    for (const [name, title, type] of given) {
      const value = Number(texts[name]);
      if (type === 'number' && !Number.isFinite(value)) throw new Error('“' + texts[name] + '” is no number of ' + title + '.');
      limits[name] = type === 'number' ? value : texts[name];
    }
    return request(study.study, 'set', { limits });
  };
  return (
    <Dialog title={'Limits of ' + study.study} confirm="Set" onClose={onClose} action={action}>
      <p class="note">Totals. What is left empty stays as it is.</p>
      <div class="fields">
        {kLimits.map(([name, title]) => (
          <label key={name}>{title}
            <input type="text" placeholder={valueText(study.limits[name]) || 'none'} value={texts[name] ?? ''} onInput={(event) => setTexts({ ...texts, [name]: event.currentTarget.value.trim() })} />
          </label>
        ))}
      </div>
      <Command text={command} label="the command that does the same" />
    </Dialog>
  );
}

function EnqueueDialog({ study, onClose }: { study: Study; onClose: () => void }) {
  const best = study.best?.parameters ?? {};
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({});
  const parameters: Record<string, Value> = {};
  for (const { name, values, type } of study.space) {
    const text = texts[name] ?? '';
    if (text === '') continue;
    if (values) parameters[name] = values.find((value) => valueText(value) === text) ?? text;
    else parameters[name] = type === 'categorical' || Number.isNaN(Number(text)) ? text : Number(text);
  }
  return (
    <Dialog title={'Enqueue a trial of ' + study.study} confirm="Enqueue" onClose={onClose} action={() => request(study.study, 'enqueue', { parameters })}>
      <p class="note">It runs before all others. What is left empty is taken from the best trial.</p>
      <div class="fields">
        {study.space.map(({ name, type, min, max, values }) => (
          <label key={name}>{name}
            {values ? (
              <select value={texts[name] ?? ''} onChange={(event) => setTexts({ ...texts, [name]: event.currentTarget.value })}>
                <option value="">{valueText(best[name]) || '(not given)'}</option>
                {values.map((value) => <option key={valueText(value)} value={valueText(value)}>{valueText(value)}</option>)}
              </select>
            ) : (
              <input type="text" inputMode="decimal" placeholder={valueText(best[name]) || valueText(min) + ' to ' + valueText(max)} title={type + ', ' + valueText(min) + ' to ' + valueText(max)}
                value={texts[name] ?? ''} onInput={(event) => setTexts({ ...texts, [name]: event.currentTarget.value.trim() })} />
            )}
          </label>
        ))}
      </div>
      <Command text={'tune enqueue ' + quoted(study.study) + ' --parameters ' + quoted(JSON.stringify(parameters))} label="the command that does the same" />
    </Dialog>
  );
}
