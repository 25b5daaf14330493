/** What the answers look like together, read again at each pulse. */
import { graphql, type ResultOf } from '../../data/graphql.ts';
import { countableFields } from './charts/fields.ts';
import type { ConfidenceBin, LabelCount, TimelinePoint } from './charts/sums.ts';
import type { Batch } from './documents.ts';
import { useRead } from './use-read.ts';

const BatchSums = graphql(`
  query BatchSums($id: ID!) {
    batch(id: $id) {
      id
      projection {
        answers
        succeeded
        costUsd {
          low
          expected
          high
        }
        liveUsd {
          low
          expected
          high
        }
        liveSeconds {
          low
          expected
          high
        }
        providerBatchUsd {
          low
          expected
          high
        }
      }
    }
  }
`);

type Answer = NonNullable<ResultOf<typeof BatchSums>['batch']>;

export interface Sums extends Answer {
  labels: readonly LabelCount[];
  confidence: readonly ConfidenceBin[];
  medianConfidence: number | null;
  timeline: readonly TimelinePoint[];
}

export function useSums({
  batch,
  field: wanted,
  pulse,
}: {
  batch: Batch;
  /** The field whose values are wanted: one of those that can be counted. */
  field: string | null;
  pulse: number;
}) {
  const fields = countableFields(batch);
  const field = fields.find((name) => name === wanted) ?? fields[0] ?? null;
  const { succeeded, failed } = batch.counts;
  const { data, error, again } = useRead({
    query: BatchSums,
    variables: { id: batch.id },
    pulse,
    pause: succeeded + failed === 0,
  });
  const sums: Sums | null = data?.batch
    ? { ...data.batch, labels: [], confidence: [], medianConfidence: null, timeline: [] }
    : null;
  return { sums, error, again, field };
}
