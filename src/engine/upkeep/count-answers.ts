/**
 * Counts the answers of a large batch when it ends, so that who reads of it next need not wait.
 * Runs in the process that recorded the end. Where that dies, the answers are counted when they are
 * read.
 */
import type { Log } from '../../core/log.ts';
import { createLooper } from '../../core/looper.ts';
import { readBatchByKey } from '../../db/batches.ts';
import type { Database } from '../../db/driver/client.ts';
import type { Events } from '../../telemetry/events.ts';
import { countedAnswers } from '../summaries/counted-answers.ts';
import type { Summaries } from '../summaries/summaries.ts';
import type { Summary } from '../summaries/summary.ts';
import { confidences, labelsOf } from '../summaries/tallies.ts';
import { timeline } from '../summaries/timeline.ts';

/** The answers of smaller batches are counted in a third of a second when they are read. */
const largeItems = 100_000;

export interface AnswerCount {
  start(): void;
  /** Resolves when the count under way is over. */
  stop(): Promise<void>;
}

/** `large`: items above which a batch is counted. */
export function createAnswerCount({
  db,
  summaries,
  events,
  log,
  large = largeItems,
}: {
  db: Database;
  summaries: Summaries;
  events: Pick<Events, 'on'>;
  log: Log;
  large?: number;
}): AnswerCount {
  const ended = new Set<bigint>();
  let stopped = false;
  let unsubscribe = () => undefined as unknown;

  async function countEnded(): Promise<void> {
    for (const batchKey of ended) {
      ended.delete(batchKey);
      await count(batchKey);
    }
  }

  async function count(batchKey: bigint): Promise<void> {
    const batch = await readBatchByKey(db, batchKey);
    if (!batch || batch.total <= large) return;
    const { label, hasConfidence } = countedAnswers(batch);
    const keep = async <Counts>(summary: Summary<Counts>) => {
      if (!stopped) await summaries.read(db, batch, summary, { keep: true });
    };
    if (label) await keep(labelsOf(label));
    if (hasConfidence) await keep(confidences);
    await keep(timeline);
  }

  const counts = createLooper(countEnded, (error) =>
    log.warn({ err: error }, 'could not count the answers of a batch; they are counted when read'),
  );

  return {
    start() {
      unsubscribe = events.on('batch.ended', ({ batchKey }) => {
        ended.add(batchKey);
        void counts.run();
      });
    },
    async stop() {
      stopped = true;
      unsubscribe();
      await counts.stop();
    },
  };
}
