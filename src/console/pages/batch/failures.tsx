/** Failures: one entry a code, with what can be done about it. */
import { Button } from '../../parts/button.tsx';
import { retryHelps } from '../../words/item-error.ts';
import { count, many } from '../../words/numbers.ts';
import { oneLine } from '../../words/text.ts';
import { type Batch, RetryBatch } from './documents.ts';
import { failureWords } from './failure-words.ts';
import type { Acting } from './use-act.ts';

type Failure = Batch['errorSummary'][number];

export function Failures({
  batch,
  acting,
  onShow,
}: {
  batch: Batch;
  acting: Acting;
  onShow: (code: Failure['code']) => void;
}) {
  if (batch.errorSummary.length === 0) return null;
  return (
    <section className="card" aria-label="What failed">
      <h2>What failed</h2>
      <ul>
        {batch.errorSummary.map((failure) => (
          <Entry
            key={failure.code}
            failure={failure}
            batch={batch}
            acting={acting}
            onShow={onShow}
          />
        ))}
      </ul>
    </section>
  );
}

function Entry({
  failure: { code, count: items, message },
  batch: { id, status, contentDeletedAt },
  acting: { act, busy },
  onShow,
}: {
  failure: Failure;
  batch: Batch;
  acting: Acting;
  onShow: (code: Failure['code']) => void;
}) {
  const { one, several, remedy } = failureWords[code];
  return (
    <li className="why">
      <p>
        <b>{count(items)}</b> {items === 1 ? one : several}
      </p>
      <div className="row">
        {retryHelps(code) && status !== 'CANCELLING' && contentDeletedAt === null && (
          <Button
            small
            changes
            busy={busy === code}
            aria-label={`Retry ${many(items, 'row')} with ${code}`}
            onClick={() =>
              act(code, RetryBatch, { id, errorCodes: [code] }, ({ retryBatch }) =>
                retriedSentence(retryBatch.retriedItems),
              )
            }
          >
            Retry
          </Button>
        )}
        <Button
          small
          look="quiet"
          aria-label={`Show ${many(items, 'row')} with ${code}`}
          onClick={() => onShow(code)}
        >
          Show
        </Button>
      </div>
      <p className="mono soft why-more" title={message}>
        {code} · <span className="name">{oneLine(message, 160)}</span>
      </p>
      {remedy && <p className="small soft why-more">{remedy}</p>}
    </li>
  );
}

export function retriedSentence(items: number): string {
  if (items === 0) return 'No row could be retried.';
  return `${many(items, 'row')} ${items === 1 ? 'is' : 'are'} asked again.`;
}
