/** Builders for the tests of this folder. They assert nothing. */
import type { Model } from '../../../src/model/model.ts';
import type { ProviderConfig } from '../../../src/model/provider-config.ts';
import type { StubReply } from '../../support/stub-provider.ts';
import { modelOf } from '../support.ts';

/** An Anthropic model behind `baseUrl`: `anthropic/claude-haiku-4-5` when not told otherwise. */
export function claudeOf(
  baseUrl: string,
  {
    name = 'claude-haiku-4-5',
    ...overrides
  }: Partial<Omit<ProviderConfig, 'name'>> & { name?: string; timeoutMs?: number } = {},
): Model {
  return modelOf(baseUrl, {
    ...overrides,
    name: 'anthropic',
    protocol: 'anthropic',
    id: `anthropic/${name}`,
  }).model;
}

/** A whole message; content is a text or blocks. */
export function message(
  content: unknown,
  {
    stop_reason = 'end_turn',
    usage = { input_tokens: 10, output_tokens: 5 },
    ...more
  }: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-haiku-4-5',
    content: typeof content === 'string' ? [{ type: 'text', text: content }] : content,
    stop_reason,
    stop_sequence: null,
    usage,
    ...more,
  };
}

/** An error in Anthropic's shape. */
export function refusal(
  status: number,
  type: string,
  text = 'no',
  { headers = {}, ...more }: { headers?: Record<string, string>; details?: object } = {},
): StubReply {
  const error = { type, message: text, ...more };
  return { status, headers, body: { type: 'error', error, request_id: 'req_1' } };
}
