/** The charts, the rows, and what stands beside them: failures, the question, the opened row. */
import { useRef } from 'react';
import type { CombinedError } from 'urql';
import type { AddressChanges } from '../../parts/address.ts';
import { PartError, Skeleton } from '../../parts/part.tsx';
import { Asked } from './asked.tsx';
import { AllFailedCard } from './cards.tsx';
import { Confidence } from './charts/confidence.tsx';
import { countableFields } from './charts/fields.ts';
import { Labels } from './charts/labels.tsx';
import { PaceChart } from './charts/pace-chart.tsx';
import type { Batch } from './documents.ts';
import { Failures } from './failures.tsx';
import { noFilter, type RowFilter } from './results/filter.ts';
import { OpenedRow } from './results/opened.tsx';
import { Results } from './results/results.tsx';
import type { Acting } from './use-act.ts';
import type { Sums } from './use-sums.ts';

type Change = (changes: AddressChanges, how?: { push?: boolean }) => void;

export interface ReadSums {
  sums: Sums | null;
  error: CombinedError | null;
  again: () => void;
  /** The field whose values are counted; null for labels, and where there is no such field. */
  field: string | null;
}

export function Overview({
  batch,
  sums,
  filter,
  opened,
  change,
  pulse,
  acts,
  acting,
}: {
  batch: Batch;
  sums: ReadSums;
  filter: RowFilter;
  opened: number | null;
  change: Change;
  pulse: number;
  acts: number;
  acting: Acting;
}) {
  const list = useRef<HTMLDivElement>(null);
  const { counts, status } = batch;
  const answered = counts.succeeded + counts.failed;
  const allFailed = status === 'COMPLETED' && counts.failed === counts.total && counts.total > 0;

  function close() {
    change({ row: null });
    list.current?.querySelector<HTMLElement>('[role=grid]')?.focus({ preventScroll: true });
  }

  return (
    <div className="stack side-stack">
      {allFailed && <AllFailedCard batch={batch} acting={acting} />}
      {answered > 0 && !allFailed && (
        <Charts batch={batch} read={sums} filter={filter} change={change} />
      )}
      <div className={opened === null ? 'two' : 'two with-row'}>
        <div ref={list}>
          <Results
            batch={batch}
            filter={filter}
            change={change}
            opened={opened}
            onOpen={(index) => change({ row: String(index) }, { push: opened === null })}
            pulse={pulse}
            acts={acts}
          />
        </div>
        <div className="beside">
          {opened !== null && (
            <OpenedRow batch={batch} index={opened} stamp={`${acts} ${status}`} onClose={close} />
          )}
          {/* One reason alone stands in the card above. */}
          {(!allFailed || batch.errorSummary.length > 1) && (
            <Failures
              batch={batch}
              acting={acting}
              onShow={(code) => {
                change({ ...noFilter, code: code.toLowerCase(), row: null });
                list.current?.scrollIntoView({ block: 'nearest' });
              }}
            />
          )}
          <Asked batch={batch} onSent={() => change({ tab: 'request' })} />
        </div>
      </div>
    </div>
  );
}

function Charts({
  batch,
  read: { sums, error, again, field },
  filter,
  change,
}: {
  batch: Batch;
  read: ReadSums;
  filter: RowFilter;
  change: Change;
}) {
  if (error) return <PartError error={error} what="The sums" again={again} />;
  if (!sums) {
    return (
      <div className="card">
        <Skeleton lines={5} />
      </div>
    );
  }
  if (sums.timeline.length === 0) return null;
  const isLabel = batch.operation === 'LABEL';
  const fields = countableFields(batch);
  return (
    <div className={isLabel ? 'charts three' : fields.length > 0 ? 'charts half' : 'charts'}>
      <PaceChart timeline={sums.timeline} />
      {(isLabel || fields.length > 0) && (
        <Labels
          labels={sums.labels}
          chosen={filter.labels}
          onChoose={isLabel ? toggleLabel : null}
          fields={fields}
          field={field}
          onField={(name) => change({ field: name })}
        />
      )}
      {isLabel && (
        <Confidence
          bins={sums.confidence}
          median={sums.medianConfidence}
          below={filter.below}
          onBelow={(below) =>
            change({ below: below === null ? null : String(below), status: null, code: null })
          }
        />
      )}
    </div>
  );

  function toggleLabel(label: string) {
    const labels = filter.labels.includes(label)
      ? filter.labels.filter((one) => one !== label)
      : [...filter.labels, label];
    change({ label: labels, status: null, code: null });
  }
}
