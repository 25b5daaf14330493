/** The sums over a batch's answers, read again at each pulse. */
import { graphql, type ResultOf } from '../../data/graphql.ts';
import { countableFields } from './charts/fields.ts';
import type { Batch } from './documents.ts';
import { useRead } from './use-read.ts';

const BatchSums = graphql(`
  query BatchSums($id: ID!, $field: String) {
    batch(id: $id) {
      id
      labels(field: $field, first: 500) {
        label
        count
        share
      }
      # Hundredths, so that the count below a line is exact.
      confidence(bins: 100) {
        from
        to
        count
      }
      medianConfidence
      timeline(points: 120) {
        at
        seconds
        succeeded
        failed
        costUsd
      }
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

export type Sums = NonNullable<ResultOf<typeof BatchSums>['batch']>;

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
    variables: { id: batch.id, field },
    pulse,
    pause: succeeded + failed === 0,
  });
  return { sums: data?.batch ?? null, error, again, field };
}
