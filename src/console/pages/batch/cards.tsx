/** Cards for the states in which a batch waits for somebody, or came to nothing. */
import { Button, ButtonLink } from '../../parts/button.tsx';
import { When } from '../../parts/when.tsx';
import { retryableOf } from '../../words/item-error.ts';
import { count, useTimes } from '../../words/numbers.ts';
import { providerName } from '../../words/provider.ts';
import { visible } from '../../words/text.ts';
import { BudgetCard } from './budget-card.tsx';
import { RetryBatch } from './documents.ts';
import { failureWords, stopRemedies } from './failure-words.ts';
import { retriedSentence } from './failures.tsx';
import { PreviewCard } from './preview-card.tsx';
import { Card, type CardProps } from './state-card.tsx';
import { WholeText } from './whole-text.tsx';

/** The card of the state that the batch is in, if that has one. */
export function StateCard(props: CardProps) {
  const { status, pause, waiting, contentDeletedAt } = props.batch;
  if (contentDeletedAt !== null) return <ForgottenCard at={contentDeletedAt} />;
  if (status === 'PAUSED' && pause?.reason === 'PREVIEW') return <PreviewCard {...props} />;
  if (status === 'PAUSED' && pause?.reason === 'BUDGET') return <BudgetCard {...props} />;
  if (status === 'PAUSED' && pause?.reason === 'OWNER_BUDGET') return <MonthCard {...props} />;
  if (status === 'FAILED') return <StoppedCard {...props} />;
  if (status === 'PROCESSING' && waiting) return <WaitingCard {...props} />;
  return null;
}

function ForgottenCard({ at }: { at: string }) {
  return (
    <Card title="Its rows and answers are deleted">
      <p>
        The server deleted them <When at={at} as="soon" />. What was counted stays: labels,
        confidences, costs. It cannot be retried, and has no output.
      </p>
    </Card>
  );
}

function MonthCard({ batch: { pause } }: CardProps) {
  const times = useTimes();
  return (
    <Card title="Paused: this month’s budget is used up" look="grain">
      <p>{pause && visible(pause.message)}</p>
      {pause?.resumesAt && (
        <p>
          It goes on by itself {times.later(pause.resumesAt)}, or when the server’s budget is
          higher.
        </p>
      )}
    </Card>
  );
}

function WaitingCard({ batch: { model, waiting } }: CardProps) {
  const times = useTimes();
  if (!waiting) return null;
  return (
    <Card title={`Waits for ${providerName(model)}`} look="grain">
      <p>{visible(waiting.reason)}</p>
      <p className="soft">
        {waiting.since && `Since ${times.clock(waiting.since, true)}. `}
        {waiting.until && `It is tried again at ${times.clock(waiting.until, true)}. `}
        The batch goes on by itself.
      </p>
    </Card>
  );
}

function StoppedCard({ batch, acting: { act, busy } }: CardProps) {
  const { id, error, errorCode } = batch;
  return (
    <Card
      title="Stopped"
      look="bad"
      actions={
        <>
          <Button
            look="first"
            changes
            busy={busy === 'retry'}
            onClick={() =>
              act('retry', RetryBatch, { id }, ({ retryBatch }) =>
                retriedSentence(retryBatch.retriedItems),
              )
            }
          >
            Retry
          </Button>
          <ButtonLink to={`/new?from=${id}`}>New from this</ButtonLink>
        </>
      }
    >
      <p>{visible(error ?? 'The reason is unknown.', { lines: true })}</p>
      {errorCode && (
        <p className="soft">
          {stopRemedies[errorCode]} <span className="mono">{errorCode}</span>
        </p>
      )}
    </Card>
  );
}

/** In the place of the charts, which would show nothing. */
export function AllFailedCard({ batch, acting: { act, busy } }: Omit<CardProps, 'sums'>) {
  const { id, counts, errorSummary } = batch;
  const [first] = errorSummary;
  const { items, errorCodes } = retryableOf(batch);
  return (
    <Card
      title={counts.total === 1 ? 'The only row failed' : `All ${count(counts.total)} failed`}
      look="bad"
      actions={
        <>
          {items > 0 && (
            <Button
              changes
              busy={busy === 'retry'}
              onClick={() =>
                act('retry', RetryBatch, { id, errorCodes }, ({ retryBatch }) =>
                  retriedSentence(retryBatch.retriedItems),
                )
              }
            >
              {items === counts.failed ? 'Retry all' : `Retry ${count(items)}`}
            </Button>
          )}
          <ButtonLink to={`/new?from=${id}`}>New from this</ButtonLink>
        </>
      }
    >
      {first ? (
        <>
          <p>
            <b>{count(first.count)}</b>{' '}
            {first.count === 1 ? failureWords[first.code].one : failureWords[first.code].several}:
          </p>
          <WholeText name="Message" text={first.message} mono small />
          <p className="soft">
            {failureWords[first.code].remedy} <span className="mono">{first.code}</span>
          </p>
        </>
      ) : (
        <p>The reason is unknown.</p>
      )}
    </Card>
  );
}
