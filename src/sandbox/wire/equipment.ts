/**
 * The hooks by which a test watches a sandbox and makes it fail. The equipment is
 * sandbox/faults; production hands none, and then every request is answered as it should be.
 */
import type { Decision } from '../rules/node.ts';
import type { Provider } from './batch/file-store.ts';
import type { ResultFile } from './batch/results.ts';
import type { RowOutcome } from './batch/row.ts';
import type { ChatRequest } from './chat-request.ts';
import type { Dialect } from './dialect.ts';
import type { Exchange } from './exchange.ts';
import type { Reply } from './reply.ts';

export interface Equipment {
  /** Answers a live request, with `good` or otherwise, now or later. */
  live(request: LiveRequest, good: Good): void;
  /** Runs a call to the file and batch APIs. */
  call: Call;
  /** Decides over a row of a batch. */
  row(row: RowRequest, dialect: Dialect): RowFate;
  /** Decides over a whole batch, once its rows are known to be well-formed. */
  batch(batch: NewBatch): BatchFate | null;
  /** Called after every step of a batch. */
  changed(): void;
}

interface LiveRequest {
  exchange: Exchange;
  /** The parsed body, the raw text if it was no JSON. */
  body: unknown;
  /** The text of the last message. */
  text: string;
}

/** Makes the answer; throws an ApiError where the request is at fault. */
export type Good = (options?: {
  alter?: Alter | null;
  /** Headers of the answer; called once the request is known to be valid. */
  headers?: (request: ChatRequest) => Record<string, string>;
}) => Reply;

/** Makes another answer of a good one. */
export type Alter = (content: string, decisions: readonly Decision[]) => Altered;

export interface Altered {
  content: string;
  refusal: string | null;
  isFiltered: boolean;
  /** Number of tokens that are left of the answer; null for all. */
  limit: number | null;
}

/** Runs one call. `work` does what is asked for and returns the answer, or throws an ApiError. */
export type Call = (
  exchange: Exchange,
  call: { operation: BatchOperation; id?: string; body?: unknown; bytes?: number },
  work: () => Reply,
) => void;

export const batchOperations = [
  'upload',
  'retrieve_file',
  'download',
  'delete_file',
  'list_files',
  'create',
  'retrieve',
  'cancel',
  'delete',
  'list',
] as const;

/** A call to the file and batch APIs. Anthropic's results are a download. */
export type BatchOperation = (typeof batchOperations)[number];

interface RowRequest {
  body: unknown;
  /** The text of the last message. */
  text: string;
  /** The place of the row in its batch, from 1. */
  number: number;
  batchId: string;
}

interface RowFate {
  alter: Alter | null;
  /** The outcome in place of an answer. */
  instead: RowOutcome | null;
}

export interface NewBatch {
  provider: Provider;
  id: string;
  /** OpenAI only. */
  metadata: Readonly<Record<string, string>> | null;
  total: number;
  firstCustomId: string;
  /** The place of the batch among all of this sandbox, from 1. */
  number: number;
}

/** One entry of `errors.data` of a batch that failed in validation. */
export interface BatchProblem {
  code: string;
  /** From 1; null for a problem of the whole file. */
  line: number | null;
  message: string;
  param: string | null;
}

/** The fate of a batch that is not to succeed. */
export interface BatchFate {
  /** The batch fails in validation. */
  problems?: readonly BatchProblem[];
  /** The batch enters this stage when so many rows are answered. */
  stop?: { stage: 'expired' | 'cancelling'; done: number };
  /** The outcome of every row. */
  row?(dialect: Dialect): RowOutcome;
  lines?: ResultLines;
  /** The batch as the API shows it; `isRetrieved`: to a call that asks for this one batch. */
  shown?<T extends object>(batch: T, isRetrieved: boolean): T;
}

/** Writes the lines of a batch. */
export interface ResultLines {
  /** The texts that are written for one line. */
  add(file: ResultFile, line: object): string[];
  /** The texts behind all lines. */
  finish(): [ResultFile, string][];
}
