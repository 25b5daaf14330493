/** Anthropic's Messages API (https://platform.claude.com/docs/en/api/messages/create). */
import { showsSchemas } from '../endpoint.ts';
import type { Model } from '../model.ts';
import { createProviderModel, type ModelOptions } from '../provider-model.ts';
import { readMessage } from './answer.ts';
import { createMessageBatches } from './batches.ts';
import { anySent, createCapabilities } from './capabilities.ts';
import type { AnthropicConnection } from './connection.ts';
import { EventReader } from './event-reader.ts';
import { anthropicFailures } from './failure.ts';
import { readAnthropicRateHeaders } from './rate-headers.ts';
import { buildParams, buildStreamParams } from './request-body.ts';

/** Without it the package takes no text; what goes out are the fetch's own. */
const plain = { 'content-type': 'application/json' };

function headersWith(traceparent: string | undefined): Record<string, string> {
  return traceparent === undefined ? plain : { ...plain, traceparent };
}

export function createAnthropicModel(
  connection: AnthropicConnection,
  options: ModelOptions,
): Model {
  const { config, connecting, client, streaming } = connection;
  const capabilities = createCapabilities(showsSchemas(config));
  return createProviderModel(
    { config, connecting, ...options },
    {
      dialect: 'anthropic',
      port: {
        build: (request) => buildParams(options.name, request, capabilities),
        // Not messages.create, which refuses limits on output tokens that it thinks would take too
        // long.
        post: (body, signal, traceparent) =>
          client
            // The package looks at `aborted` and listens; the rest of an AbortSignal is not there.
            .post('/v1/messages', {
              body,
              headers: headersWith(traceparent),
              signal: signal as AbortSignal,
            })
            .asResponse(),
        failures: anthropicFailures,
        learn: capabilities.learn,
        read: readMessage,
        readRates: (header, mix) => readAnthropicRateHeaders(header, { mix, nowMs: Date.now() }),
        buildStream: (request) => buildStreamParams(options.name, request, capabilities),
        openStream: (body, signal, traceparent) =>
          streaming
            .post('/v1/messages', { body, headers: headersWith(traceparent), signal })
            .asResponse(),
        readStream: (request, given) => new EventReader(request, given),
      },
      anyOwn: anySent,
      batches: (given) =>
        createMessageBatches(connection, { ...given, timeoutMs: options.timeoutMs }),
    },
  );
}
