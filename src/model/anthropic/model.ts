/** Anthropic's Messages API (https://platform.claude.com/docs/en/api/messages/create). */
import { batchRequest } from '../default-temperature.ts';
import { showsSchemas } from '../endpoint.ts';
import type { Gate, Log, Model, ModelRequest } from '../model.ts';
import { createSend } from '../send.ts';
import { readMessage } from './answer.ts';
import { createMessageBatches } from './batches.ts';
import { createCapabilities } from './capabilities.ts';
import type { AnthropicConnection } from './connection.ts';
import { anthropicFailures } from './failure.ts';
import { readAnthropicRateHeaders } from './rate-headers.ts';
import { buildParams } from './request-body.ts';

/** Without it the package takes no text; what goes out are the fetch's own. */
const headers = { 'content-type': 'application/json' };

/** The model `name` of a connected provider. It remembers refusals: keep one for each name. */
export function createAnthropicModel({
  connection,
  name,
  gate,
  timeoutMs,
  log,
}: {
  connection: AnthropicConnection;
  name: string;
  gate: Gate;
  timeoutMs: number;
  log: Log | null;
}): Model {
  const { config, client } = connection;
  const capabilities = createCapabilities(showsSchemas(config));
  const build = (request: ModelRequest) => buildParams(name, request, capabilities);
  return {
    id: `${config.name}/${name}`,
    provider: config.name,
    name,
    gate,
    batches: createMessageBatches({
      connection,
      name,
      timeoutMs,
      capabilities,
      paramsOf: (request) => build(batchRequest(name, request)).body,
    }),
    bodyOf: (request) => build(request).body,
    send: createSend(
      { config, name, timeoutMs, log },
      {
        build,
        // Not messages.create, which refuses limits on output tokens that it thinks would take too
        // long.
        post: (body, signal) =>
          client
            // The package looks at `aborted` and listens; the rest of an AbortSignal is not there.
            .post('/v1/messages', { body, headers, signal: signal as AbortSignal })
            .asResponse(),
        failures: anthropicFailures,
        learn: capabilities.learn,
        read: readMessage,
        readRates: (header, mix) => readAnthropicRateHeaders(header, { mix, nowMs: Date.now() }),
      },
    ),
  };
}
