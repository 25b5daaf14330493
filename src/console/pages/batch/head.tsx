/** The name and state of a batch, and what can be done to it. */
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Menu, MenuItem, MenuRule } from '../../parts/menu.tsx';
import { Heading } from '../../parts/page.tsx';
import { type BatchState, hasEnded } from '../../words/batch-state.ts';
import { type ItemErrorCode, retryableOf } from '../../words/item-error.ts';
import { count, many } from '../../words/numbers.ts';
import { providerName } from '../../words/provider.ts';
import { oneLine, visible } from '../../words/text.ts';
import {
  type Batch,
  CancelBatch,
  DeleteBatch,
  PauseBatch,
  RedeliverWebhook,
  ResumeBatch,
  RetryBatch,
  StartBatch,
} from './documents.ts';
import { Download } from './download.tsx';
import type { RowFilter } from './results/filter.ts';
import type { Acting } from './use-act.ts';

export function nameOf({ name, id }: Pick<Batch, 'name' | 'id'>): string {
  return name ? oneLine(name) : id;
}

export function Head({
  batch,
  state,
  filter,
  acting,
}: {
  batch: Batch;
  state: BatchState;
  filter: RowFilter;
  acting: Acting;
}) {
  return (
    <header>
      <p className="crumb small soft cut">
        <Link href="/">Batches</Link> / <span className="name">{nameOf(batch)}</span>
      </p>
      <Heading
        title={<span className="name">{nameOf(batch)}</span>}
        beside={<span className={`state ${state.look}`}>{state.word}</span>}
        actions={
          <>
            <Steps batch={batch} acting={acting} />
            <Download batch={batch} filter={filter} />
            <More batch={batch} acting={acting} />
          </>
        }
      />
      <Facts batch={batch} />
      <p
        className={acting.said?.failed ? 'said bad' : 'said'}
        role={acting.said?.failed ? 'alert' : 'status'}
      >
        {acting.said?.sentence}
      </p>
    </header>
  );
}

function Facts({ batch }: { batch: Batch }) {
  const lane = batch.execution === 'LIVE' ? 'live' : 'batch API';
  return (
    <p className="mono soft cut what">
      {batch.id} · {batch.operation.toLowerCase()} · {visible(batch.model)} · {lane}
      {batch.file && (
        <>
          {' · '}
          <Link href={`/files/${batch.file.id}`}>{oneLine(batch.file.name ?? batch.file.id)}</Link>
        </>
      )}
    </p>
  );
}

function Steps({ batch, acting: { act, busy } }: { batch: Batch; acting: Acting }) {
  const { id, status, counts, contentDeletedAt } = batch;
  const under = status === 'QUEUED' || status === 'PROCESSING';
  // Its card has the button.
  const preview = batch.pause?.reason === 'PREVIEW';
  const left = contentDeletedAt === null ? counts.failed + counts.cancelled + counts.expired : 0;
  const failed = retryableOf(batch);
  return (
    <>
      {(under || (status === 'PAUSED' && !preview) || status === 'DRAFT') && (
        <Cancel batch={batch} act={act} busy={busy} />
      )}
      {under && (
        <Button changes busy={busy === 'pause'} onClick={() => act('pause', PauseBatch, { id })}>
          Pause
        </Button>
      )}
      {status === 'PAUSED' && batch.pause?.reason === 'REQUESTED' && (
        <Button changes busy={busy === 'resume'} onClick={() => act('resume', ResumeBatch, { id })}>
          Go on
        </Button>
      )}
      {status === 'DRAFT' && (
        <Button changes busy={busy === 'start'} onClick={() => act('start', StartBatch, { id })}>
          Start
        </Button>
      )}
      {(status === 'CANCELLED' || status === 'EXPIRED') && left > 0 && (
        <Button changes busy={busy === 'retry'} onClick={() => retry()}>
          Go on
        </Button>
      )}
      {status !== 'CANCELLED' &&
        status !== 'EXPIRED' &&
        status !== 'FAILED' &&
        status !== 'CANCELLING' &&
        failed.items > 0 && (
          <Button changes busy={busy === 'retry'} onClick={() => retry(failed.errorCodes)}>
            Retry {count(failed.items)} failed
          </Button>
        )}
    </>
  );

  function retry(errorCodes?: ItemErrorCode[]) {
    return act('retry', RetryBatch, { id, errorCodes }, ({ retryBatch: { retriedItems } }) =>
      retriedItems === 0
        ? 'No row could be retried.'
        : `${many(retriedItems, 'row')} ${retriedItems === 1 ? 'is' : 'are'} asked again.`,
    );
  }
}

/** At once where calls are live, since “Go on” takes it back. Jobs are lost: it is asked first. */
function Cancel({ batch, act, busy }: { batch: Batch } & Pick<Acting, 'act' | 'busy'>) {
  const [asked, setAsked] = useState(false);
  const { id } = batch;
  const open = batch.providerBatches.filter(({ endedAt }) => endedAt === null).length;
  const cancel = () => act('cancel', CancelBatch, { id });
  return (
    <>
      <Button
        changes
        busy={busy === 'cancel'}
        onClick={() => (open > 0 ? setAsked(true) : cancel())}
      >
        Cancel
      </Button>
      <Dialog
        open={asked}
        title={`Cancel ${many(open, 'job')} at ${providerName(batch.model)}?`}
        onClose={() => setAsked(false)}
        actions={
          <>
            <Button onClick={() => setAsked(false)}>Let it run</Button>
            <Button
              look="first"
              changes
              onClick={async () => {
                setAsked(false);
                await cancel();
              }}
            >
              Cancel the batch
            </Button>
          </>
        }
      >
        Answers that the provider has finished by then are kept and paid for. What it has not
        finished is asked again by “Go on”.
      </Dialog>
    </>
  );
}

function More({ batch, acting: { act } }: { batch: Batch; acting: Acting }) {
  const [asked, setAsked] = useState(false);
  const [, go] = useLocation();
  const { id } = batch;
  return (
    <>
      <Menu name="More">
        <MenuItem onClick={() => go(`/new?from=${id}`)}>New from this</MenuItem>
        {batch.webhookUrl !== null && (
          <MenuItem
            changes
            disabled={!hasEnded(batch)}
            note={hasEnded(batch) ? undefined : 'When the batch has ended'}
            onClick={() =>
              act('tell', RedeliverWebhook, { id }, () => 'The webhook is told again.')
            }
          >
            Tell the webhook again
          </MenuItem>
        )}
        <MenuRule />
        <MenuItem bad onClick={() => setAsked(true)}>
          Delete …
        </MenuItem>
      </Menu>
      <Dialog
        open={asked}
        title="Delete this batch?"
        onClose={() => setAsked(false)}
        actions={
          <>
            <Button onClick={() => setAsked(false)}>Keep it</Button>
            <Button
              look="bad"
              changes
              onClick={async () => {
                setAsked(false);
                const deleted = await act('delete', DeleteBatch, { id });
                // Who has gone on meanwhile is left there.
                if (deleted && location.pathname.endsWith(`/${id}`)) go('/');
              }}
            >
              Delete
            </Button>
          </>
        }
      >
        {many(batch.counts.succeeded, 'answer')} of {many(batch.counts.total, 'row')} will be gone.
        {hasEnded(batch) ? '' : ' Calls under way are ended.'} This cannot be undone. The file
        stays.
      </Dialog>
    </>
  );
}
