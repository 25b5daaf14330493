/**
 * The closed list of what can go wrong on purpose. Everything else that is thrown is a bug, and is
 * shown to nobody.
 *
 * Two families: an AppError ends a whole request and carries the `code` that GraphQL and the routes
 * answer with; an ItemError is the one final answer of one item, and never touches its neighbours.
 */

export const itemErrorCodes = [
  'INVALID_OUTPUT',
  'TRUNCATED',
  'REFUSED',
  'CONTENT_FILTERED',
  'CONTEXT_TOO_LONG',
  'INVALID_REQUEST',
  'TEMPLATE_FIELD_MISSING',
  'RATE_LIMITED',
  'TIMEOUT',
  'PROVIDER_ERROR',
  'WORKER_CRASHED',
  'EMPTY_CONTENT',
  'INTERNAL',
] as const;
export type ItemErrorCode = (typeof itemErrorCodes)[number];

/** Why one item has no output. The message is for people, without keys, prompts and rows. */
export interface ItemError {
  code: ItemErrorCode;
  message: string;
}

/** Error of a batch, or of a webhook, on which Winnow itself failed. The log has the cause. */
export const internalError = {
  code: 'INTERNAL',
  message: 'Winnow failed because of a bug. The server log has the details.',
} as const;

/** The same of one item. */
export const internalItemError = {
  code: 'INTERNAL',
  message: 'Winnow failed on this item; the server log has the details',
} as const;

export const batchErrorCodes = [
  'INVALID_KEY',
  'QUOTA_EXHAUSTED',
  'UNKNOWN_MODEL',
  'PROVIDER_REJECTED_FILE',
  'DUPLICATE_CUSTOM_ID',
  'INVALID_INPUT_FILE',
  'INTERNAL',
] as const;
export type BatchErrorCode = (typeof batchErrorCodes)[number];

/** One thing wrong with an input: a dotted path from the argument, and what would be right. */
export interface InputIssue {
  path: string;
  message: string;
}

export type AppErrorCode =
  | 'BAD_USER_INPUT'
  | 'NOT_FOUND'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'CONFLICT'
  | 'IDEMPOTENCY_CONFLICT'
  | 'RATE_LIMITED'
  | 'BUDGET_EXCEEDED'
  | 'LIMIT_EXCEEDED'
  | 'PAYLOAD_TOO_LARGE'
  | 'PROVIDER_UNAVAILABLE'
  | 'DATABASE_UNAVAILABLE'
  | 'STORAGE_FULL'
  | 'TOO_MANY_REQUESTS';

/** The HTTP status of a request that failed so. */
export function statusOf(code: AppErrorCode): number {
  switch (code) {
    case 'BAD_USER_INPUT':
      return 400;
    case 'UNAUTHENTICATED':
      return 401;
    case 'BUDGET_EXCEEDED':
      return 402;
    case 'FORBIDDEN':
    case 'LIMIT_EXCEEDED':
      return 403;
    case 'NOT_FOUND':
      return 404;
    case 'CONFLICT':
    case 'IDEMPOTENCY_CONFLICT':
      return 409;
    case 'PAYLOAD_TOO_LARGE':
      return 413;
    case 'RATE_LIMITED':
    case 'TOO_MANY_REQUESTS':
      return 429;
    case 'PROVIDER_UNAVAILABLE':
    case 'DATABASE_UNAVAILABLE':
      return 503;
    case 'STORAGE_FULL':
      return 507;
  }
}

/** When it may go better, in seconds; null where trying again will not help by itself. */
export function retryAfterSeconds(code: string): number | null {
  switch (code) {
    case 'DATABASE_UNAVAILABLE':
      return 2;
    case 'STORAGE_FULL':
      return 10;
    case 'TOO_MANY_REQUESTS':
    case 'SHUTTING_DOWN':
      return 1;
    default:
      return null;
  }
}

/** An expected failure of a whole request. Callers branch on `code`, never on the message. */
export class AppError extends Error {
  override readonly name: string = 'AppError';
  readonly code: AppErrorCode;

