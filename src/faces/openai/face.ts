/** OpenAI's API as a face of the server: its packages work with this server as their base URL. */
import { createDialectFace, type DialectServices } from '../http/dialect-face.ts';
import type { Face } from '../http/face.ts';
import { batchRoutes } from './batches.ts';
import { chatWire } from './chat.ts';
import { wordOpenAiError } from './errors.ts';
import { fileRoutes } from './files.ts';
import { modelsWire } from './models.ts';

export function createOpenAiFace(services: DialectServices): Face {
  const words = {
    dialect: 'openai',
    manner: {
      requestIdPrefix: 'req_',
      word: wordOpenAiError,
      wordLate: (body: object) => `data: ${JSON.stringify(body)}\n\n`,
    },
    models: modelsWire,
    live: chatWire,
  } as const;
  return createDialectFace(words, services, [...fileRoutes(services), ...batchRoutes(services)]);
}
