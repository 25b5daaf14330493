/** The card of a preview that is through: what it came to, and what the rest would cost. */
import { useLiveQuery } from '../../data/use-live-query.ts';
import { Button, ButtonLink } from '../../parts/button.tsx';
import { triedOf } from '../../words/batch-state.ts';
import { duration, many, percent, usdRange } from '../../words/numbers.ts';
import { providerName } from '../../words/provider.ts';
import { visible } from '../../words/text.ts';
import { type Batch, CancelBatch, ProviderKnowledge, ResumeBatch } from './documents.ts';
import { Card, type CardProps } from './state-card.tsx';
import type { Sums } from './use-sums.ts';

export function PreviewCard({ batch, sums, acting: { act, busy } }: CardProps) {
  const { id, counts } = batch;
  const { tried, copied } = triedOf(batch);
  const answered = tried + copied;
  const rest = counts.total - answered;
  return (
    <Card
      title="Preview is through"
      look="grain"
      actions={
        <>
          <Button
            look="first"
            changes
            busy={busy === 'resume'}
            onClick={() => act('resume', ResumeBatch, { id })}
          >
            Run the rest
          </Button>
          <ButtonLink to={`/new?from=${id}`}>Change and try again</ButtonLink>
          <Button
            changes
            busy={busy === 'cancel'}
            onClick={() => act('cancel', CancelBatch, { id })}
          >
            Cancel
          </Button>
        </>
      }
    >
      <p>
        {many(tried, 'row')} tried,{' '}
        <b>{percent(answered === 0 ? 0 : counts.succeeded / answered)}</b> succeeded.{' '}
        {copied > 0 &&
          `${many(copied, 'row')} like them ${copied === 1 ? 'has' : 'have'} the same answer. `}
        {many(rest, 'row')} {rest === 1 ? 'is' : 'are'} left.
      </p>
      {sums && <RestFacts batch={batch} sums={sums} />}
    </Card>
  );
}

/** The cost and time of the rest: in this lane, and in the other. */
function RestFacts({ batch, sums: { projection } }: { batch: Batch; sums: Sums }) {
  const spent = batch.usage.costUsd;
  const otherLane = batch.execution === 'LIVE' ? 'providerBatchUsd' : 'liveUsd';
  const [{ data }] = useLiveQuery({
    query: ProviderKnowledge,
    pause: otherLane !== 'providerBatchUsd' || !projection || projection[otherLane] !== null,
    requestPolicy: 'cache-first',
  });
  if (!projection) {
    return <p className="soft">10 answers are needed for an estimate of the rest.</p>;
  }
  const noBatchApi =
    data?.service.models.find(({ id }) => id === batch.model)?.providerBatch === false;
  const own = projection.costUsd;
  const other = projection[otherLane];
  const seconds = projection.liveSeconds;
  const name = providerName(batch.model);
  return (
    <dl className="facts-list">
      <dt>The rest costs</dt>
      <dd>{restOf(own, spent) ?? `unknown: no price for ${visible(batch.model)}`}</dd>
      {batch.execution === 'LIVE' && seconds && (
        <>
          <dt>It takes</dt>
          <dd>{secondsWords(seconds)}</dd>
        </>
      )}
      {batch.execution === 'PROVIDER_BATCH' && (
        <>
          <dt>It takes</dt>
          <dd>up to 24 h</dd>
        </>
      )}
      <dt>{otherLane === 'liveUsd' ? 'Called live instead' : `By ${name}’s batch API instead`}</dt>
      <dd>{restOf(other, spent) ?? (noBatchApi ? 'no batch API' : 'unknown')}</dd>
      <dt>It rests on</dt>
      <dd>{many(projection.answers, 'answer')}</dd>
    </dl>
  );
}

interface Range {
  low: number;
  high: number;
}

/** The whole, less what was spent; null where either is unknown. */
function restOf(whole: Range | null, spent: number | null): string | null {
  if (!whole || spent === null) return null;
  return usdRange(Math.max(0, whole.low - spent), Math.max(0, whole.high - spent));
}

function secondsWords({ low, high }: Range): string {
  const [first, last] = [duration(low), duration(high)];
  return first === last ? `about ${first}` : `${first} to ${last}`;
}