  constructor(code: AppErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The caller's input is wrong. `issues` names every place, to be corrected in one go. */
export class BadUserInput extends AppError {
  override readonly name = 'BadUserInput';
  readonly issues: readonly InputIssue[];

  constructor(issues: readonly InputIssue[]) {
    super(
      'BAD_USER_INPUT',
      issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; '),
    );
    this.issues = issues;
  }
}

/** The limits of an owner that a request can pass, as LIMITS names them. */
export type LimitName = 'activeBatches' | 'itemsPerDay' | 'storageBytes' | 'requestsPerMinute';

/** A limit of an owner, and how far it is used. */
export interface LimitUse {
  limit: LimitName;
  allowed: number;
  used: number;
  /** When there is room by itself; null where only the owner's own doing frees it. */
  resetsAt: Date | null;
}

/** The request is for more than a limit of the owner leaves. Nothing was stored or sent. */
export class LimitExceeded extends AppError {
  override readonly name = 'LimitExceeded';
  readonly use: LimitUse;

  constructor(use: LimitUse, wanted: number) {
    super('LIMIT_EXCEEDED', limitMessage(use, wanted));
    this.use = use;
  }
}

function limitMessage({ limit, allowed, used, resetsAt }: LimitUse, wanted: number): string {
  const [many, all, more] = [allowed, used, wanted].map((number) => number.toLocaleString('en'));
  const frees = resetsAt === null ? '' : `; there is room again at ${resetsAt.toISOString()}`;
  return `${limit} must be at most ${many} for this owner; ${all} are used, and ${more} more were asked for${frees}`;
}

/** The requests of an owner's minute are used up. */
export class RateExceeded extends AppError {
  override readonly name = 'RateExceeded';
  readonly use: LimitUse;
  readonly retryAfterSeconds: number;

  constructor(use: Omit<LimitUse, 'limit'>, retryAfterMs: number) {
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
    super(
      'TOO_MANY_REQUESTS',
      `requestsPerMinute must be at most ${use.allowed.toLocaleString('en')} for this owner; ask again in ${seconds} s`,
    );
    this.use = { limit: 'requestsPerMinute', ...use };
    this.retryAfterSeconds = seconds;
  }
}

/** A failure's details for a caller, beside its code and message. */
export function detailsOf(error: AppError): Readonly<Record<string, unknown>> {
  if (error instanceof LimitExceeded) return { ...error.use };
  if (error instanceof RateExceeded) {
    return { ...error.use, retryAfterSeconds: error.retryAfterSeconds };
  }
  return {};
}

/** One live call to a model that failed: with a code of items, or with one that stops a batch. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  readonly code: ItemErrorCode | BatchErrorCode;
  /** When it may go better; null where nobody said. */
  readonly retryAfterMs: number | null;
  /** The field of the request that is at fault; null where none is named. */
  readonly param: string | null;

  constructor(
    code: CallFailure['code'],
    message: string,
    {
      retryAfterMs = null,
      param = null,
      cause,
    }: { retryAfterMs?: number | null; param?: string | null; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.param = param;
  }
}

/** The program cannot start, for a reason outside of it, which the message says in full. */
export class StartFailure extends Error {
  override readonly name = 'StartFailure';
}

/** More was asked for than one request reads. `cursor`, or null, is the last that fitted. */
export class PageTooLarge extends AppError {
  override readonly name = 'PageTooLarge';
  readonly cursor: string | null;

  constructor(cursor: string | null) {
    super(
      'PAYLOAD_TOO_LARGE',
      'The rows of this request are too large together; ask for fewer at once and go on behind the cursor, or stream GET /batches/{id}/output',
    );
    this.cursor = cursor;
  }
}

/** One item cannot be asked as it is, such as one that lacks a field of its template. */
export class ItemFailure extends Error {
  override readonly name = 'ItemFailure';
  readonly code: ItemErrorCode;

  constructor(code: ItemErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The answer breaks its schema. The message is for the model, which is asked again with it. */
export class InvalidOutput extends Error {
  override readonly name = 'InvalidOutput';
  /** The same for people, with long lists cut. */
  readonly told: string;

  constructor(
    message: string,
    { told = message, ...options }: ErrorOptions & { told?: string } = {},
  ) {
    super(message, options);
    this.told = told;
  }
}

/** Characters of an item's error. It stands in each failed row, and more of it says no more. */
export const maxItemMessage = 400;

/** A message as an item's error has it: its beginning, with no character cut in two. */
export function itemMessage(message: string): string {
  if (message.length <= maxItemMessage) return message;
  return `${message.slice(0, maxItemMessage - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
