/** Which rows are shown: chips for what is chosen, and a field for a text. */
import { X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { AddressChanges } from '../../../parts/address.ts';
import { useShortcuts } from '../../../parts/shortcuts.ts';
import { count } from '../../../words/numbers.ts';
import { oneLine } from '../../../words/text.ts';
import type { Batch } from '../documents.ts';
import { canBeSure, isFiltered, noFilter, type RowFilter } from './filter.ts';

/** The list follows what is typed after a rest of this, in ms. */
const restMs = 400;

export type ChangeFilter = (changes: AddressChanges) => void;

export function Filters({
  batch,
  filter,
  change,
}: {
  batch: Batch;
  filter: RowFilter;
  change: ChangeFilter;
}) {
  const { counts, operation } = batch;
  const statuses = [
    ['SUCCEEDED', 'Succeeded', counts.succeeded],
    ['FAILED', 'Failed', counts.failed],
    ['PROCESSING', 'In flight', counts.processing],
    ['PENDING', 'Waiting', counts.pending],
    ['CANCELLED', 'Cancelled', counts.cancelled],
    ['EXPIRED', 'Out of time', counts.expired],
  ] as const;
  return (
    <div className="row wrap row-filters">
      <h2>Results</h2>
      <Chip pressed={!isFiltered(filter)} onClick={() => change(noFilter)}>
        All
      </Chip>
      {statuses
        .filter(([status, , items]) => items > 0 || filter.status === status)
        .map(([status, word, items]) => (
          <Chip
            key={status}
            pressed={filter.status === status}
            onClick={() =>
              change({
                ...noFilter,
                q: filter.search,
                status: filter.status === status ? null : status.toLowerCase(),
              })
            }
          >
            {word} <b>{count(items)}</b>
          </Chip>
        ))}
      {filter.code && (
        <Chip pressed onClick={() => change({ code: null })}>
          <span className="mono">{filter.code}</span>
          <Off />
        </Chip>
      )}
      {filter.labels.map((label) => (
        <Chip
          key={label}
          pressed
          onClick={() => change({ label: filter.labels.filter((one) => one !== label) })}
        >
          <span className="name">{oneLine(label, 40)}</span>
          <Off />
        </Chip>
      ))}
      {filter.below !== null && (
        <Chip pressed onClick={() => change({ below: null })}>
          below {filter.below}
          <Off />
        </Chip>
      )}
      {operation === 'LABEL' && canBeSure(filter) && (
        <Chip
          pressed={filter.leastSureFirst}
          onClick={() => change({ order: filter.leastSureFirst ? null : 'sure' })}
        >
          Least sure first
        </Chip>
      )}
      <span className="grow" />
      <Find text={filter.search} onFind={(q) => change({ q })} />
    </div>
  );
}

function Chip({
  pressed,
  onClick,
  children,
}: {
  pressed: boolean;
  onClick: () => void;
  children: React.ReactNode;
}) {
  return (
    <button type="button" className="chip" aria-pressed={pressed} onClick={onClick}>
      {children}
    </button>
  );
}

function Off() {
  return <X size={12} aria-label="take it off" />;
}

function Find({ text, onFind }: { text: string; onFind: (text: string) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(text);
  const latest = useRef(onFind);
  latest.current = onFind;
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    if (typed === text) return;
    const timer = setTimeout(() => latest.current(typed), restMs);
    return () => clearTimeout(timer);
  }, [typed, text]);
  useShortcuts({ '/': () => field.current?.focus() });
  return (
    <input
      ref={field}
      type="search"
      className="input find"
      placeholder="Find in text  /"
      aria-label="Find in text"
      maxLength={200}
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onFind(typed);
      }}
    />
  );
}
