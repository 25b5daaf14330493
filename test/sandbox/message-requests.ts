/** Requests to Anthropic's API, as documented: its own client is no dependency of ours. */
import type { Sandbox } from '../../src/sandbox/faults/sandbox.ts';
import { labelSchema } from './requests.ts';

export interface Message {
  id: string;
  content: { type: string; text?: string; name?: string; input?: unknown }[];
  stop_reason: string;
  stop_details: object | null;
  usage: { input_tokens: number; output_tokens: number; cache_read_input_tokens: number };
}

export interface MessageBatch {
  id: string;
  processing_status: string;
  request_counts: Record<string, number>;
  results_url: string | null;
}

export interface MessageResult {
  custom_id: string;
  result: { type: string; message?: Message; error?: object };
}

export const headers = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' };

export function call(
  sandbox: Sandbox,
  path: string,
  { method = 'GET', body, ...init }: { method?: string; body?: unknown; headers?: object } = {},
): Promise<Response> {
  return fetch(`${sandbox.anthropicUrl}${path}`, {
    method,
    headers: { ...headers, ...init.headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

export function post(sandbox: Sandbox, path: string, body?: unknown): Promise<Response> {
  return call(sandbox, path, { method: 'POST', body });
}

export async function answer<T>(response: Response | Promise<Response>): Promise<T> {
  return (await (await response).json()) as T;
}

/** Without the format, which two parameters can carry. */
export function plainLabel(text: string) {
  return {
    model: 'rules',
    max_tokens: 100,
    system: 'Label the text.',
    messages: [{ role: 'user', content: text }],
  };
}

export const labelFormat = {
  type: 'json_schema',
  schema: labelSchema(['positive', 'negative', 'neutral']),
};

export function labelMessage(text: string) {
  return { ...plainLabel(text), output_config: { format: labelFormat } };
}

/** `count` good requests, "row-1" and on. */
export function batchRequests(count: number) {
  return Array.from({ length: count }, (_, i) => ({
    custom_id: `row-${i + 1}`,
    params: labelMessage(`text ${i + 1}, great`),
  }));
}

export function createBatch(sandbox: Sandbox, requests: readonly object[]): Promise<MessageBatch> {
  return answer(post(sandbox, '/v1/messages/batches', { requests }));
}

export function retrieve(sandbox: Sandbox, id: string): Promise<MessageBatch> {
  return answer(call(sandbox, `/v1/messages/batches/${id}`));
}

export async function ended(sandbox: Sandbox, id: string): Promise<MessageBatch> {
  const ends = ['completed', 'expired', 'cancelled'];
  await sandbox.until(({ batches }) =>
    batches.created.some((batch) => batch.id === id && ends.includes(batch.stage)),
  );
  return retrieve(sandbox, id);
}

export async function results({ results_url }: MessageBatch): Promise<MessageResult[]> {
  const text = await (await fetch(results_url ?? '', { headers })).text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as MessageResult);
}
