/** OpenAI's chat completions, which most providers and local servers also speak. */
import { readAnswer } from '../answer.ts';
import { batchRequest } from '../default-temperature.ts';
import { showsSchemas } from '../endpoint.ts';
import { readRateHeaders } from '../limits/rate-headers.ts';
import type { Gate, Log, Model, ModelRequest } from '../model.ts';
import { createSend } from '../send.ts';
import { createOpenAiBatches } from './batches.ts';
import { anyParams, createCapabilities } from './capabilities.ts';
import type { OpenAiConnection } from './connection.ts';
import { openAiFailures } from './failure.ts';
import { buildRequestBody } from './request-body.ts';

/**
 * The model `name` of a connected provider. It remembers what the model refuses: keep one a name.
 */
export function createModel({
  connection: { config, client, batches },
  name,
  gate,
  timeoutMs,
  log,
}: {
  connection: OpenAiConnection;
  name: string;
  gate: Gate;
  timeoutMs: number;
  log: Log | null;
}): Model {
  const provider = config.name;
  const capabilities = createCapabilities(
    provider === 'openai' ? 'max_completion_tokens' : 'max_tokens',
    showsSchemas(config),
  );
  const build = (request: ModelRequest) => buildRequestBody(name, request, capabilities);
  return {
    id: `${provider}/${name}`,
    provider,
    name,
    gate,
    batches:
      batches &&
      createOpenAiBatches({
        connection: batches,
        name,
        bodyOf: (request) => build(batchRequest(name, request)).body,
        learn: (refusal) => capabilities.learn(refusal, anyParams) !== null,
      }),
    bodyOf: (request) => build(request).body,
    send: createSend(
      { config, name, timeoutMs, log },
      {
        build,
        post: (body, signal) => client.postJson('/chat/completions', body, signal),
        failures: openAiFailures,
        learn: capabilities.learn,
        read: readAnswer,
        readRates: readRateHeaders,
      },
    ),
  };
}
