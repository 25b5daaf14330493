/** Asks once before many batches are changed, and shows how far it is. */
import { useEffect, useRef, useState } from 'react';
import { useClient } from 'urql';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { say } from '../../parts/notices.tsx';
import { count, many } from '../../words/numbers.ts';
import {
  type BulkAction,
  type BulkResult,
  isMeant,
  readAll,
  runAll,
  type SumRow,
  sumsOf,
} from './bulk.ts';
import type { ApiFilter } from './filter.ts';

const verbs = {
  cancel: ['Cancel', 'cancelled'],
  retry: ['Retry', 'put back in the queue'],
  delete: ['Delete', 'deleted'],
} as const;

type Phase =
  | { at: 'reads'; read: number; total: number | null }
  | { at: 'asks'; rows: readonly SumRow[] }
  | { at: 'does'; of: number; result: BulkResult }
  | { at: 'failed'; message: string };

export function BulkDialog({
  action,
  rows,
  filter,
  onEach,
  onClose,
}: {
  action: BulkAction;
  /** The selected ones; null where all that match are meant. */
  rows: readonly SumRow[] | null;
  filter: ApiFilter;
  onEach: (id: string) => void;
  /** `done`: something was changed. */
  onClose: (done: boolean) => void;
}) {
  const client = useClient();
  const stopped = useRef(false);
  const [phase, setPhase] = useState<Phase>(
    rows ? { at: 'asks', rows } : { at: 'reads', read: 0, total: null },
  );
  const [verb, participle] = verbs[action];

  useEffect(() => {
    stopped.current = false;
    if (rows) return;
    readAll(client, filter, {
      onRead: (read, total) => setPhase({ at: 'reads', read, total }),
      isStopped: () => stopped.current,
    }).then(
      (read) => read && setPhase({ at: 'asks', rows: read }),
      (error: Error) => setPhase({ at: 'failed', message: error.message }),
    );
    return () => {
      stopped.current = true;
    };
    // The question is asked for what was selected when it was opened.
  }, []);

  async function run(ids: readonly string[]): Promise<void> {
    setPhase({ at: 'does', of: ids.length, result: { done: 0, failed: 0, message: null } });
    const result = await runAll(
      client,
      { action, ids },
      {
        onDone: (id, now) => {
          onEach(id);
          setPhase({ at: 'does', of: ids.length, result: now });
        },
        isStopped: () => stopped.current,
      },
    );
    if (result.failed > 0) {
      const { done, failed, message } = result;
      setPhase({
        at: 'failed',
        message: `${count(done)} ${participle}, ${count(failed)} not: ${message}`,
      });
      return;
    }
    say(`${many(result.done, 'batch', 'batches')} ${participle}.`);
    onClose(true);
  }

  if (phase.at === 'reads') {
    return (
      <Dialog
        open
        title="Reading all that match"
        onClose={() => onClose(false)}
        actions={<Button onClick={() => onClose(false)}>Stop</Button>}
      >
        <Progress done={phase.read} of={phase.total} word="read" />
      </Dialog>
    );
  }
  if (phase.at === 'asks') {
    const ids = phase.rows.filter((row) => isMeant(action, row)).map(({ id }) => id);
    const what = many(ids.length, 'batch', 'batches');
    return (
      <Dialog
        open
        title={ids.length > 0 ? `${verb} ${what}?` : `Nothing to ${action}`}
        onClose={() => onClose(false)}
        actions={
          <>
            <Button onClick={() => onClose(false)}>Back</Button>
            {ids.length > 0 && (
              <Button
                look={action === 'retry' ? 'first' : 'bad'}
                changes
                onClick={() => void run(ids)}
              >
                {verb} {what}
              </Button>
            )}
          </>
        }
      >
        {ids.length > 0 ? (
          sumsOf(action, phase.rows).map((sentence) => <p key={sentence}>{sentence}</p>)
        ) : (
          <p>
            {action === 'cancel'
              ? 'Those selected have ended, or are being stopped.'
              : 'Every row of those selected has its answer, or is on its way to one.'}
          </p>
        )}
      </Dialog>
    );
  }
  if (phase.at === 'does') {
    const { done, failed } = phase.result;
    return (
      <Dialog
        open
        title={`${verb} ${many(phase.of, 'batch', 'batches')}`}
        onClose={() => undefined}
        actions={
          <Button
            onClick={() => {
              stopped.current = true;
            }}
          >
            Stop
          </Button>
        }
      >
        <Progress done={done + failed} of={phase.of} word={participle} />
      </Dialog>
    );
  }
  return (
    <Dialog
      open
      title={`${verb}: not all of it worked`}
      onClose={() => onClose(true)}
      actions={<Button onClick={() => onClose(true)}>Close</Button>}
    >
      <p role="alert">{phase.message}</p>
    </Dialog>
  );
}

function Progress({ done, of, word }: { done: number; of: number | null; word: string }) {
  return (
    <>
      <progress className="progress" value={done} max={of || 1} aria-label={word} />
      <p>
        {count(done)} of {of === null ? 'all' : count(of)} {word}
      </p>
    </>
  );
}
