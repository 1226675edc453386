// Type a text: its classes with how likely each is.
import { useEffect, useState } from 'preact/hooks';
import { secondsText } from '../numbers.ts';
import { Failed } from '../parts/notice.tsx';
import type { Target } from './endpoint.tsx';
import { failureIn, invoke, Probabilities, SideBySide, type Tried } from './sandbox.tsx';

interface TextAnswer { classes: string[]; probabilities: number[]; labels?: string[] }

export function TextSandbox({ targets }: { targets: readonly Target[] }) {
  const [text, setText] = useState('');
  const [second, setSecond] = useState('');
  const [sent, setSent] = useState<{ text: string; second: string; count: number } | null>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    setSent({ text, second, count: (sent?.count ?? 0) + 1 });
  };
  return (
    <>
      <form class="stack" onSubmit={submit}>
        <label>Text <textarea rows={4} value={text} required onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event); }} /></label>
        <label>Second text, of models that judge pairs <input type="text" value={second} onInput={(event) => setSecond(event.currentTarget.value)} /></label>
        <p class="buttons"><button type="submit" class="primary">Classify</button> <span class="note">Ctrl+Enter</span></p>
      </form>
      {sent !== null && <SideBySide targets={targets} panel={(target) => <Panel key={target.endpoint + ' ' + sent.count} target={target} text={sent.text} second={sent.second} />} />}
    </>
  );
}

function Panel({ target, text, second }: { target: Target; text: string; second: string }) {
  const [tried, setTried] = useState<Tried<TextAnswer>>({ state: 'none' });
  useEffect(() => {
    const abort = new AbortController();
    setTried({ state: 'busy' });
    invoke<TextAnswer>(target.endpoint, JSON.stringify(second === '' ? { text } : { text, second }), 'application/json', abort.signal).then(
      ({ answer, call }) => setTried({ state: 'done', answer, call }),
      (error: unknown) => { if (!abort.signal.aborted) setTried({ state: 'failed', failure: failureIn(error) }); });
    return () => abort.abort();
  }, [target.endpoint, text, second]);
  return (
    <div role="status">
      {tried.state === 'busy' && <p class="loading">Asking {target.title}…</p>}
      {tried.state === 'failed' && <Failed failure={tried.failure} />}
      {tried.state === 'done' && (
        <>
          <Probabilities classes={tried.answer.classes} probabilities={tried.answer.probabilities} />
          <p class="note">{tried.call.model} in {secondsText(tried.call.seconds)}</p>
        </>
      )}
    </div>
  );
}
