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

  useEffect(() => {
    if (chosen === 0) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined, now: Shown | null = null;
    setShown(null);
    const look = async () => {
      if (!document.hidden && contact.peek() !== 'lost') {
        try {
          const part = await getJson<LogPart>(path(now === null ? -kTail : now.next), abort.signal);
          // The log may have been cut or begun anew.
          const goesOn = now !== null && part.begin === now.next;
          const text = ((goesOn ? now!.text : '') + part.text).slice(-kMostText);
          const hasChanged = now === null || part.text !== '' || part.live !== now.isLive;
          now = { begin: goesOn ? now!.begin : part.begin, next: part.next, text, isLive: part.live };
          if (hasChanged) setShown(now);
          setFailure(null);
          if (!part.live && part.text === '') return;
          if (part.text.length > 100_000) { timer = setTimeout(() => void look(), 50); return; }
        } catch (error) {
          if (abort.signal.aborted) return;
          setFailure(error instanceof Failure ? error : new Failure(0, String(error)));
          if (error instanceof Failure && error.isMissing) return;
        }
      }
      timer = setTimeout(() => void look(), kLookMs);
    };
    void look();
    return () => { abort.abort(); clearTimeout(timer); };
  }, [study, trial, chosen]);

  useLayoutEffect(() => {
    if (isFollowing && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [shown, isFollowing]);

  const loadEarlier = async () => {
    if (shown === null) return;
    const from = Math.max(0, shown.begin - 4 * kTail);
    let begin = from, text = '';
    while (begin < shown.begin) {
      const part = await getJson<LogPart>(path(begin));
      if (part.next <= begin) break;
      text += part.next > shown.begin ? part.text.slice(0, Math.max(0, part.text.length - (part.next - shown.begin))) : part.text;
      begin = part.next;
    }
    follow(false);
    setShown({ ...shown, begin: from, text: text + shown.text });
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
