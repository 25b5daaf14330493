/** What comes in: the key, the body. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from './api-error.ts';
import { json, send } from './reply.ts';

/** Larger bodies are 413. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
export function authorize(request: IncomingMessage, apiKey: string): void {
  const given = request.headers.authorization;
  if (given === `Bearer ${apiKey}`) return;
  if (given === undefined) {
    throw new ApiError(
      "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
      { status: 401 },
    );
  }
  throw new ApiError('Incorrect API key provided.', { status: 401, code: 'invalid_api_key' });
}

/** The whole body as text; nothing is called when the client breaks off. */
export function receive(
  request: IncomingMessage,
  response: ServerResponse,
  then: (text: string) => void,
): void {
  const chunks: Buffer[] = [];
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length <= MAX_BODY_BYTES) chunks.push(chunk);
    else if (!response.headersSent) {
      chunks.length = 0;
      const error = new ApiError(`The request body is larger than ${MAX_BODY_BYTES} bytes.`, {
        status: 413,
      });
      send(response, json(error.status, error.body, { connection: 'close' }));
    }
  });
  request.on('end', () => {
    if (length <= MAX_BODY_BYTES)
      then((chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).toString('utf8'));
  });
}

export function readJson(text: string): { body: unknown; malformed: boolean } {
  try {
    return { body: JSON.parse(text), malformed: false };
  } catch {
    return { body: null, malformed: true };
  }
}

export function lastText(body: unknown): string {
  const messages = (body as { messages?: unknown } | null)?.messages;
  const content = Array.isArray(messages)
    ? (messages.at(-1) as { content?: unknown } | null)?.content
    : undefined;
  return typeof content === 'string' ? content : '';
}
