// A command to copy. Where the browser gives no clipboard (plain HTTP to another machine), the text is selected instead.
import { useRef, useState } from 'preact/hooks';

export function Command({ text, label }: { text: string; label: string }) {
  const code = useRef<HTMLElement>(null);
  const [said, setSaid] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('Copied');
    } catch {
      const range = document.createRange();
      range.selectNodeContents(code.current!);
      getSelection()?.removeAllRanges();
      getSelection()?.addRange(range);
      setSaid('Selected: copy with Ctrl-C');
    }
    setTimeout(() => setSaid(''), 2500);
  };
  return (
    <div class="command">
      <code ref={code} tabIndex={0} aria-label={label}>{text}</code>
      <button type="button" onClick={() => void copy()}>{said || 'Copy'}<span class="unseen"> {label}</span></button>
    </div>
  );
}
