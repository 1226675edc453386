// A dialog that asks before something is done, and says what came of it. It closes by Escape, and gives the focus back.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { Failure } from '../api.ts';
import { Failed } from './notice.tsx';

interface Props {
  readonly title: string;
  readonly confirm: string;      // what the button says: a verb
  readonly isDangerous?: boolean;
  readonly children?: ComponentChildren;
  readonly action: () => Promise<string>;  // does it; what was done, as a sentence
  readonly onClose: () => void;
}

export function Dialog({ title, confirm, isDangerous = false, children, action, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [done, setDone] = useState<string | null>(null);
  useEffect(() => {
    const element = dialog.current!;
    if (!element.open) element.showModal();
    return () => element.close();
  }, []);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      setDone(await action());
    } catch (error) {
      setFailure(error instanceof Failure ? error : new Failure(0, error instanceof Error ? error.message : String(error)));
    }
    setBusy(false);
  };
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="dialog-title">{title}</h2>
        {done === null ? <div class="body">{children}</div> : <p class="done" role="status">{done}</p>}
        {failure !== null && <Failed failure={failure} />}
        <p class="buttons">
          <button type="button" onClick={onClose}>{done === null ? 'Cancel' : 'Close'}</button>
          {done === null && <button type="submit" class={isDangerous ? 'danger' : 'primary'} disabled={isBusy}>{isBusy ? 'Working…' : confirm}</button>}
        </p>
      </form>
    </dialog>
  );
}
