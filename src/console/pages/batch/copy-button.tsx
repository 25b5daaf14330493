/** Puts a text into the clipboard, and says so. */
import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';

const saidMs = 1_500;

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), saidMs);
    return () => clearTimeout(timer);
  }, [done]);
  // Browsers have none on pages that come over plain http from another machine.
  if (!navigator.clipboard) return null;
  const Icon = done ? Check : Copy;
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={done ? `${what} is copied` : `Copy: ${what}`}
      title={done ? 'Copied' : 'Copy'}
      onClick={async () => {
        await navigator.clipboard.writeText(text);
        setDone(true);
      }}
    >
      <Icon size={12} aria-hidden="true" />
    </button>
  );
}
