/** What can become of a whole batch, on demand. */
import type { LatencyFault, TransportFault } from '../faults.ts';
import type { Provider } from './file-store.ts';

/** One entry of `errors.data` of a batch that failed in validation. */
export interface BatchProblem {
  code: string;
  /** From 1; null where it is no single line's. */
  line: number | null;
  message: string;
  param: string | null;
}

export type Outcome =
  /** OpenAI: status failed, with these errors. Anthropic, which validates at once: the create is a 400. */
  | { kind: 'rejected'; problems?: readonly BatchProblem[] }
  /** So many rows leave no line at all; one when absent. */
  | { kind: 'missing_results'; count?: number }
  /** So many lines come twice. */
  | { kind: 'duplicate_results'; count?: number }
  /** So many lines have no custom_id. */
  | { kind: 'anonymous_results'; count?: number }
  /** So many lines for rows that were never asked for, `custom_id` "unasked-1" and on. */
  | { kind: 'foreign_results'; count?: number }
  /** So many lines are cut in half, and no JSON. */
  | { kind: 'garbled_results'; count?: number }
  /** Every row fails: there is an error file only. 400 when absent. */
  | { kind: 'all_errored'; status?: number }
  /** Expires when so many rows are answered. */
  | { kind: 'expired'; done: number }
  /** Is cancelled, by somebody else, when so many rows are answered. */
  | { kind: 'cancelled'; done: number }
  /** request_counts say this instead, under the provider's own names. */
  | { kind: 'wrong_counts'; counts: Readonly<Record<string, number>> }
  /** Anthropic: results_url leads elsewhere, where no key must be sent. */
  | { kind: 'foreign_results_url'; url: string }
  /** Says this status the first `looks` times that it is retrieved, once it is in progress; always when absent. */
  | { kind: 'unknown_status'; status: string; looks?: number };

/** A batch as `when` of an outcome sees it, once its rows are known to be well-formed. */
export interface NewBatch {
  provider: Provider;
  id: string;
  /** OpenAI only. */
  metadata: Readonly<Record<string, string>> | null;
  total: number;
  firstCustomId: string;
  /** Which batch of this sandbox it is, from 1. */
  number: number;
}

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

export type CallFault =
  | TransportFault
  | LatencyFault
  /** The call is carried out, and the connection is reset instead of an answer. */
  | { kind: 'lost_answer' };

export interface BatchCall {
  provider: Provider;
  operation: BatchOperation;
  /** Of the file or the batch; null for uploads, creates and lists. */
  id: string | null;
  /** The parsed JSON body; null where there is none. */
  body: unknown;
  /** How long the body is, whatever it is; 0 where there is none. */
  bytes: number;
  /** Which call of this operation it is, from 1. */
  number: number;
}
