/** The page of one batch. */
import { memo, useEffect, useLayoutEffect, useMemo, useRef } from 'react';
import { usePresentQuery } from '../../data/present-query.ts';
import { useWorkerCount } from '../../data/use-workers.ts';
import { useAddress } from '../../parts/address.ts';
import { ButtonLink } from '../../parts/button.tsx';
import { Heading, usePageTitle } from '../../parts/page.tsx';
import { PartError, Skeleton } from '../../parts/part.tsx';
import { hasEnded, stateOf } from '../../words/batch-state.ts';
import { percent, useTimes } from '../../words/numbers.ts';
import { StateCard } from './cards.tsx';
import { firstLine } from './charts/confidence.tsx';
import { type Batch, BatchPageQuery } from './documents.ts';
import { Figures } from './figures.tsx';
import { Head, nameOf } from './head.tsx';
import { Overview } from './overview.tsx';
import { Progress } from './progress.tsx';
import { filterOf } from './results/filter.ts';
import { Sides } from './sides.tsx';
import { useActing } from './use-act.ts';
import { useBatch } from './use-batch.ts';
import { useSums } from './use-sums.ts';
import './batch.css';
import './charts/charts.css';
import './results/results.css';

export function BatchPage({ id }: { id: string }) {
  const read = useBatch(id);
  if (read.gone) return <NoBatch />;
  if (!read.batch) {
    return (
      <>
        <Loading />
        {read.error && <PartError error={read.error} what="The batch" again={read.again} />}
      </>
    );
  }
  return <Shown batch={read.batch} pulse={read.pulse} acts={read.acts} noteAct={read.noteAct} />;
}

/** The same words for an unknown id, another owner's, and one that was deleted just now. */
function NoBatch() {
  usePageTitle('No such batch');
  return (
    <>
      <Heading title="There is no such batch" />
      <p className="soft">It may have been deleted.</p>
      <p>
        <ButtonLink to="/">All batches</ButtonLink>
      </p>
    </>
  );
}

function Loading() {
  usePageTitle('Batch');
  return (
    <div className="stack">
      <Skeleton lines={2} height={40} />
      <Skeleton lines={2} height={52} />
      <Skeleton lines={1} height={100} />
      <Skeleton lines={10} />
    </div>
  );
}

const Shown = memo(function Shown({
  batch,
  pulse,
  acts,
  noteAct,
}: {
  batch: Batch;
  pulse: number;
  acts: number;
  noteAct: () => void;
}) {
  const times = useTimes();
  const [address, change] = useAddress();
  const acting = useActing(noteAct);
  const filter = useMemo(() => filterOf(address), [address]);
  const sums = useSums({ batch, field: address.get('field'), pulse });
  const workers = useWorkerCount(batch.status === 'QUEUED');
  const state = stateOf(batch, { times, workers });
  const opened = openedOf(address);
  usePresentQuery(BatchPageQuery, { id: batch.id });
  usePageTitle(`${hasEnded(batch) ? '' : `${percent(batch.progress)} · `}${nameOf(batch)}`);
  useReturnToList(opened !== null);

  return (
    <div className={opened === null ? 'batch-page' : 'batch-page has-opened'}>
      <Head batch={batch} state={state} filter={filter} acting={acting} />
      <div className="stack">
        <Progress batch={batch} state={state} />
        <StateCard batch={batch} sums={sums.sums} acting={acting} />
        <Figures batch={batch} sums={sums.sums} below={filter.below ?? firstLine} />
        <Sides
          batch={batch}
          tab={address.get('tab')}
          onTab={(tab) => change({ tab: tab === 'results' ? null : tab })}
          pulse={pulse}
          acting={acting}
        >
          <Overview
            batch={batch}
            sums={sums}
            filter={filter}
            opened={opened}
            change={change}
            pulse={pulse}
            acts={acts}
            acting={acting}
          />
        </Sides>
      </div>
    </div>
  );
});

/** The index of the opened row; null where none is. */
function openedOf(address: URLSearchParams): number | null {
  const row = address.get('row');
  return row !== null && /^\d{1,9}$/.test(row) ? Number(row) : null;
}

/** On a phone an opened row takes the whole page: after it the page is where it was. */
function useReturnToList(isOpen: boolean): void {
  const before = useRef(0);
  useEffect(() => {
    if (isOpen) return;
    const note = () => {
      before.current = scrollY;
    };
    addEventListener('scroll', note, { passive: true });
    return () => removeEventListener('scroll', note);
  }, [isOpen]);
  const wasOpen = useRef(isOpen);
  useLayoutEffect(() => {
    if (wasOpen.current === isOpen) return;
    wasOpen.current = isOpen;
    if (matchMedia('(max-width: 720px)').matches) scrollTo(0, isOpen ? 0 : before.current);
  }, [isOpen]);
}
