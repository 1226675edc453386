// Type a prompt: the answer streams in, with time and tokens; two versions or adapters beside each other.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Failure, post } from '../api.ts';
import { numberText, plural, secondsText } from '../numbers.ts';
import { Choice } from '../parts/figure.tsx';
import { Failed } from '../parts/notice.tsx';
import type { Target } from './endpoint.tsx';
import { failureIn, invokePath, SideBySide } from './sandbox.tsx';

type Mode = 'chat' | 'completion';
interface Prompt {
  readonly mode: Mode; readonly system: string; readonly text: string; readonly temperature: number; readonly topP: number; readonly length: number; readonly seed: string;
  readonly count: number;  // which try it is
}

export function PromptSandbox({ targets }: { targets: readonly Target[] }) {
  const [mode, setMode] = useState<Mode>('chat');
  const [system, setSystem] = useState('');
  const [text, setText] = useState('');
  const [temperature, setTemperature] = useState(0.7);
  const [topP, setTopP] = useState(1);
  const [length, setLength] = useState(128);
  const [seed, setSeed] = useState('');
  const [sent, send] = useState<Prompt | null>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    if (text !== '') send({ mode, system, text, temperature, topP, length, seed, count: (sent?.count ?? 0) + 1 });
  };
  return (
    <>
      <form class="stack" onSubmit={submit}>
        <Choice label="Kind of prompt" options={[['chat', 'Chat'], ['completion', 'Completion']]} value={mode} onChoose={setMode} />
        {mode === 'chat' && <label>System <input type="text" value={system} onInput={(event) => setSystem(event.currentTarget.value)} /></label>}
        <label>Prompt <textarea rows={4} value={text} required onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event); }} /></label>
        <div class="fields">
          <label class="range">Temperature {temperature.toFixed(2)} <input type="range" min="0" max="2" step="0.05" value={temperature} onInput={(event) => setTemperature(Number(event.currentTarget.value))} /></label>
          <label class="range">Top p {topP.toFixed(2)} <input type="range" min="0.05" max="1" step="0.05" value={topP} onInput={(event) => setTopP(Number(event.currentTarget.value))} /></label>
          <label>Most tokens <input type="number" min="1" max="8192" value={length} onInput={(event) => setLength(Math.max(1, Number(event.currentTarget.value) || 1))} /></label>
          <label>Seed <input type="text" inputMode="numeric" placeholder="any" pattern="[0-9]*" value={seed} onInput={(event) => setSeed(event.currentTarget.value)} /></label>
        </div>
        <p class="buttons"><button type="submit" class="primary">Send</button> <span class="note">Ctrl+Enter</span></p>
      </form>
      <SideBySide targets={targets} panel={(target, k) => <Panel key={target.endpoint} target={target} prompt={sent} isSecond={k === 1} />} />
    </>
  );
}

interface Written { readonly text: string; readonly tokens: number; readonly first: number; readonly seconds: number; readonly model: string; readonly end: string }
const kNothing: Written = { text: '', tokens: 0, first: NaN, seconds: 0, model: '', end: '' };

