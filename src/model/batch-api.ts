/**
 * A provider's own batch API, for the rest of Winnow: an input of many requests goes in, a job
 * works on it for up to a day, and its results come back in any order. Types only; the adapters
 * beside this file speak to providers.
 */
import type { ModelAnswer } from './model.ts';
import type { ModelError } from './model-error.ts';
import type { ModelRequest } from './request.ts';

/**
 * The batch API of one provider, for one model. Every call makes exactly one request, and retries
 * nothing. Rejects with a ModelError: `later` where it may succeed in a while, `batch` for key,
 * quota and a provider without a batch API. `item` (INVALID_REQUEST, CONTEXT_TOO_LONG): the
 * provider refuses what it was sent. Rejects with the signal's reason when aborted.
 */
export interface BatchApi {
  /** The provider's limits of one job. `bytes` are the whole input's, framing included. */
  readonly limits: { readonly requests: number; readonly bytes: number };
  /** Bytes of the input without its lines and the one byte between each two. */
  readonly framingBytes: number;
  /** One request as one line of JSON. `customId` is 1 to 64 of `A-Z a-z 0-9 _ -`. Pure. */
  encode(customId: string, request: ModelRequest): string;
  /**
   * Uploads the input as a stream, where the provider takes files. Returns the id it has there;
   * null where the input goes with `create`.
   */
  upload(input: BatchInput, signal: AbortSignal): Promise<string | null>;
  /** Deletes an upload. Rejects where the provider does not have it, as well. */
  discard(inputId: string, signal: AbortSignal): Promise<void>;
  /** Creates the job. Only a status of 4xx says that it does not exist: else `find` tells. */
  create(job: NewJob, signal: AbortSignal): Promise<Job>;
  /**
   * The job that was created for `jobId`, by any process. Null where the provider has none;
   * `unsure` where it has one that may be it, which only its results will tell.
   */
  find(job: LostJob, signal: AbortSignal): Promise<Job | 'unsure' | null>;
  retrieve(providerId: string, signal: AbortSignal): Promise<Job>;
  /** Asks for the end of a job. A job that has ended already causes no error. */
  cancel(providerId: string, signal: AbortSignal): Promise<Job>;
  /**
   * The answers of an ended job, as a stream, in the provider's order, from `Job.results`. Lines
   * that are no result of a request are `unreadable`. Rejects in the middle where the download
   * breaks off; read again from the start then. `whole` says that the job's requests were
   * BodyRequests: any whole completion is an answer to those.
   */
  results(
    results: string,
    options: { whole: boolean; signal: AbortSignal },
  ): AsyncIterable<BatchLine>;
}

/** The lines of a job, made of `encode`, in a file of this machine; each ends in a newline. */
export interface BatchInput {
  path: string;
  bytes: number;
  /** Number of lines. */
  requests: number;
  /** Our id of the job; also names the upload. */
  jobId: string;
}

interface NewJob {
  /** Our id of the job, in its metadata where it has such, and before every custom id. */
  jobId: string;
  /** Id that `upload` returned. */
  inputId: string | null;
  /** Null where the upload has it. */
  input: BatchInput | null;
}

export interface LostJob {
  jobId: string;
  /** No earlier job is it. */
  since: Date;
  /** Number of its requests. */
  requests: number;
  /** Jobs of the provider that are known to be others. */
  others: ReadonlySet<string>;
}

/** A job as its provider tells of it. */
export interface Job {
  providerId: string;
  /** In the provider's own words. One that is not known is taken for one at work. */
  status: string;
  /**
   * - `working`: not ended, cancelled but not yet confirmed included
   * - `completed`, `expired`, `cancelled`: ended; what was finished can be read
   * - `rejected`: the provider took none of it; `problems` say why
   */
  phase: 'working' | 'completed' | 'expired' | 'cancelled' | 'rejected';
  /** The provider's counts, which may lag and need not add up. */
  counts: { succeeded: number; failed: number; cancelled: number; expired: number };
  /** When the provider gives up what it has not done; null where it does not say. */
  expiresAt: Date | null;
  /** Where its results are, for `results`; null before it has any. */
  results: string | null;
  problems: readonly JobProblem[];
}

/** Why a provider rejected a job. */
export interface JobProblem {
  /** The provider's code, such as `token_limit_exceeded`; null when absent. */
  code: string | null;
  /** Fit to be shown. */
  message: string;
  /** The line of the input that it is about, from 1; null where it is about the whole. */
  line: number | null;
}

export type BatchLine =
  /** A complete answer; its cost is at batch prices. */
  | { kind: 'answer'; customId: string; answer: ModelAnswer }
  /** The request failed there; `error.tokens` are what it was billed all the same. */
  | { kind: 'error'; customId: string; error: ModelError }
  /** The window ended before the request was answered, or the job was cancelled. */
  | { kind: 'expired' | 'cancelled'; customId: string }
  | { kind: 'unreadable' };
