/** Facts about the server, from which a frontend builds its forms. */

import { maxInlineItems, maxSyncItems } from '../../app/inputs.ts';
import { version } from '../../core/version.ts';
import { readLimits } from '../../files/read/limits.ts';
import type { ModelInfo } from '../../model/model.ts';
import { builder } from './builder.ts';
import { maxPageSize } from './page.ts';

const Model = builder.objectRef<ModelInfo>('Model').implement({
  description: 'A model that options can name. A provider may have more models than it lists.',
  fields: (t) => ({
    id: t.exposeString('id', {
      description: 'Model as provider/name, the form that options accept.',
    }),
    provider: t.exposeString('provider', {
      description: 'Provider of the model: the part of the id before the slash.',
    }),
    inputPrice: t.exposeFloat('inputPrice', {
      nullable: true,
      description: 'USD per million input tokens. Null when unknown.',
    }),
    outputPrice: t.exposeFloat('outputPrice', {
      nullable: true,
      description: 'USD per million output tokens. Null when unknown.',
    }),
    providerBatch: t.exposeBoolean('providerBatch', {
      nullable: true,
      description:
        'True when the provider has a batch API: PROVIDER_BATCH then answers within 24 h, at about half these prices. Null when unknown: PROVIDER_BATCH is tried then.',
    }),
  }),
});

const Limits = builder.objectRef<object>('Limits').implement({
  description: 'Limits of one request.',
  fields: (t) => ({
    syncItems: t.int({
      description: 'Maximum number of items of a synchronous mutation.',
      resolve: () => maxSyncItems,
    }),
    inlineItems: t.int({
      description: 'Maximum number of inline items of submitBatch.',
      resolve: () => maxInlineItems,
    }),
    fileBytes: t.int({
      description: 'Maximum size of an uploaded file in bytes.',
      resolve: () => readLimits.fileBytes,
    }),
    fileRows: t.int({
      description: 'Maximum number of rows of an uploaded file.',
      resolve: () => readLimits.rows,
    }),
    pageSize: t.int({
      description: 'Maximum number of entries of one page of a list.',
      resolve: () => maxPageSize,
    }),
  }),
});

const Service = builder.objectRef<object>('Service').implement({
  description: 'Version, models and limits of this server.',
  fields: (t) => ({
    version: t.string({
      description: 'Version of Winnow, as in its package.',
      resolve: () => version,
    }),
    defaultModel: t.string({
      description: 'Model that answers when options name none.',
      resolve: (_service, _args, { defaultModel }) => defaultModel,
    }),
    models: t.field({
      type: [Model],
      description:
        "Models of every configured provider, at most 1,000 of each. The models come from the configuration, else from the provider's own list, else the default model alone. The list is requested when first needed, for at most 2 s, and kept for 10 minutes.",
      resolve: async (_service, _args, { providers }) => {
        await providers.learn();
        return providers.list();
      },
    }),
    limits: t.field({
      type: Limits,
      description: 'Limits of one request.',
      resolve: () => ({}),
    }),
  }),
});

builder.queryField('service', (t) =>
  t.field({
    type: Service,
    description: 'Version, models, prices and limits of this server.',
    resolve: () => ({}),
  }),
);
