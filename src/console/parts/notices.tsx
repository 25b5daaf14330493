/** One line at the foot of the page that says what has come of an action. */
import { useEffect } from 'react';
import { createStore, useStore } from '../data/store.ts';
import { Button } from './button.tsx';

interface Notice {
  text: string;
  /** It did not work: it stays until it is closed. */
  bad: boolean;
}

const shownMs = 8_000;
const notice = createStore<Notice | null>(null);

export function say(text: string): void {
  notice.set({ text, bad: false });
}

export function complain(text: string): void {
  notice.set({ text, bad: true });
}

export function Notices() {
  const shown = useStore(notice);
  useEffect(() => {
    if (!shown || shown.bad) return;
    const timer = setTimeout(() => notice.set(null), shownMs);
    return () => clearTimeout(timer);
  }, [shown]);
  return (
    <div className="notices" role={shown?.bad ? 'alert' : 'status'}>
      {shown && (
        <div className={shown.bad ? 'notice bad' : 'notice'}>
          <span>{shown.text}</span>
          <Button small onClick={() => notice.set(null)}>
            Close
          </Button>
        </div>
      )}
    </div>
  );
}
