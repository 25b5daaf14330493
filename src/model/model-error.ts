/** Failures of a request, told apart by what the caller should do. */
import type { BatchErrorCode, ItemErrorCode } from '../core/errors.ts';
import type { Tokens } from '../core/usage.ts';

/**
 * Three kinds of failure, told apart by what the caller should do:
 * - `later`: the same request may succeed in a while (429, 408, 409, 5xx, reset, stall). `counts`
 *   is false where waiting costs the item nothing (429); true where the tries are limited (5xx,
 *   timeouts, resets).
 * - `item`: this item will not succeed as it is (400, 422, refusal, content filter, truncation).
 * - `batch`: no item will (401, 403, unknown model, quota): stop instead of burning them.
 */
export type ModelErrorKind =
  | {
      kind: 'later';
      code: 'RATE_LIMITED' | 'TIMEOUT' | 'PROVIDER_ERROR';
      retryAfterMs: number | null;
      counts: boolean;
    }
  | { kind: 'item'; code: ItemErrorCode }
  | { kind: 'batch'; code: BatchErrorCode };

export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly failure: ModelErrorKind;
  /** Tokens that the provider billed all the same, as for refusals and truncated answers. */
  readonly tokens: Tokens | null;
  readonly costUsd: number | null;
  /** The text that the model had written all the same; null where nothing. */
  readonly answer: string | null;
  /** The field of a complete request that the provider refuses; null where it names none. */
  readonly param: string | null;
  /** The provider bills nothing: it refused the request, or got none. */
  readonly isFree: boolean;

  constructor(
    failure: ModelErrorKind,
    message: string,
    options: {
      cause?: unknown;
      tokens?: Tokens | null;
      costUsd?: number | null;
      answer?: string | null;
      param?: string | null;
      isFree?: boolean;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.failure = failure;
    this.tokens = options.tokens ?? null;
    this.costUsd = options.costUsd ?? null;
    this.answer = options.answer ?? null;
    this.param = options.param ?? null;
    this.isFree = options.isFree ?? false;
  }
}
