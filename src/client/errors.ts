/** Errors: one class for each thing that a program may want to do about it. */
import type { Batch } from './batch.ts';
import type { BatchState } from './batch-types.ts';

/** One thing wrong with an input: where, as a dotted path, and what would be right. */
export interface InputIssue {
  readonly path: string;
  readonly message: string;
}

export interface Failure {
  code: string;
  message: string;
  issues?: readonly InputIssue[];
  /** HTTP status. Null where nothing was answered. */
  status?: number | null;
  requestId?: string | null;
  retryAfterMs?: number | null;
  cause?: unknown;
}

/**
 * The fields of all errors of the client. Branch on the class or on `code`, never on the message.
 */
export class WinnowError extends Error {
  override readonly name: string = 'WinnowError';
  /** A code of the server's, such as NOT_FOUND; CONNECTION_LOST and ABORTED are the client's. */
  readonly code: string;
  /** Every problem of an input with its path. Empty for other errors. */
  readonly issues: readonly InputIssue[];
  /** HTTP status of the answer, or the one that belongs to the code. Null without an answer. */
  readonly status: number | null;
  /** Names the request in the log of the server. Null without an answer. */
  readonly requestId: string | null;
  /** Milliseconds after which the server asked to be asked again. Null where it did not. */
  readonly retryAfterMs: number | null;

  constructor({ code, message, cause, ...rest }: Failure) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.issues = rest.issues ?? [];
    this.status = rest.status ?? null;
    this.requestId = rest.requestId ?? null;
    this.retryAfterMs = rest.retryAfterMs ?? null;
  }
}

/** The input is wrong; `issues` says where. */
export class BadUserInput extends WinnowError {
  override readonly name = 'BadUserInput';
}

/** The id is unknown to the owner of the key. */
export class NotFound extends WinnowError {
  override readonly name = 'NotFound';
}

/** The key is missing or wrong. */
export class Unauthenticated extends WinnowError {
  override readonly name = 'Unauthenticated';
}

/** The server does not serve this machine or page. */
export class Forbidden extends WinnowError {
  override readonly name = 'Forbidden';
}

/** The state of the batch does not allow it, or its idempotency key was used for another input. */
export class Conflict extends WinnowError {
  override readonly name = 'Conflict';
}

/** Too much was asked for, or sent, at once. */
export class PayloadTooLarge extends WinnowError {
  override readonly name = 'PayloadTooLarge';
}

/** A rate limit of the provider or of the server left no room. */
export class RateLimited extends WinnowError {
  override readonly name = 'RateLimited';
}

/** The provider of the model does not answer. */
export class ProviderUnavailable extends WinnowError {
  override readonly name = 'ProviderUnavailable';
}

/** The server has no database just now, or its disk is full. */
export class Unavailable extends WinnowError {
  override readonly name = 'Unavailable';
}

/** A limit of the owner is reached. */
export class LimitExceeded extends WinnowError {
  override readonly name = 'LimitExceeded';
}

/** The budget of the owner is spent. */
export class BudgetExceeded extends WinnowError {
  override readonly name = 'BudgetExceeded';
}

/** The server did not answer, or its answer broke off. `cause` says why where that is known. */
export class ConnectionLost extends WinnowError {
  override readonly name = 'ConnectionLost';
}

/** The signal of the call was aborted. `cause` is the reason of the signal. */
export class Aborted extends WinnowError {
  override readonly name = 'Aborted';
}

/** The batch ended, and not as completed. The code is its errorCode, else its status. */
export class BatchFailed extends WinnowError {
  override readonly name = 'BatchFailed';
  /** The batch in its final state. */
  readonly batch: BatchState;

  constructor(batch: BatchState) {
    const reason = batch.error === null ? '' : `: ${batch.error}`;
    super({
      code: batch.errorCode ?? batch.status.toUpperCase(),
      message: `Batch ${batch.id} ended as ${batch.status}${reason}`,
    });
    this.batch = batch;
  }
}

/** The batch sends nothing new until `batch.resume()`. The code is PAUSED. */
export class BatchPaused extends WinnowError {
  override readonly name = 'BatchPaused';
  /** The paused batch; its `pauseReason` says why, and `resume` lets it go on. */
  readonly batch: Batch;

  constructor(batch: Batch) {
    const reason = batch.pauseMessage === null ? '' : `: ${batch.pauseMessage}`;
    super({ code: 'PAUSED', message: `Batch ${batch.id} is paused${reason}` });
    this.batch = batch;
  }
}

const classes: Readonly<Record<string, typeof WinnowError>> = {
  BAD_USER_INPUT: BadUserInput,
  NOT_FOUND: NotFound,
  UNAUTHENTICATED: Unauthenticated,
  FORBIDDEN: Forbidden,
  CONFLICT: Conflict,
  IDEMPOTENCY_CONFLICT: Conflict,
  PAYLOAD_TOO_LARGE: PayloadTooLarge,
  RATE_LIMITED: RateLimited,
  TOO_MANY_REQUESTS: RateLimited,
  PROVIDER_UNAVAILABLE: ProviderUnavailable,
  DATABASE_UNAVAILABLE: Unavailable,
  STORAGE_FULL: Unavailable,
  LIMIT_EXCEEDED: LimitExceeded,
  BUDGET_EXCEEDED: BudgetExceeded,
  CONNECTION_LOST: ConnectionLost,
  ABORTED: Aborted,
};

/** The error of a failure, in the class of its code. */
export function errorOf(failure: Failure): WinnowError {
  const Class = Object.hasOwn(classes, failure.code) ? classes[failure.code] : undefined;
  return new (Class ?? WinnowError)(failure);
}

/** The error of an input that the client itself refuses, in the words of the server. */
export function wrongInput(issues: readonly InputIssue[]): BadUserInput {
  const message = issues.map(({ path, message: what }) => (path ? `${path}: ${what}` : what));
  return new BadUserInput({
    code: 'BAD_USER_INPUT',
    message: message.join('; '),
    issues,
    status: 400,
  });
}

/** The error of a call whose signal is aborted. */
export function abortedBy(signal: AbortSignal): Aborted {
  return new Aborted({
    code: 'ABORTED',
    message: 'The call was aborted by its signal',
    cause: signal.reason,
  });
}

/** The error of an answer that did not come, or not whole. */
export function lost(message: string, cause?: unknown): ConnectionLost {
  return new ConnectionLost({ code: 'CONNECTION_LOST', message, cause });
}
