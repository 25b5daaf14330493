/** Facts about the server, from which a frontend builds its forms. */

import { maxInlineItems, maxSyncItems } from '../../app/inputs.ts';
import { priceList, version } from '../../core/version.ts';
import { readLimits } from '../../files/read/limits.ts';
import type { ModelInfo } from '../../model/model-info.ts';
import type { PriceSource } from '../../model/prices.ts';
import { builder } from './builder.ts';
import { maxPageSize } from './page.ts';

const PriceSourceEnum = builder.enumType('PriceSource', {
  description: 'Origin of the prices of a model.',
  values: {
    CONFIGURED: { description: 'The variable PRICES of this server names the model.' },
    LIST: { description: 'The built-in price list has an entry for exactly this model.' },
    LIST_SIMILAR: {
      description:
        'The built-in price list has no entry for this model; the price is that of another model of the same family, found by the beginning of the name.',
    },
  } satisfies Record<PriceSource, { description: string }>,
});

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
      description:
        'USD per million input tokens. Null when unknown; from PRICES where that names the model.',
    }),
    cachedInputPrice: t.exposeFloat('cachedInputPrice', {
      nullable: true,
      description:
        'USD per million prompt tokens that the provider reads from its prompt cache. Null when unknown.',
    }),
    cacheWritePrice: t.exposeFloat('cacheWritePrice', {
      nullable: true,
      description:
        'USD per million prompt tokens that the provider writes to its prompt cache for the shortest time it offers. Null when unknown, or where writing has no price of its own.',
    }),
    outputPrice: t.exposeFloat('outputPrice', {
      nullable: true,
      description:
        'USD per million output tokens. Null when unknown; from PRICES where that names the model.',
    }),
    priceSource: t.field({
      type: PriceSourceEnum,
      nullable: true,
      description: 'Origin of the prices of this model. Null where it has none.',
      resolve: ({ source }) => source,
    }),
    contextTokens: t.exposeInt('contextTokens', {
      nullable: true,
      description:
        'The most tokens that a prompt and its answer may have together. Null when unknown.',
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

export const Service = builder.objectRef<object>('Service').implement({
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
    priceListDate: t.field({
      type: 'DateTime',
      description:
        'The day on which the built-in price list was published. Prices that a provider changed later are not in it.',
      resolve: () => priceList.publishedAt,
    }),
    owner: t.string({
      nullable: true,
      description: 'Owner of the key of the request. Null on a server without keys.',
      resolve: (_service, _args, { withKeys, owner }) => (withKeys ? owner : null),
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
