/** The rows of the batch with their answers: filters, the list, and what stands below it. */
import { useEffect, useRef, useState } from 'react';
import { Button } from '../../../parts/button.tsx';
import { Empty, PartError, Skeleton } from '../../../parts/part.tsx';
import { hasEnded } from '../../../words/batch-state.ts';
import { count, many } from '../../../words/numbers.ts';
import type { Batch } from '../documents.ts';
import { hasPlaces, isFiltered, noFilter, type RowFilter } from './filter.ts';
import { type ChangeFilter, Filters } from './filters.tsx';
import { List } from './list.tsx';
import type { RowStoreState } from './row-store.ts';
import { type Row, useRowState, useRows } from './use-rows.ts';

export function Results({
  batch,
  filter,
  change,
  opened,
  onOpen,
  pulse,
  acts,
}: {
  batch: Batch;
  filter: RowFilter;
  change: ChangeFilter;
  opened: number | null;
  onOpen: (index: number) => void;
  /** Rises when rows may have changed. */
  pulse: number;
  /** Rises when rows with an answer may have changed. */
  acts: number;
}) {
  const [times, setTimes] = useState(0);
  const { id, counts, operation } = batch;
  const store = useRows({ id, total: counts.total, filter, times });
  const state = useRowState(store);
  const places = hasPlaces(filter);

  // Rows that have no answer yet are read again; in a list with a filter, none moves by itself.
  const seen = useRef({ pulse, acts });
  const [behind, setBehind] = useState(false);
  useEffect(() => setBehind(false), [store]);
  useEffect(() => {
    if (!store || (seen.current.pulse === pulse && seen.current.acts === acts)) return;
    const all = seen.current.acts !== acts;
    seen.current = { pulse, acts };
    if (places) store.refresh(all ? 'all' : isOpen);
    else if (store.state().rows < 200) store.refresh('all');
    else setBehind(true);
  }, [pulse, acts, store, places]);

  return (
    <section className="card results" aria-label="Rows">
      <Filters batch={batch} filter={filter} change={change} />
      {state.error && (
        <PartError error={state.error} what="The rows" again={() => store?.again()} />
      )}
      {!store || (!places && !state.read && state.searchedTo === null && !state.error) ? (
        <Skeleton lines={Math.min(16, counts.total + 1)} />
      ) : state.rows === 0 && !places ? (
        <Nothing state={state} total={counts.total} change={change} filter={filter} />
      ) : (
        <List
          key={`${JSON.stringify(filter)} ${times}`}
          store={store}
          rows={state.rows}
          operation={operation}
          opened={opened}
          onOpen={onOpen}
          places={places}
          first={places ? (opened ?? 0) : 0}
        />
      )}
      <div className="row wrap below">
        <span>{below(state, { filter, total: counts.total })}</span>
        {behind && (
          <Button small onClick={() => setTimes(times + 1)}>
            {hasEnded(batch) ? 'Read the rows again' : 'Rows have changed: read them again'}
          </Button>
        )}
        <span className="grow" />
        <span className="mono wide" aria-hidden="true">
          ↑ ↓ rows · enter opens
        </span>
      </div>
    </section>
  );
}

function isOpen({ status }: Row): boolean {
  return status === 'PENDING' || status === 'PROCESSING';
}

function Nothing({
  state,
  total,
  filter,
  change,
}: {
  state: RowStoreState;
  total: number;
  filter: RowFilter;
  change: ChangeFilter;
}) {
  if (!state.complete) {
    return (
      <Empty title="Looking">
        <p>
          None in the first {count((state.searchedTo ?? 0) + 1)} of {many(total, 'row')}, going on.
        </p>
      </Empty>
    );
  }
  return (
    <Empty title={isFiltered(filter) ? 'No row matches' : 'No answer has a confidence'}>
      <p>
        <Button onClick={() => change({ ...noFilter, order: null })}>
          {isFiltered(filter) ? 'Clear the filter' : 'In the order of the input'}
        </Button>
      </p>
    </Empty>
  );
}

function below(
  { rows, complete, searchedTo }: RowStoreState,
  { filter, total }: { filter: RowFilter; total: number },
): string {
  if (hasPlaces(filter)) return many(total, 'row');
  if (searchedTo !== null && rows > 0) {
    return `${count(rows)} in the first ${count(searchedTo + 1)} of ${many(total, 'row')}, going on`;
  }
  if (!complete) return `the first ${many(rows, 'row')}, more as you scroll`;
  return filter.leastSureFirst && !isFiltered(filter)
    ? `${many(rows, 'row')} with a confidence`
    : `${many(rows, 'row')} of ${count(total)}`;
}
