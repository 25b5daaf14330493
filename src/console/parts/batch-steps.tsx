/** The likeliest next step of a batch as one button, and the question for a higher limit. */
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { BatchStateFields, type StateBatch } from '../data/batch-fields.ts';
import { graphql, type ResultOf } from '../data/graphql.ts';
import { readAmount } from '../words/amount.ts';
import type { BatchStep } from '../words/batch-state.ts';
import type { ItemErrorCode } from '../words/item-error.ts';
import { usd, usdRange } from '../words/numbers.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { complain } from './notices.tsx';
import { sentenceOf } from './part.tsx';

const Resume = graphql(
  `
    mutation ResumeBatch($id: ID!, $maxCostUsd: Float) {
      resumeBatch(id: $id, maxCostUsd: $maxCostUsd) {
        batch {
          ...BatchStateFields
        }
      }
    }
  `,
  [BatchStateFields],
);

const Retry = graphql(
  `
    mutation RetryBatch($id: ID!, $errorCodes: [ItemErrorCode!]) {
      retryBatch(id: $id, errorCodes: $errorCodes) {
        retriedItems
        batch {
          ...BatchStateFields
        }
      }
    }
  `,
  [BatchStateFields],
);

const Start = graphql(
  `
    mutation StartBatch($id: ID!) {
      startBatch(id: $id) {
        batch {
          ...BatchStateFields
        }
      }
    }
  `,
  [BatchStateFields],
);

/** Reads what a new limit should be. */
const Expected = graphql(`
  query ExpectedCost($id: ID!) {
    batch(id: $id) {
      id
      execution
      projection {
        costUsd {
          low
          high
        }
      }
      quote {
        liveUsd {
          low
          high
        }
        providerBatchUsd {
          low
          high
        }
      }
    }
  }
`);

export function StepButton({
  batch,
  name,
  step,
  label,
  errorCodes,
  small,
  onDone,
}: {
  batch: StateBatch;
  /** Name of the batch, for people who hear the page. */
  name: string;
  step: BatchStep;
  label: string;
  errorCodes?: ItemErrorCode[];
  small?: boolean;
  /** Gets the batch as the server has it now. */
  onDone?: (batch: StateBatch) => void;
}) {
  const [, resume] = useMutation(Resume);
  const [, retry] = useMutation(Retry);
  const [, start] = useMutation(Start);
  const [busy, setBusy] = useState(false);
  const [asks, setAsks] = useState(false);

  async function run(maxCostUsd?: number): Promise<void> {
    setBusy(true);
    const { error, done } = await act(maxCostUsd);
    setBusy(false);
    if (error) complain(`${label} did not work: ${sentenceOf(error)}`);
    else if (done) onDone?.(done);
  }

  async function act(maxCostUsd?: number) {
    const { id } = batch;
    if (step === 'start') {
      const { data, error } = await start({ id });
      return { error, done: data?.startBatch.batch };
    }
    if (step === 'retry') {
      const { data, error } = await retry({ id, errorCodes });
      return { error, done: data?.retryBatch.batch };
    }
    const { data, error } = await resume({ id, ...(maxCostUsd ? { maxCostUsd } : {}) });
    return { error, done: data?.resumeBatch.batch };
  }

  return (
    <>
      <Button
        small={small}
        changes
        busy={busy}
        aria-label={`${label}: ${name}`}
        onClick={() => (step === 'raise' ? setAsks(true) : void run())}
      >
        {label}
      </Button>
      {asks && (
        <RaiseDialog
          batch={batch}
          onClose={() => setAsks(false)}
          onRaise={(limit) => {
            setAsks(false);
            void run(limit);
          }}
        />
      )}
    </>
  );
}

function RaiseDialog({
  batch,
  onClose,
  onRaise,
}: {
  batch: Pick<StateBatch, 'id' | 'usage' | 'maxCostUsd'>;
  onClose: () => void;
  /** USD. */
  onRaise: (limit: number) => void;
}) {
  const [{ data, fetching }] = useQuery({
    query: Expected,
    variables: { id: batch.id },
    requestPolicy: 'network-only',
  });
  const [typed, setTyped] = useState<string | null>(null);
  const spent = batch.usage.costUsd ?? 0;
  const present = batch.maxCostUsd ?? 0;
  const expected = expectedOf(data?.batch ?? null);
  const text = typed ?? (fetching ? '' : String(suggest({ spent, present, expected })));
  const limit = readAmount(text) ?? 0;
  const fits = limit > spent;
  return (
    <Dialog
      open
      title="Raise the limit"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Leave it paused</Button>
          <Button look="first" changes disabled={!fits} onClick={() => fits && onRaise(limit)}>
            Go on
          </Button>
        </>
      }
    >
      <form
        className="raise"
        onSubmit={(event) => {
          event.preventDefault();
          if (fits) onRaise(limit);
        }}
      >
        <p>
          {usd(spent)} of {usd(present)} spent.{' '}
          {expected
            ? `The whole batch is expected to cost ${usdRange(expected.low, expected.high)}.`
            : !fetching && 'What the whole batch will cost is unknown.'}
        </p>
        <label htmlFor="raise-limit">New limit in USD</label>
        <input
          id="raise-limit"
          className="input"
          inputMode="decimal"
          autoComplete="off"
          value={text}
          onChange={(event) => setTyped(event.target.value)}
          aria-describedby="raise-note"
          aria-invalid={(text !== '' && !fits) || undefined}
        />
        <p id="raise-note" className="soft small">
          {text !== '' && !fits
            ? `The limit must be a number above the ${usd(spent)} that are spent, such as 12.50.`
            : 'What was spent already counts towards it.'}
        </p>
      </form>
    </Dialog>
  );
}

/** By the batch's own answers; before there are 10, by a sample of its rows. */
function expectedOf(batch: ResultOf<typeof Expected>['batch']): Range | null {
  if (batch?.projection?.costUsd) return batch.projection.costUsd;
  const { liveUsd, providerBatchUsd } = batch?.quote ?? {};
  return (batch?.execution === 'LIVE' ? liveUsd : providerBatchUsd) ?? null;
}

/** USD. */
interface Range {
  low: number;
  high: number;
}

/** The upper end of what is expected, else twice the present limit, rounded up to whole cents. */
function suggest({
  spent,
  present,
  expected,
}: {
  spent: number;
  present: number;
  expected: Range | null;
}): number {
  const high = expected && expected.high > spent ? expected.high : 2 * Math.max(spent, present);
  const parts = 10 ** Math.max(2, 1 - Math.floor(Math.log10(high)));
  return Math.ceil(high * parts) / parts;
}
