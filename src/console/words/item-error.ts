/** Why items fail, in a few words, and where asking again may help. */
import type { graphql } from '../data/graphql.ts';

export type ItemErrorCode = ReturnType<typeof graphql.scalar<'ItemErrorCode'>>;

/** Words behind `most that failed:`. */
export const itemErrors: Readonly<Record<ItemErrorCode, string>> = {
  CONTENT_FILTERED: 'stopped by the content filter',
  CONTEXT_TOO_LONG: 'too long for the model',
  EMPTY_CONTENT: 'blank texts',
  INTERNAL: 'a bug of Winnow, see its log',
  INVALID_OUTPUT: 'answers broke the schema',
  INVALID_REQUEST: 'refused as invalid',
  PROVIDER_ERROR: 'the provider failed',
  RATE_LIMITED: 'no room under the rate limit',
  REFUSED: 'the model declined',
  TEMPLATE_FIELD_MISSING: 'a field of the template is missing',
  TIMEOUT: 'no answer in time',
  TRUNCATED: 'answers reached the output limit',
  WORKER_CRASHED: 'the worker died on them',
};

/** Where asking again brings the same failure, nothing offers it. */
const neverHelped: ReadonlySet<ItemErrorCode> = new Set([
  'CONTEXT_TOO_LONG',
  'EMPTY_CONTENT',
  'INVALID_REQUEST',
  'TEMPLATE_FIELD_MISSING',
]);

export function retryHelps(code: ItemErrorCode): boolean {
  return !neverHelped.has(code);
}

/** The failed rows that a retry may turn into answers. */
export interface Retryable {
  items: number;
  /** Their codes, for `retryBatch`; absent where these are all that failed. */
  errorCodes?: ItemErrorCode[];
}

export function retryableOf({
  contentDeletedAt,
  counts,
  errorSummary,
}: {
  contentDeletedAt: string | null;
  counts: { failed: number };
  errorSummary: readonly { code: ItemErrorCode; count: number }[];
}): Retryable {
  if (contentDeletedAt !== null) return { items: 0 };
  const lost = errorSummary
    .filter(({ code }) => !retryHelps(code))
    .reduce((sum, { count }) => sum + count, 0);
  if (lost === 0) return { items: counts.failed };
  const codes = Object.keys(itemErrors) as ItemErrorCode[];
  return { items: Math.max(0, counts.failed - lost), errorCodes: codes.filter(retryHelps) };
}
