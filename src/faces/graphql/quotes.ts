/** Quotes of an operation: figures with their ranges, and the quote of one model. */
import type { AskedQuote } from '../../app/quote.ts';
import type { Estimate as EstimateModel } from '../../engine/quote/estimate.ts';
import { builder } from './builder.ts';

const EstimateBasisEnum = builder.enumType('EstimateBasis', {
  description:
    'Basis of an estimate of answers. The surest first: FIXED, PREVIEW, HISTORY, GUESSED.',
  values: {
    FIXED: { description: 'The answer can only be one of those that the options name.' },
    GUESSED: {
      description: 'General experience with such operations. No answer of this one is known yet.',
    },
    HISTORY: {
      description:
        'Answers of an earlier batch of the same owner with the same operation and options.',
    },
    PREVIEW: { description: 'Answers that the preview of this batch gave.' },
  },
});

export const Estimate = builder.objectRef<EstimateModel>('Estimate').implement({
  description: 'A figure that is not known yet, with the range in which it lies in 19 cases of 20.',
  fields: (t) => ({
    expected: t.exposeFloat('expected', { description: 'The most likely value.' }),
    low: t.exposeFloat('low', { description: 'The lower end of the range.' }),
    high: t.exposeFloat('high', { description: 'The upper end of the range.' }),
  }),
});

export const ModelQuote = builder.objectRef<AskedQuote>('ModelQuote').implement({
  description: 'Expected tokens and cost of an operation with one model.',
  fields: (t) => ({
    model: t.exposeString('model', { description: 'The model, as provider/name.' }),
    inputTokens: t.expose('inputTokens', {
      type: Estimate,
      description: 'Prompt tokens of all items that would be asked.',
    }),
    outputTokens: t.expose('outputTokens', {
      type: Estimate,
      description: 'Tokens of all answers.',
    }),
    outputBasis: t.expose('outputBasis', {
      type: EstimateBasisEnum,
      description: 'Basis of the estimate of the answers.',
    }),
    liveUsd: t.expose('liveUsd', {
      type: Estimate,
      nullable: true,
      description:
        "The cost of live calls that find nothing in the provider's prompt cache. Null without a known price.",
    }),
    liveCachedUsd: t.expose('liveCachedUsd', {
      type: Estimate,
      nullable: true,
      description:
        "The cost of live calls that read the common beginning of all prompts from the provider's prompt cache. Null where that beginning is too short, where the provider has no such cache, and without a known price.",
    }),
    providerBatchUsd: t.expose('providerBatchUsd', {
      type: Estimate,
      nullable: true,
      description:
        "The cost through the provider's batch API. Null where the provider has none, and without a known price.",
    }),
    prefixTokens: t.exposeInt('prefixTokens', {
      description: 'Tokens at the beginning of every prompt that are the same for all items.',
    }),
    tokenizerExact: t.exposeBoolean('tokenizerExact', {
      description:
        'true: prompts were counted with the tokenizer of this model. false: with one that resembles it.',
    }),
    tooLongItems: t.exposeInt('tooLongItems', {
      nullable: true,
      description:
        "About how many items do not fit into the model's context, so that they would fail with CONTEXT_TOO_LONG. Null where the size of the context is unknown.",
    }),
    firstRequest: t.field({
      type: 'JSONObject',
      nullable: true,
      description:
        "The body of the first item's request, as it would be sent. Null where that item cannot be asked at all.",
      complexity: { field: 100, multiplier: 1 },
      resolve: async (quote, _args, { budget }) => {
        const request = await quote.firstRequest();
        budget.send(Buffer.byteLength(JSON.stringify(request)), null);
        return request;
      },
    }),
    caveats: t.exposeStringList('caveats', {
      description: 'Reasons for which this quote is uncertain, one sentence each, for people.',
    }),
  }),
});
