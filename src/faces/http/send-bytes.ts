/** Answers of any size, at the pace of their reader. */
import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { ClientGone } from './route-error.ts';

/** Sends byte strings, and ends the answer. Throws ClientGone when the reader goes. */
export async function sendBytes(
  response: ServerResponse,
  pieces: AsyncIterable<string>,
): Promise<void> {
  for await (const piece of pieces) {
    if (piece === '') continue;
    await write(response, piece);
    // A quick reader's write is done at once, and everybody else would wait for the whole part.
    await setImmediate();
  }
  response.end();
}

/**
 * Resolves once the system has all of a byte string, so that there is never more than one on its
 * way. Rejects when the reader goes.
 */
async function write(response: ServerResponse, bytes: string): Promise<void> {
  if (response.destroyed) throw new ClientGone();
  await new Promise<void>((resolve, reject) => {
    const close = () => reject(new ClientGone());
    response.once('close', close);
    response.write(bytes, 'latin1', (error) => {
      response.off('close', close);
      if (error) reject(new ClientGone(undefined, { cause: error }));
      else resolve();
    });
  });
}
