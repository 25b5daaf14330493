/** Cards for the states in which a batch waits for somebody, or came to nothing. */
import { type ReactNode, useState } from 'react';
import { useLiveQuery } from '../../data/use-live-query.ts';
import { Button, ButtonLink } from '../../parts/button.tsx';
import { readAmount } from '../../words/amount.ts';
import { triedOf } from '../../words/batch-state.ts';
import { retryableOf } from '../../words/item-error.ts';
import { count, duration, many, percent, usd, usdRange, useTimes } from '../../words/numbers.ts';
import { providerName } from '../../words/provider.ts';
import { visible } from '../../words/text.ts';
import {
  type Batch,
  CancelBatch,
  ProviderKnowledge,
  ResumeBatch,
  RetryBatch,
} from './documents.ts';
import { failureWords, stopRemedies } from './failure-words.ts';
import { retriedSentence } from './failures.tsx';
import type { Acting } from './use-act.ts';
import type { Sums } from './use-sums.ts';
import { WholeText } from './whole-text.tsx';

interface CardProps {
  batch: Batch;
  sums: Sums | null;
  acting: Acting;
}

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

function Card({
  title,
  look = '',
  children,
  actions,
}: {
  title: string;
  look?: '' | 'bad' | 'grain';
  children: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <section className={`card state-card ${look}`} aria-label={title}>
      <div className="state-words">
        <h2>{title}</h2>
        {children}
      </div>
      {actions && <div className="row wrap state-acts">{actions}</div>}
    </section>
  );
}

function ForgottenCard({ at }: { at: string }) {
  const times = useTimes();
  return (
    <Card title="Its rows and answers are deleted">
      <p>
        The server deleted them <span title={times.exact(at)}>{times.soon(at)}</span>. What was
        counted stays: labels, confidences, costs. It cannot be retried, and has no output.
      </p>
    </Card>
  );
}

function PreviewCard({ batch, sums, acting: { act, busy } }: CardProps) {
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

/** What the rest costs and takes: in this lane, and in the other. */
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

function BudgetCard({ batch, sums, acting: { act, busy } }: CardProps) {
  const { id, counts, usage, maxCostUsd } = batch;
  const high = sums?.projection?.costUsd?.high ?? null;
  const left = counts.pending + counts.processing;
  const [typed, setTyped] = useState<string | null>(null);
  const suggested = suggestLimit(high, maxCostUsd);
  const text = typed ?? (suggested === null ? '' : String(suggested));
  const spent = usage.costUsd ?? 0;
  const limit = readAmount(text) ?? 0;
  const wrong = limit <= spent;
  return (
    <Card title="Paused: the limit is reached" look="grain">
      <p>The next row would go beyond the limit.</p>
      <dl className="facts-list">
        <dt>Spent</dt>
        <dd>{usage.costUsd === null ? 'unknown' : usd(usage.costUsd)}</dd>
        <dt>Limit</dt>
        <dd>{maxCostUsd === null ? 'none' : usd(maxCostUsd)}</dd>
        <dt>Left to do</dt>
        <dd>{many(left, 'row')}</dd>
      </dl>
      <form
        className="row wrap limit"
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrong) void act('resume', ResumeBatch, { id, maxCostUsd: limit });
        }}
      >
        <label htmlFor="limit">New limit in USD</label>
        <input
          id="limit"
          className="input"
          inputMode="decimal"
          value={text}
          aria-invalid={text !== '' && wrong}
          aria-describedby="limit-note"
          onChange={(event) => setTyped(event.target.value)}
        />
        <Button type="submit" look="first" changes busy={busy === 'resume'} disabled={wrong}>
          Go on
        </Button>
        <span id="limit-note" className="small soft">
          {limitNote({ high, spent: text !== '' && wrong ? spent : null })}
        </span>
      </form>
    </Card>
  );
}

/** `spent` where the limit that was typed does not exceed it, else null. */
function limitNote({ high, spent }: { high: number | null; spent: number | null }): string {
  if (spent !== null) {
    return `The limit must be a number above the ${usd(spent)} that are spent, such as 12.50.`;
  }
  return high === null
    ? 'The cost of the whole is not known yet.'
    : `The whole is expected to cost up to ${usd(high)}.`;
}

/** Rounded up to a cent, or to two digits that count below one; null where nothing is expected. */
function suggestLimit(high: number | null, limit: number | null): number | null {
  const wanted = Math.max(high ?? 0, limit ?? 0);
  if (wanted === 0) return null;
  const step = wanted >= 1 ? 0.01 : 10 ** (Math.floor(Math.log10(wanted)) - 1);
  return Number((Math.ceil(wanted / step) * step).toPrecision(12));
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
