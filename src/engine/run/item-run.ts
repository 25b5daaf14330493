/**
 * The run of an item, for those who drive it to its answer: one request at a time, and its outcome.
 */

import type { BatchErrorCode, ItemError } from '../../core/errors.ts';
import type { Usage } from '../../core/usage.ts';
import type { Permit } from '../../model/limits/permit.ts';
import type { Model, ModelAnswer } from '../../model/model.ts';
import type { ModelError } from '../../model/model-error.ts';

/** The final answer of an item. */
export interface ItemAnswer {
  /** Requests whose answer counted against the item; a 429 is none. */
  attempts: number;
  usage: Usage;
  outcome: ItemOutcome;
}

/**
 * `confidence`: how sure the output is, 0 to 1; absent where nothing says. `rejectedAnswer`: what
 * is kept of the last answer that was refused; absent where none was.
 */
type ItemOutcome =
  | { status: 'SUCCEEDED'; output: unknown; confidence?: number }
  | { status: 'FAILED'; error: ItemError; rejectedAnswer?: string };

/** The outcome of one request, and so the caller's next step. */
export type ItemStep =
  | { kind: 'final'; answer: ItemAnswer }
  /**
   * Send again as soon as there is a permit: the answer was invalid or cut short, or the model has
   * another name.
   */
  | { kind: 'again' }
  /**
   * Send again after `delayMs`. `counts`: a request failed that the provider may bill. `giveUp` is
   * the answer should the caller not want to wait any more.
   */
  | { kind: 'later'; delayMs: number; failures: number; counts: boolean; giveUp: ItemAnswer }
  /** No item would succeed: stop the batch. */
  | { kind: 'stop'; code: BatchErrorCode; message: string };

export interface ItemRun {
  /** The model that it asks: whose gate gives the permit. */
  readonly model: Model;
  /** Characters of its prompt; 0 until `refusal` or `send` has made that. */
  readonly promptLength: number;
  /** Requests whose answer counted against the item so far; a 429 is none. */
  readonly attempts: number;
  /** Its usage so far, answered or not. */
  readonly usage: Readonly<Usage>;
  /** Requests that were aborted; they are among the unmetered ones of `usage`. */
  readonly cutOff: number;
  /**
   * The answer of an item that cannot be sent at all; null for every other. Nobody need wait for a
   * permit to learn it.
   */
  refusal(): ItemAnswer | null;
  /**
   * Makes one request and gives the permit back. Rejects only with the signal's reason; the run can
   * be sent again then.
   */
  send(permit: Permit, signal: AbortSignal): Promise<ItemStep>;
  /**
   * Takes what a request came to that went out by another way, through the batch API of the model
   * with the id `asked`: an answer, or why it is missing. `isCounted`: what it has cost was kept
   * before, when it was read for the first time.
   */
  receive(result: ModelAnswer | ModelError, asked: string, isCounted?: boolean): ItemStep;
  /** The answer where Winnow itself failed on it, with what it has cost so far. */
  abandon(): ItemAnswer;
}