function Panel({ target, prompt, isSecond }: { target: Target; prompt: Prompt | null; isSecond: boolean }) {
  const label = isSecond ? ' 2' : '';
  const [written, setWritten] = useState<Written>(kNothing);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [names, setNames] = useState<readonly string[]>([]);
  const [model, setModel] = useState('');
  const abort = useRef<AbortController | null>(null);

  // The model itself and its adapters.
  useEffect(() => {
    let hasEnded = false;
    post(invokePath(target.endpoint, '/v1/models'), '', 'application/json').then((response) => response.json()).then((answer: { data?: { id?: unknown }[] }) => {
      if (hasEnded) return;
      const ids = (answer.data ?? []).flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
      setNames(ids);
      // Of the second panel another one than of the first, where there is another.
      setModel((before) => (ids.includes(before) ? before : (isSecond ? ids[1] : undefined) ?? ids[0] ?? ''));
    }).catch(() => undefined);  // its default answers
    return () => { hasEnded = true; };
  }, [target.endpoint]);

  useEffect(() => {
    if (prompt === null) return;
    const mine = new AbortController();
    abort.current = mine;
    setBusy(true), setFailure(null), setWritten(kNothing);
    stream(target.endpoint, model || target.endpoint, prompt, mine.signal, setWritten)
      .catch((error: unknown) => { if (!mine.signal.aborted) setFailure(failureIn(error)); })
      .finally(() => { if (abort.current === mine) setBusy(false); });
    return () => mine.abort();
  }, [prompt, target.endpoint]);

  const rate = written.tokens > 1 && written.seconds > written.first ? (written.tokens - 1) / (written.seconds - written.first) : NaN;
  return (
    <>
      {names.length > 1 && (
        <label class="select"><span class="unseen">Model or adapter{label}</span>
          <select value={model} onChange={(event) => setModel(event.currentTarget.value)}>{names.map((name) => <option key={name} value={name}>{name}</option>)}</select>
        </label>
      )}
      {failure !== null && <Failed failure={failure} />}
      {prompt !== null && failure === null && <pre class="answer" aria-label={'Answer' + label} aria-busy={isBusy} tabIndex={0} role="log">{written.text}{isBusy && <span class="caret" aria-hidden="true">▍</span>}</pre>}
      {prompt !== null && failure === null && (
        <p class="note">
          {written.model && written.model + ' · '}{plural(written.tokens, 'token')} in {secondsText(written.seconds)}
          {Number.isFinite(written.first) && ' · first after ' + secondsText(written.first)}{Number.isFinite(rate) && ' · ' + numberText(Number(rate.toPrecision(3))) + ' tokens a second'}{written.end && ' · ended by ' + written.end}
          {isBusy && <> <button type="button" class="link" onClick={() => { abort.current?.abort(); setBusy(false); }}>Stop</button></>}
        </p>
      )}
    </>
  );
}

interface Chunk {
  choices?: { delta?: { content?: string | null }; message?: { content?: string }; text?: string; finish_reason?: string | null }[];
  usage?: { completion_tokens?: number } | null; error?: { message?: string };
}

// Server-sent events of OpenAI's protocol, as they come.
async function stream(endpoint: string, model: string, prompt: Prompt, signal: AbortSignal, take: (written: Written) => void): Promise<void> {
  const common = { model, stream: true, stream_options: { include_usage: true }, temperature: prompt.temperature, top_p: prompt.topP, max_tokens: prompt.length, ...(prompt.seed !== '' ? { seed: Number(prompt.seed) } : {}) };
  const messages = [...(prompt.system ? [{ role: 'system', content: prompt.system }] : []), { role: 'user', content: prompt.text }];
  const begin = performance.now(), elapsed = () => (performance.now() - begin) / 1000;
  const response = prompt.mode === 'chat'
    ? await post(invokePath(endpoint, '/v1/chat/completions'), JSON.stringify({ ...common, messages }), 'application/json', {}, signal)
    : await post(invokePath(endpoint, '/v1/completions'), JSON.stringify({ ...common, prompt: prompt.text }), 'application/json', {}, signal);
  let written: Written = { ...kNothing, model: response.headers.get('X-Tune-Model') ?? model };
  const read = (chunk: Chunk) => {
    if (chunk.error) throw new Failure(0, chunk.error.message ?? 'The endpoint broke off.');
    const one = chunk.choices?.[0], text = one?.delta?.content ?? one?.message?.content ?? one?.text ?? '';
    written = {
      ...written, text: written.text + text, seconds: elapsed(), tokens: chunk.usage?.completion_tokens ?? written.tokens + (text !== '' ? 1 : 0),
      first: Number.isNaN(written.first) && text !== '' ? elapsed() : written.first, end: one?.finish_reason ?? written.end,
    };
    take(written);
  };
  if (!(response.headers.get('Content-Type') ?? '').includes('text/event-stream')) {
    read((await response.json()) as Chunk);
    return;
  }
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ''; ;) {
    const { done, value } = await reader.read();
    rest += value ?? '';
    const lines = rest.split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const data = line.startsWith('data:') ? line.slice(5).trim() : '';
      if (data !== '' && data !== '[DONE]') read(JSON.parse(data) as Chunk);
    }
    if (done) return;
  }
}
