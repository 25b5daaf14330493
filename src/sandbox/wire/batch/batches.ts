/** All batches of a sandbox: what moves them, and how a test sees and drives them. */
import { createFileStore, type FileStore, type Provider } from './file-store.ts';
import type { Job, Stage } from './job.ts';

export interface BatchOptions {
  /**
   * Pause before each step of a batch, in milliseconds. A step is a stage, or a slice of a long
   * stage. Default 5.
   */
  stepMs?: number;
  /** Nothing moves until `advance` or `release`. */
  held?: boolean;
  /** Rows of a batch: 50,000 at OpenAI, 100,000 at Anthropic when absent. */
  maxRequests?: number;
  /** Bytes of a batch's input: 200 MiB at OpenAI, 256 MiB at Anthropic when absent. */
  maxBytes?: number;
  /** Bytes of all files in memory, 1 GiB when absent; the oldest that are not in use make room. */
  maxStoredBytes?: number;
}

/** One batch that came into being, as it is now. */
interface BatchRecord {
  id: string;
  provider: Provider;
  /** Unlike the status that the API tells, never touched by a fault. */
  stage: Stage;
  metadata: Readonly<Record<string, string>> | null;
  /** The id of OpenAI's file, or the sandbox's own name of the input. */
  inputFileId: string;
  /** Rows; `total` is 0 until the input is read. */
  total: number;
  completed: number;
  failed: number;
  /** Rows that were not answered before the batch expired or was cancelled. */
  unanswered: number;
}

interface FileRecord {
  id: string;
  filename: string;
  purpose: string;
  bytes: number;
}

/** The batches of both providers, as tests see and drive them. */
export interface DrivenBatches {
  /** The newest thousand batches, oldest first, with or without an answer to their create. */
  readonly created: readonly BatchRecord[];
  /** Number of batches created since the start. */
  readonly createdCount: number;
  /** Files that were uploaded and accepted since the start. */
  readonly uploadedCount: number;
  /** Rows answered since the start, in all batches: what a provider would charge for. */
  readonly answeredRows: number;
  /** OpenAI's files that are kept now, oldest first. */
  readonly files: readonly FileRecord[];
  /** Nothing moves by itself from now on. */
  hold(): void;
  /** Everything moves by itself again. */
  release(): void;
  /**
   * Moves one batch, or all that have not ended, by one stage. With `rows`: answers at most so many
   * rows of batches in progress.
   */
  advance(options?: { id?: string; rows?: number }): void;
  /** Ends one batch, or all that have not ended, as expired with what is done. */
  expire(id?: string): void;
}

/** The batches as the routes need them. */
export interface Batches extends DrivenBatches {
  readonly store: FileStore;
  /** Number of the next batch, from 1. */
  readonly nextNumber: number;
  add(job: Job): void;
  find(id: string, provider: Provider): Job | null;
  remove(job: Job): void;
  /** Newest first. */
  list(provider: Provider): Job[];
  uploaded(): void;
  close(): void;
}

const defaultStepMs = 5;
const gibibyte = 1024 ** 3;
const keptBatches = 1_000;

export function createBatches(
  options: BatchOptions,
  { changed, onError }: { changed: () => void; onError: (error: unknown) => void },
): Batches {
  const { stepMs = defaultStepMs, maxStoredBytes = gibibyte } = options;
  const jobs = new Map<string, Job>();
  const timers = new Map<string, NodeJS.Timeout>();
  const store = createFileStore({
    maxBytes: maxStoredBytes,
    inUse: (id) => [...jobs.values()].some((job) => !job.ended && job.inputFileId === id),
  });
  let held = options.held ?? false;
  let closed = false;
  let createdCount = 0;
  let uploadedCount = 0;
  let forgottenRows = 0;

  function schedule(job: Job): void {
    if (held || closed || job.ended || timers.has(job.id)) return;
    const timer = setTimeout(() => {
      timers.delete(job.id);
      try {
        job.step();
        schedule(job);
      } catch (error) {
        onError(error);
      }
      changed();
    }, stepMs);
    timers.set(job.id, timer);
  }

  function forget(job: Job): void {
    jobs.delete(job.id);
    clearTimeout(timers.get(job.id));
    timers.delete(job.id);
    forgottenRows += answered(job);
  }

  function stopTimers(): void {
    for (const timer of timers.values()) clearTimeout(timer);
    timers.clear();
  }

  function picked(id: string | undefined): Job[] {
    return [...jobs.values()].filter((job) => !job.ended && (id === undefined || job.id === id));
  }

  return {
    store,
    get created() {
      return [...jobs.values()].map(recordOf);
    },
    get createdCount() {
      return createdCount;
    },
    get uploadedCount() {
      return uploadedCount;
    },
    get answeredRows() {
      return [...jobs.values()].reduce((sum, job) => sum + answered(job), forgottenRows);
    },
    get files() {
      return store
        .list('openai')
        .map(({ id, filename, purpose, bytes }) => ({ id, filename, purpose, bytes }));
    },
    get nextNumber() {
      return createdCount + 1;
    },
    hold() {
      held = true;
      stopTimers();
    },
    release() {
      held = false;
      for (const job of jobs.values()) schedule(job);
    },
    advance({ id, rows } = {}) {
      for (const job of picked(id)) {
        if (rows === undefined) finishStage(job);
        else if (job.stage === 'in_progress') job.step(rows);
      }
      changed();
    },
    expire(id) {
      for (const job of picked(id)) job.expire();
      changed();
    },
    add(job) {
      createdCount++;
      for (const old of jobs.values()) {
        if (jobs.size < keptBatches) break;
        if (old.ended) forget(old);
      }
      jobs.set(job.id, job);
      schedule(job);
    },
    find(id, provider) {
      const job = jobs.get(id);
      return job?.provider === provider ? job : null;
    },
    remove: forget,
    list: (provider) => [...jobs.values()].filter((job) => job.provider === provider).reverse(),
    uploaded() {
      uploadedCount++;
    },
    close() {
      closed = true;
      stopTimers();
    },
  };
}

/** Steps until the stage is another one: a large batch takes several steps for one stage. */
function finishStage(job: Job): void {
  const { stage } = job;
  while (job.stage === stage && !job.ended) job.step();
}

function answered({ counts }: Job): number {
  return counts.completed + counts.failed;
}

function recordOf(job: Job): BatchRecord {
  const { id, provider, stage, metadata, inputFileId, counts } = job;
  return { id, provider, stage, metadata, inputFileId, ...counts };
}
