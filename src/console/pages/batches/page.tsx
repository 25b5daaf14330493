/** The list of batches, as it changes. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { wasReturnedTo } from '../../data/navigation.ts';
import { usePresentQuery } from '../../data/present-query.ts';
import { useLiveQuery } from '../../data/use-live-query.ts';
import { useWorkerCount } from '../../data/use-workers.ts';
import { useAddress } from '../../parts/address.ts';
import { Button, ButtonLink } from '../../parts/button.tsx';
import { Heading, usePageTitle } from '../../parts/page.tsx';
import { Empty, PartError, Skeleton } from '../../parts/part.tsx';
import { count } from '../../words/numbers.ts';
import type { BulkAction } from './bulk.ts';
import { BulkDialog } from './bulk-dialog.tsx';
import { BatchPage, ShowCounts } from './documents.ts';
import { FirstSteps } from './empty.tsx';
import { type ApiFilter, type Filter, isWhole, readFilter, toApiFilter } from './filter.ts';
import { Filters } from './filters.tsx';
import { useSelection } from './selection.ts';
import { SelectionBar } from './selection-bar.tsx';
import { BatchTable } from './table.tsx';
import { type OpenList, pageRows, useBatchList } from './use-batch-list.ts';
import './batches.css';

/** Where the list was scrolled to when it was left. */
let leftAt = 0;

export function BatchesPage() {
  usePageTitle('Batches');
  const [address, setAddress] = useAddress();
  const filter = readFilter(address);
  const apiFilter = toApiFilter(filter, Date.now());
  usePresentQuery(BatchPage, { filter: apiFilter, first: pageRows });
  const returned = useRef(wasReturnedTo()).current;
  const list = useBatchList(apiFilter, returned);
  const counts = useShowCounts(filter, list);
  const [action, setAction] = useState<BulkAction | null>(null);
  const key = JSON.stringify(apiFilter);
  const shown = useMemo(() => new Set(list.rows.map(({ id }) => id)), [list.rows]);
  const selection = useSelection(key, shown);
  useScrollKept(returned && list.rows.length > 0);

  const clear = () => setAddress({ name: null, show: null, operation: null, since: null });
  const nothingYet = list.total === 0 && list.rows.length === 0 && isWhole(filter);
  return (
    <>
      <Heading
        title="Batches"
        beside={list.total !== null && <span className="soft">{count(list.total)}</span>}
        actions={
          <ButtonLink to="/new" look="first">
            New batch
          </ButtonLink>
        }
      />
      {nothingYet ? (
        <FirstSteps />
      ) : (
        <>
          <Filters filter={filter} counts={counts} onChange={setAddress} />
          <Fresh list={list} />
          <Body list={list} selection={selection} onClear={clear} />
        </>
      )}
      <SelectionBar
        selection={selection}
        total={list.total ?? 0}
        rows={list.rows.length}
        onAction={setAction}
      />
      {action && (
        <BulkDialog
          action={action}
          filter={apiFilter}
          rows={selection.all ? null : list.rows.filter(({ id }) => selection.ids.has(id))}
          onEach={(id) => {
            if (action === 'delete') list.remove(id);
          }}
          onClose={(done) => {
            setAction(null);
            if (!done) return;
            selection.clear();
            list.again();
          }}
        />
      )}
    </>
  );
}

function Body({
  list,
  selection,
  onClear,
}: {
  list: OpenList;
  selection: ReturnType<typeof useSelection>;
  onClear: () => void;
}) {
  const { rows, total, error, reading } = list;
  const workers = useWorkerCount(rows.some(({ status }) => status === 'QUEUED'));
  if (total === null) {
    return error ? (
      <PartError error={error} again={list.again} what="The list" />
    ) : (
      <div className="card list waiting">
        <Skeleton lines={10} height={58} />
      </div>
    );
  }
  if (rows.length === 0) {
    return (
      <Empty title="No batch matches">
        <p>Nothing here has this name, state, operation and time together.</p>
        <Button onClick={onClear}>Clear the filter</Button>
      </Empty>
    );
  }
  return (
    <>
      <BatchTable
        rows={rows}
        total={total}
        workers={workers}
        selection={selection}
        onMore={list.more}
        onDone={list.put}
      />
      {error && <PartError error={error} again={list.again} what="More of the list" />}
      <div className="row soft foot">
        <span>
          {list.next === null
            ? `All ${count(rows.length)}`
            : reading === 'more'
              ? `${count(rows.length)} of ${count(total)}, reading more`
              : `${count(rows.length)} of ${count(total)}, more when you scroll`}
        </span>
        <span className="grow" />
        <span className="mono wide">j k move · enter opens · x selects · / finds</span>
      </div>
    </>
  );
}

/** Batches that came meanwhile are offered, so that no row moves under the pointer. */
function Fresh({ list }: { list: OpenList }) {
  const number = list.fresh.length;
  return (
    <div className="fresh" role="status">
      {number > 0 && (
        <Button
          small
          look="first"
          onClick={() => {
            list.showFresh();
            scrollTo(0, 0);
          }}
        >
          {count(number)} new
        </Button>
      )}
    </div>
  );
}

/** The numbers beside the filters, counted again when a batch has changed its status. */
function useShowCounts(filter: Filter, { rows, fresh, total }: OpenList) {
  const rest = toApiFilter({ ...filter, show: 'all' }, Date.now());
  const variables: { running: ApiFilter; waits: ApiFilter } = {
    running: { ...rest, ...toApiFilter({ ...filter, show: 'running' }, Date.now()) },
    waits: { ...rest, ...toApiFilter({ ...filter, show: 'waits' }, Date.now()) },
  };
  const [{ data }, ask] = useLiveQuery({ query: ShowCounts, variables });
  const states = useMemo(
    () => [...fresh, ...rows].map(({ id, status }) => id + status).join(),
    [rows, fresh],
  );
  const seen = useRef(states);
  useEffect(() => {
    if (seen.current === states) return;
    const timer = setTimeout(() => {
      seen.current = states;
      ask({ requestPolicy: 'network-only' });
    }, 500);
    return () => clearTimeout(timer);
  }, [states, ask]);
  return data && total !== null
    ? { running: data.running.totalCount, waits: data.waits.totalCount }
    : null;
}

function useScrollKept(returned: boolean): void {
  const first = useRef(returned);
  useEffect(() => {
    if (first.current) scrollTo(0, leftAt);
    first.current = false;
  }, []);
  const note = useCallback(() => {
    leftAt = scrollY;
  }, []);
  // Before the next page is drawn, which begins at its top.
  useLayoutEffect(() => note, [note]);
}
