/** What a frontend needs to build its forms. */

import { maxInlineItems, maxSyncItems } from '../../app/inputs.ts';
import { version } from '../../core/version.ts';
import { readLimits } from '../../files/read/limits.ts';
import type { ModelInfo } from '../../model/model.ts';
import { builder } from './builder.ts';
import { maxPageSize } from './page.ts';

const Model = builder.objectRef<ModelInfo>('Model').implement({
  description: 'A model that can be named in options. A provider may have more than it lists.',
  fields: (t) => ({
    id: t.exposeString('id', { description: 'provider/name, as options take it.' }),
    provider: t.exposeString('provider', { description: 'The part before the slash.' }),
    inputPrice: t.exposeFloat('inputPrice', {
      nullable: true,
      description: 'USD per million input tokens; null when unknown.',
    }),
    outputPrice: t.exposeFloat('outputPrice', {
      nullable: true,
      description: 'USD per million output tokens; null when unknown.',
    }),
    providerBatch: t.exposeBoolean('providerBatch', {
      nullable: true,
      description:
        'Whether its provider has a batch API: submitBatch with execution PROVIDER_BATCH gets answers within 24 h, at about half these prices. Null where that is not known: it is tried where a batch asks for it.',
    }),
  }),
});

const Limits = builder.objectRef<object>('Limits').implement({
  description: 'What one request may hold.',
  fields: (t) => ({
    syncItems: t.int({
      description: 'Items of a synchronous mutation.',
      resolve: () => maxSyncItems,
    }),
    inlineItems: t.int({
      description: 'Items that submitBatch takes inline.',
      resolve: () => maxInlineItems,
    }),
    fileBytes: t.int({
      description: 'Bytes of an uploaded file.',
      resolve: () => readLimits.fileBytes,
    }),
    fileRows: t.int({ description: 'Rows of an uploaded file.', resolve: () => readLimits.rows }),
    pageSize: t.int({ description: 'Entries of one page of a list.', resolve: () => maxPageSize }),
  }),
});

const Service = builder.objectRef<object>('Service').implement({
  description: 'What this server is and can do.',
  fields: (t) => ({
    version: t.string({ description: 'Of Winnow, as in its package.', resolve: () => version }),
    defaultModel: t.string({
      description: 'The model that answers where options name none.',
      resolve: (_service, _args, { defaultModel }) => defaultModel,
    }),
    models: t.field({
      type: [Model],
      description:
        'Models of every configured provider: those of its configuration, else those that it lists itself (asked when first needed, for at most 2 s, and kept for ten minutes), else the one that is asked by default. At most 1,000 of one provider.',
      resolve: async (_service, _args, { providers }) => {
        await providers.learn();
        return providers.list();
      },
    }),
    limits: t.field({
      type: Limits,
      description: 'What one request may hold.',
      resolve: () => ({}),
    }),
  }),
});

builder.queryField('service', (t) =>
  t.field({
    type: Service,
    description: 'What this server is and can do: models, prices, limits.',
    resolve: () => ({}),
  }),
);
