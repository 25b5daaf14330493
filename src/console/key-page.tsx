/** Asks for the key of a server that needs one; then the page that was asked for opens. */
import { useEffect, useRef, useState } from 'react';
import { giveKey, keyWanted } from './data/key.ts';
import { useStore } from './data/store.ts';
import { Mark } from './frame.tsx';

export function KeyPage() {
  const wanted = useStore(keyWanted);
  const [text, setText] = useState('');
  const field = useRef<HTMLInputElement>(null);
  // Nothing else is here to do; after a wrong key the next one is typed.
  useEffect(() => field.current?.focus(), []);
  return (
    <main className="key-page">
      <h1>
        <Mark /> Winnow
      </h1>
      <form
        className="card"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim()) giveKey(text);
        }}
      >
        <label htmlFor="key">API key</label>
        <input
          ref={field}
          id="key"
          className="input mono"
          value={text}
          onChange={(event) => setText(event.target.value)}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          data-1p-ignore
          data-lpignore="true"
          aria-describedby="key-note"
          aria-invalid={wanted === 'wrong' || undefined}
        />
        <p
          id="key-note"
          className={wanted === 'wrong' ? 'wrong' : 'soft'}
          role={wanted === 'wrong' ? 'alert' : undefined}
        >
          {wanted === 'wrong'
            ? 'This key is not valid here.'
            : 'This server needs a key. It is kept in this tab alone.'}
        </p>
        <button type="submit" className="button first">
          Open
        </button>
      </form>
    </main>
  );
}
