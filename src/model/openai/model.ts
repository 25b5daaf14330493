/** OpenAI's chat completions, which most providers and local servers also speak. */
import { readAnswer } from '../answer.ts';
import { showsSchemas } from '../endpoint.ts';
import { readRateHeaders } from '../limits/rate-headers.ts';
import type { Model } from '../model.ts';
import { pricesOf } from '../prices.ts';
import { createProviderModel, type ModelOptions } from '../provider-model.ts';
import { createOpenAiBatches } from './batches.ts';
import { anyParams, createCapabilities } from './capabilities.ts';
import { ChunkReader } from './chunk-reader.ts';
import type { OpenAiConnection } from './connection.ts';
import { openAiFailures } from './failure.ts';
import { buildRequestBody, buildStreamBody } from './request-body.ts';

export function createModel(connection: OpenAiConnection, options: ModelOptions): Model {
  const { config, connecting, client, streaming, batches } = connection;
  const isOpenAi = config.name === 'openai';
  const capabilities = createCapabilities(isOpenAi ? 'max_completion_tokens' : 'max_tokens', {
    showsSchema: showsSchemas(config),
    isOpenAi,
    // Models that bill for writing write what stands before a breakpoint.
    hasBreakpoints: pricesOf(config, options.name).cacheWritePrice !== null,
  });
  return createProviderModel(
    { config, connecting, ...options },
    {
      dialect: 'openai',
      port: {
        build: (request) => buildRequestBody(options.name, request, capabilities),
        post: (body, ...call) => client.postJson('/chat/completions', body, ...call),
        failures: openAiFailures,
        learn: capabilities.learn,
        read: readAnswer,
        readRates: readRateHeaders,
        buildStream: (request) => buildStreamBody(options.name, request, capabilities),
        openStream: (body, ...call) => streaming.postJson('/chat/completions', body, ...call),
        readStream: (request, given) => new ChunkReader(request, given),
      },
      anyOwn: anyParams,
      batches: (given) => batches && createOpenAiBatches(batches, given),
    },
  );
}
