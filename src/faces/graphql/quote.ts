/** The query quote. */
import { z } from 'zod';
import { batchFields } from '../../app/inputs.ts';
import { maxQuotedModels, type Quote as QuoteModel, quoteChecked } from '../../app/quote.ts';
import { builder } from './builder.ts';
import { OperationInput } from './operation.ts';
import { ModelQuote } from './quotes.ts';
import { SourceInput, theOne, toSource } from './submit-batch.ts';

const Quote = builder.objectRef<QuoteModel>('Quote').implement({
  description: 'Expected tokens and cost of an operation over some items.',
  fields: (t) => ({
    items: t.exposeInt('items', { description: 'All items.' }),
    sampledItems: t.exposeInt('sampledItems', {
      description: 'Items whose prompts were counted: all of them, or a sample of up to 2,000.',
    }),
    unaskableItems: t.exposeInt('unaskableItems', {
      description:
        'Items of the sample that cannot be asked, because they are blank or lack a field that the template names.',
    }),
    identicalItems: t.exposeInt('identicalItems', {
      nullable: true,
      description:
        'Items that are identical to an earlier one, so that they would not be asked again. Null above 100,000 items, where identical rows are not looked for, and where every row is asked.',
    }),
    models: t.expose('models', {
      type: [ModelQuote],
      description: 'One quote for each model, in the order in which the models were named.',
      complexity: { field: 1, multiplier: maxQuotedModels },
    }),
  }),
});

const models = z
  .array(z.string())
  .min(1, 'must have at least 1 model; leave models out for the model of the operation')
  .max(maxQuotedModels, `must have at most ${maxQuotedModels} models`)
  .nullish();

const QuoteInput = builder.inputType('QuoteInput', {
  description: 'Operation, items and models of a batch that is not submitted.',
  fields: (t) => ({
    operation: t.field({
      type: OperationInput,
      required: true,
      description: 'Operation that would run on each item, with its options.',
    }),
    source: t.field({
      type: SourceInput,
      required: true,
      description: 'The items. NOT_FOUND for an unknown file.',
    }),
    contentField: t.string({
      description:
        'The column or JSON field of the file that holds the text, as in SubmitBatchInput.',
      validate: { schema: batchFields.contentField as never },
    }),
    deduplicate: t.boolean({
      description: 'False: each of identical items is counted. Absent: as in SubmitBatchInput.',
    }),
    models: t.stringList({
      description:
        'The models to compare, 1 to 10, as provider/name. The model of the operation, or the default model, when absent.',
      validate: { schema: models as never },
    }),
  }),
});

builder.queryField('quote', (t) =>
  t.field({
    type: Quote,
    description:
      'Expected tokens and cost of an operation over these items, before anything is sent. Prompts of up to 2,000 rows are counted as each model counts them. Every figure comes with a range. RATE_LIMITED where too many quotes are asked for at once.',
    args: {
      input: t.arg({
        type: QuoteInput,
        required: true,
        description: 'Operation, items and models.',
      }),
    },
    complexity: 100,
    resolve: async (_root, { input }, context) => {
      const [operation, options] = theOne(
        input.operation as Record<string, unknown>,
        'input.operation',
      );
      const source = await toSource(input.source, context);
      if (source.file) context.budget.takeFileRows(source.itemCount);
      else context.budget.takeInlineItems(source.itemCount);
      const { providers } = context;
      return await quoteChecked(
        { ...context, pricesOf: providers.prices },
        {
          operation,
          options: options as Record<string, unknown>,
          optionsPath: `input.operation.${operation}`,
          source,
          sourcePath: 'input.source',
          contentField: input.contentField ?? null,
          deduplicate: input.deduplicate ?? null,
          models: input.models ?? null,
          fieldsPath: 'input.',
        },
      );
    },
  }),
);
