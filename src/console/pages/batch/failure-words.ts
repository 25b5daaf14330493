/** Sentences for each code of a failure, with what would help. */
import type { graphql } from '../../data/graphql.ts';
import type { ItemErrorCode } from '../../words/item-error.ts';

interface FailureWords {
  /** Behind the count: `6,600 answers were no category`. */
  one: string;
  several: string;
  /** Help where asking the same again does not; null where a retry may. */
  remedy: string | null;
}

export const failureWords: Readonly<Record<ItemErrorCode, FailureWords>> = {
  CONTENT_FILTERED: {
    one: 'text was stopped by the provider’s content filter',
    several: 'texts were stopped by the provider’s content filter',
    remedy: null,
  },
  CONTEXT_TOO_LONG: {
    one: 'text is too long for the model',
    several: 'texts are too long for the model',
    remedy: 'A retry fails again. Choose a model with a longer context, or shorten the texts.',
  },
  EMPTY_CONTENT: {
    one: 'text is blank, so nothing was sent',
    several: 'texts are blank, so nothing was sent',
    remedy: 'A retry fails again. The rows need a text, or another column is the text.',
  },
  INTERNAL: {
    one: 'row failed by a bug of Winnow',
    several: 'rows failed by a bug of Winnow',
    remedy: null,
  },
  INVALID_OUTPUT: {
    one: 'answer did not have the form that was asked for',
    several: 'answers did not have the form that was asked for',
    remedy: null,
  },
  INVALID_REQUEST: {
    one: 'request was refused by the provider as invalid',
    several: 'requests were refused by the provider as invalid',
    remedy: 'A retry fails again. The message says what the provider does not take.',
  },
  PROVIDER_ERROR: {
    one: 'call failed at the provider',
    several: 'calls failed at the provider',
    remedy: null,
  },
  RATE_LIMITED: {
    one: 'call found no room under the rate limit',
    several: 'calls found no room under the rate limit',
    remedy: null,
  },
  REFUSED: {
    one: 'text was declined by the model',
    several: 'texts were declined by the model',
    remedy: null,
  },
  TEMPLATE_FIELD_MISSING: {
    one: 'row lacks a field that the template names',
    several: 'rows lack a field that the template names',
    remedy: 'A retry fails again. The template must name fields that every row has.',
  },
  TIMEOUT: {
    one: 'call had no answer in time',
    several: 'calls had no answer in time',
    remedy: null,
  },
  TRUNCATED: {
    one: 'answer reached the output limit',
    several: 'answers reached the output limit',
    remedy: 'A retry may fail again. A new batch with a higher maxOutputTokens would not.',
  },
  WORKER_CRASHED: {
    one: 'row ended the process that worked on it',
    several: 'rows ended the process that worked on them',
    remedy: null,
  },
};

type BatchErrorCode = ReturnType<typeof graphql.scalar<'BatchErrorCode'>>;

/** Steps before a stopped batch is tried again. */
export const stopRemedies: Readonly<Record<BatchErrorCode, string>> = {
  DUPLICATE_CUSTOM_ID: 'Choose another column for the ids, or none, in a new batch.',
  INTERNAL: 'The log of the server has the details.',
  INVALID_INPUT_FILE: 'Correct the lines that the message names, and begin a new batch.',
  INVALID_KEY: 'Give the server a key that the provider accepts, then retry.',
  PROVIDER_REJECTED_FILE: 'The message says what the provider does not take.',
  QUOTA_EXHAUSTED: 'Add funds at the provider, then retry: no row that succeeded is paid again.',
  UNKNOWN_MODEL: 'Configure the provider on the server, then retry, or choose another model.',
};
