/** Bodies of requests, as bytes and as JSON. */
import { ApiError } from './api-error.ts';
import type { Exchange } from './exchange.ts';
import { errorReply, send } from './reply.ts';

/** Bodies of chats and other small requests; larger ones are 413. */
export const maxJsonBytes = 32 * 1024 * 1024;

/**
 * Collects the whole body, held once, for `then`, whose errors are answered. A client that breaks
 * off is dropped.
 */
export function receive(exchange: Exchange, limit: number, then: (body: Buffer) => void): void {
  const { request, response, requestId, dialect } = exchange;
  const declared = Number(request.headers['content-length'] ?? Number.NaN);
  // A body of known length is written in place; a body of unknown length is joined at the end.
  const whole = declared <= limit ? Buffer.allocUnsafeSlow(declared) : null;
  const chunks: Buffer[] = [];
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    const at = length;
    length += chunk.length;
    if (length > limit) {
      chunks.length = 0;
      if (response.headersSent) return;
      const error = new ApiError(`The request body is larger than ${limit} bytes.`, {
        status: 413,
      });
      const reply = errorReply(error, requestId, dialect);
      send(response, { ...reply, headers: { ...reply.headers, connection: 'close' } });
    } else if (whole) chunk.copy(whole, at);
    else chunks.push(chunk);
  });
  request.on('end', () => {
    if (length > limit) return;
    try {
      then(whole ?? (chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length)));
    } catch (error) {
      exchange.refuse(error);
    }
  });
}

export function readJson(text: string): { body: unknown; malformed: boolean } {
  try {
    return { body: JSON.parse(text), malformed: false };
  } catch {
    return { body: null, malformed: true };
  }
}

/** The text of the last message, of OpenAI's and of Anthropic's requests. */
export function lastText(body: unknown): string {
  const messages = (body as { messages?: unknown } | null)?.messages;
  const content = Array.isArray(messages)
    ? (messages.at(-1) as { content?: unknown } | null)?.content
    : undefined;
  if (!Array.isArray(content)) return typeof content === 'string' ? content : '';
  return content
    .map((part: unknown) => (part as { text?: unknown } | null)?.text)
    .filter((text) => typeof text === 'string')
    .join('\n');
}
