/**
 * One batch of either provider, from its creation to its results. It moves one step at a time:
 *
 *   validating ─┬─> in_progress ─┬─> finalizing ──> completed
 *               └─> failed       ├─> expired
 *      (any but the last) ──> cancelling ──> cancelled
 *
 * These are OpenAI's names. Anthropic's batches begin in progress, and all their ends are `ended`.
 * Rows are answered in a shuffled order, which is also the order of the results.
 */
import type { BatchFate, BatchProblem } from '../equipment.ts';
import { createRandom } from '../random.ts';
import type { Provider } from './file-store.ts';
import type { InputReader } from './input.ts';
import { createResults, type ResultFile, type Results } from './results.ts';
import { startSlice } from './slice.ts';

export type Stage =
  | 'validating'
  | 'failed'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'expired'
  | 'cancelling'
  | 'cancelled';

export interface RowAnswer {
  line: object;
  file: ResultFile;
  failed: boolean;
  usage: { input: number; cached: number; output: number } | null;
}

/** The part of a batch that depends on the provider's protocol. */
export interface Work {
  /** Reads the input; rows that are known from the start come with its first call. */
  read: InputReader;
  /** Decided once, when the rows are known. */
  fate(input: { total: number; firstCustomId: string }): BatchFate | null;
  answer(row: Buffer, index: number, fate: BatchFate | null): RowAnswer;
  /** The line of a row that was not answered in time. */
  unanswered(
    row: Buffer,
    index: number,
    why: 'expired' | 'cancelled',
  ): Pick<RowAnswer, 'line' | 'file'>;
  /** Keeps a file of results, and returns its id. */
  keep(file: ResultFile, content: readonly Buffer[]): string;
}

export interface Job {
  readonly id: string;
  readonly provider: Provider;
  readonly inputFileId: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly stage: Stage;
  readonly ended: boolean;
  readonly model: string | null;
  readonly fate: BatchFate | null;
  readonly problems: readonly BatchProblem[] | null;
  /** When each stage was entered, in milliseconds since 1970. */
  readonly times: Readonly<Partial<Record<Stage, number>>>;
  readonly createdAt: number;
  /** Rows: `total` is 0 until the input is read; `unanswered` until the batch has ended. */
  readonly counts: { total: number; completed: number; failed: number; unanswered: number };
  readonly usage: { input: number; cached: number; output: number };
  readonly files: Readonly<Partial<Record<ResultFile, string>>>;
  /** Moves on: by a stage, by a slice of a stage that takes long, or by at most so many rows. */
  step(rows?: number): void;
  /** False where it is too late. */
  cancel(): boolean;
  /** Ends it now with what is done. Nothing happens where it has ended or is being cancelled. */
  expire(): void;
}

export interface JobOptions {
  id: string;
  provider: Provider;
  inputFileId: string;
  metadata: Readonly<Record<string, string>> | null;
  /** Same seed, same order of the results. */
  seed: number;
  work: Work;
}

export function createJob({ id, provider, inputFileId, metadata, seed, work }: JobOptions): Job {
  const createdAt = Date.now();
  const times: Partial<Record<Stage, number>> = { validating: createdAt };
  const counts = { total: 0, completed: 0, failed: 0, unanswered: 0 };
  const usage = { input: 0, cached: 0, output: 0 };
  const files: Partial<Record<ResultFile, string>> = {};
  let stage: Stage = 'validating';
  let rows: readonly Buffer[] = [];
  let order = new Uint32Array();
  let done = 0;
  let model: string | null = null;
  let fate: BatchFate | null = null;
  let problems: readonly BatchProblem[] | null = null;
  let results: Results = createResults();

  function enter(next: Stage): void {
    stage = next;
    times[next] = Date.now();
  }

  function read(): void {
    const input = work.read();
    if (!input) return;
    if ('problems' in input) {
      problems = input.problems;
      enter('failed');
      return;
    }
    const total = input.rows.length;
    fate = work.fate({ total, firstCustomId: input.firstCustomId });
    if (fate?.problems) {
      problems = fate.problems;
      enter('failed');
      return;
    }
    ({ rows, model } = input);
    counts.total = total;
    order = shuffled(total, seed);
    results = createResults(fate?.lines);
    enter('in_progress');
  }

  /** Without a limit: as many rows as fit into a slice of time, one at least. */
  function answerRows(limit = Number.POSITIVE_INFINITY): void {
    const inTime = limit === Number.POSITIVE_INFINITY ? startSlice() : () => true;
    const until = Math.min(done + limit, counts.total, fate?.stop?.done ?? counts.total);
    for (let first = true; done < until && (first || inTime()); done++, first = false) {
      const index = order[done] as number;
      const answer = work.answer(rows[index] as Buffer, index, fate);
      results.add(answer.file, answer.line);
      if (answer.failed) counts.failed++;
      else counts.completed++;
      usage.input += answer.usage?.input ?? 0;
      usage.cached += answer.usage?.cached ?? 0;
      usage.output += answer.usage?.output ?? 0;
    }
    const stop = fate?.stop && done >= fate.stop.done ? fate.stop.stage : null;
    if (stop === 'expired') close('expired');
    else if (stop === 'cancelling') enter('cancelling');
    else if (done === counts.total) enter('finalizing');
  }

  function close(end: 'completed' | 'expired' | 'cancelled'): void {
    for (; end !== 'completed' && done < counts.total; done++) {
      const index = order[done] as number;
      const { file, line } = work.unanswered(rows[index] as Buffer, index, end);
      results.add(file, line);
      counts.unanswered++;
    }
    for (const [file, content] of results.finish()) files[file] = work.keep(file, content);
    rows = [];
    enter(end);
  }

  return {
    id,
    provider,
    inputFileId,
    metadata,
    createdAt,
    times,
    counts,
    usage,
    files,
    get stage() {
      return stage;
    },
    get ended() {
      return isEnd(stage);
    },
    get model() {
      return model;
    },
    get fate() {
      return fate;
    },
    get problems() {
      return problems;
    },
    step(limit) {
      if (stage === 'validating') read();
      else if (stage === 'in_progress') answerRows(limit);
      else if (stage === 'finalizing') close('completed');
      else if (stage === 'cancelling') close('cancelled');
    },
    cancel() {
      if (isEnd(stage)) return false;
      if (stage !== 'cancelling') enter('cancelling');
      return true;
    },
    expire() {
      if (!isEnd(stage) && stage !== 'cancelling') close('expired');
    },
  };
}

function isEnd(stage: Stage): boolean {
  return ['completed', 'failed', 'expired', 'cancelled'].includes(stage);
}

/** Fisher and Yates' shuffle. */
function shuffled(length: number, seed: number): Uint32Array<ArrayBuffer> {
  const { uniform } = createRandom(seed);
  const order = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}
