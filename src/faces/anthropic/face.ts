/**
 * Anthropic's API as a face of the server: its packages work with this server as their base URL.
 */
import { createDialectFace, type DialectServices } from '../http/dialect-face.ts';
import type { Face } from '../http/face.ts';
import { batchRoutes } from './batches.ts';
import { wordAnthropicError } from './errors.ts';
import { messagesWire } from './messages.ts';
import { modelsWire } from './models.ts';

/** `publicUrl`: where clients reach this server; null: by the address that they asked. */
export function createAnthropicFace(
  services: DialectServices,
  { publicUrl }: { publicUrl: string | null },
): Face {
  const words = {
    dialect: 'anthropic',
    manner: {
      requestIdHeader: 'request-id',
      requestIdPrefix: 'req_',
      word: wordAnthropicError,
      wordLate: (body: object) => `event: error\ndata: ${JSON.stringify(body)}\n\n`,
    },
    models: modelsWire,
    live: messagesWire,
  } as const;
  return createDialectFace(words, services, batchRoutes(services, publicUrl));
}
