/** Why items fail, in a few words: what stands behind `most that failed:`. */
import type { graphql } from '../data/graphql.ts';

export type ItemErrorCode = ReturnType<typeof graphql.scalar<'ItemErrorCode'>>;

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
