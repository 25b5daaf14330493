/** Finds batches: by name, by what they are doing, by operation and by time. */
import { type RefObject, useCallback, useEffect, useRef, useState } from 'react';
import { useShortcuts } from '../../parts/shortcuts.ts';
import { count } from '../../words/numbers.ts';
import { type Filter, operations, type Show, shows, sinces } from './filter.ts';

const words: Readonly<Record<Show, string>> = {
  all: 'All',
  running: 'Running',
  waits: 'Waits for you',
  ended: 'Ended',
};

/** Typing is over when nothing was typed for this long. */
const quietMs = 250;

export function Filters({
  filter,
  counts,
  onChange,
}: {
  filter: Filter;
  /** Null while they are not known. */
  counts: { running: number; waits: number } | null;
  onChange: (changes: Record<string, string | null>) => void;
}) {
  const find = useRef<HTMLInputElement>(null);
  useShortcuts({ '/': () => find.current?.select() });
  return (
    <search className="row wrap filters">
      <FindByName field={find} name={filter.name} onFind={(name) => onChange({ name })} />
      <fieldset className="row wrap" aria-label="What they are doing">
        {shows.map((show) => {
          const number = counts && (show === 'running' || show === 'waits') ? counts[show] : 0;
          return (
            <button
              key={show}
              type="button"
              className="chip"
              aria-pressed={filter.show === show}
              onClick={() => onChange({ show: show === 'all' ? null : show })}
            >
              {words[show]} {number > 0 && <b>{count(number)}</b>}
            </button>
          );
        })}
      </fieldset>
      <select
        className="chip"
        aria-label="Operation"
        value={filter.operation ?? ''}
        onChange={(event) => onChange({ operation: event.target.value.toLowerCase() })}
      >
        <option value="">Every operation</option>
        {operations.map((operation) => (
          <option key={operation} value={operation}>
            {operation.toLowerCase()}
          </option>
        ))}
      </select>
      <select
        className="chip"
        aria-label="Time"
        value={filter.since}
        onChange={(event) => onChange({ since: event.target.value })}
      >
        {Object.entries(sinces).map(([since, word]) => (
          <option key={since} value={since}>
            {word}
          </option>
        ))}
      </select>
    </search>
  );
}

function FindByName({
  field,
  name,
  onFind,
}: {
  field: RefObject<HTMLInputElement | null>;
  name: string;
  onFind: (name: string) => void;
}) {
  const [typed, setTyped] = useState(name);
  const sent = useRef(name);
  const find = useRef(onFind);
  find.current = onFind;
  // The address was changed from elsewhere: by back, or by the offer to clear the filter.
  useEffect(() => {
    if (name === sent.current) return;
    sent.current = name;
    setTyped(name);
  }, [name]);
  const send = useCallback(() => {
    const wanted = typed.trim();
    if (wanted === sent.current) return;
    sent.current = wanted;
    find.current(wanted);
  }, [typed]);
  useEffect(() => {
    const timer = setTimeout(send, quietMs);
    return () => clearTimeout(timer);
  }, [send]);
  return (
    <input
      ref={field}
      type="search"
      className="input find"
      placeholder="Find by name"
      aria-label="Find by name"
      autoComplete="off"
      spellCheck={false}
      dir="auto"
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={send}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        if (typed) setTyped('');
        else field.current?.blur();
      }}
    />
  );
}
