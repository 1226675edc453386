// The log of an attempt, from its end, and on as it grows.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { api, Failure, getJson } from '../api.ts';
import type { LogPart } from '../answers.ts';
import { contact } from '../live.ts';
import { bytesText } from '../numbers.ts';
import { Failed } from '../parts/notice.tsx';

const kTail = 65_536, kMostText = 2_000_000, kLookMs = 1000;

interface Shown { begin: number; next: number; text: string; isLive: boolean }

export function TrialLog({ study, trial, attempts }: { study: string; trial: number; attempts: readonly number[] }) {
  const [attempt, setAttempt] = useState<number | null>(null);  // null: the last
  const [shown, setShown] = useState<Shown | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [isFollowing, follow] = useState(true);
  const box = useRef<HTMLPreElement>(null);
  const last = attempts[attempts.length - 1] ?? 0, chosen = attempt ?? last;
  const path = (offset: number) => api('studies', study, 'trials', trial, 'log') + '?attempt=' + chosen + '&offset=' + offset;

  const known = useRef<Shown | null>(null);
  const show = (now: Shown) => {
    known.current = now;
    setShown(now);
  };

  useEffect(() => {
    if (chosen === 0) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    known.current = null;
    setShown(null);
    const look = async () => {
      let wait = kLookMs;
      if (!document.hidden && contact.peek() !== 'lost') {
        try {
          const before = known.current;
          const part = await getJson<LogPart>(path(before === null ? -kTail : before.next), abort.signal);
          const now = known.current;
          // What was loaded meanwhile is known already.
          if (now === null || part.begin === now.next) {
            if (now === null || part.text !== '' || part.live !== now.isLive)
              show({ begin: now?.begin ?? part.begin, next: part.next, text: ((now?.text ?? '') + part.text).slice(-kMostText), isLive: part.live });
            if (!part.live && part.text === '') return;
          }
          if (part.text.length > kTail) wait = 0;
          setFailure(null);
        } catch (error) {
          if (abort.signal.aborted) return;
          setFailure(error instanceof Failure ? error : new Failure(0, String(error)));
          if (error instanceof Failure && error.isMissing) return;
        }
      }
      timer = setTimeout(() => void look(), wait);
    };
    void look();
    return () => { abort.abort(); clearTimeout(timer); };
  }, [study, trial, chosen]);

  useLayoutEffect(() => {
    if (isFollowing && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [shown, isFollowing]);

  // The pieces end with whole lines, so everything from there on is read anew.
  const loadEarlier = async () => {
    if (known.current === null) return;
    const begin = Math.max(0, known.current.begin - 4 * kTail);
    let next = begin, text = '', isLive = known.current.isLive;
    try {
      while (next < known.current.next) {
        const part = await getJson<LogPart>(path(next));
        if (part.next <= next) break;
        text += part.text, next = part.next, isLive = part.live;
      }
    } catch (error) {
      return setFailure(error instanceof Failure ? error : new Failure(0, String(error)));
    }
    follow(false);
    show({ begin, next, text, isLive });
  };

  if (attempts.length === 0) return null;
  return (
    <section>
      <div class="head">
        <h2>Log</h2>
        <div class="controls">
          {attempts.length > 1 && (
            <label class="select"><span class="unseen">Attempt</span>
              <select value={String(chosen)} onChange={(event) => setAttempt(Number(event.currentTarget.value))}>
                {attempts.map((one) => <option key={one} value={String(one)}>attempt {one}</option>)}
              </select>
            </label>
          )}
          {shown !== null && shown.begin > 0 && <button type="button" onClick={() => void loadEarlier()}>Earlier ({bytesText(shown.begin)} more)</button>}
          <button type="button" aria-pressed={isFollowing} onClick={() => follow(!isFollowing)}>Follow</button>
        </div>
      </div>
      {failure !== null && <Failed failure={failure} />}
      <pre class="log" ref={box} tabIndex={0} role="log" aria-label={'Log of attempt ' + chosen} aria-live="off"
        onWheel={(event) => { if (event.deltaY < 0) follow(false); }}>
        {shown === null ? (failure === null ? 'Loading…' : '') : shown.text === '' ? '(nothing yet)' : shown.text}
      </pre>
      {shown?.isLive && <p class="note">It grows as the trial runs.</p>}
    </section>
  );
}
