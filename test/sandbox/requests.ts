/** Requests and answers for the sandbox's tests. */
import OpenAI from 'openai';
import {
  type Sandbox,
  type SandboxOptions,
  startFaultySandbox,
} from '../../src/sandbox/faults/sandbox.ts';

/** Starts a sandbox that ends with the test. */
export async function openSandbox(
  onTestFinished: (end: () => Promise<void>) => void,
  options: SandboxOptions = {},
): Promise<Sandbox> {
  const sandbox = await startFaultySandbox({ journal: 100, ...options });
  onTestFinished(() => sandbox.close());
  return sandbox;
}

export function clientOf(sandbox: Sandbox, apiKey = 'any'): OpenAI {
  return new OpenAI({ baseURL: sandbox.url, apiKey, maxRetries: 0 });
}

export function labelSchema(categories: readonly string[]) {
  return {
    type: 'object',
    properties: { label: { type: 'string', enum: categories }, confidence: { type: 'number' } },
    required: ['label', 'confidence'],
    additionalProperties: false,
  };
}

export function labelRequest(
  content: string,
  categories: readonly string[] = ['positive', 'negative', 'neutral'],
) {
  return {
    model: 'rules',
    messages: [
      { role: 'system' as const, content: 'Label the text.' },
      { role: 'user' as const, content },
    ],
    response_format: {
      type: 'json_schema' as const,
      json_schema: { name: 'label', strict: true, schema: labelSchema(categories) },
    },
  };
}

export function post(sandbox: Sandbox, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(`${sandbox.url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  });
}

export interface ErrorAnswer {
  error: { message: string; type: string; param: string | null; code: string | null };
}
