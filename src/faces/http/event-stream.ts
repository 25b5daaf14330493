/** Answers that come in pieces, as server-sent events. */
import type { ServerResponse } from 'node:http';
import { ClientGone } from './route-error.ts';

/** Proxies and clients take a connection for dead that says nothing for half a minute or more. */
const aliveEveryMs = 15_000;

/** A stream holds a place of its model, which nobody keeps who takes nothing of it. */
export const readerPatienceMs = 60_000;

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
};

/**
 * Writes the events, each as it comes and at the reader's pace, with `alive` where none comes for
 * 15 s. The headers go out with the first of them: what is thrown before may still be answered in
 * its own shape. Throws ClientGone when the reader goes, or takes nothing for `patienceMs`.
 */
export async function sendEvents(
  response: ServerResponse,
  events: AsyncIterable<string>,
  { alive, patienceMs = readerPatienceMs }: { alive: string; patienceMs?: number },
): Promise<void> {
  const begin = () => {
    if (response.headersSent) return;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.writeHead(200);
  };
  const timer = setInterval(() => {
    begin();
    if (!response.writableNeedDrain) response.write(alive);
  }, aliveEveryMs);
  try {
    for await (const event of events) {
      begin();
      timer.refresh();
      if (!response.write(event)) await drained(response, patienceMs);
    }
    begin();
  } finally {
    clearInterval(timer);
  }
}

async function drained(response: ServerResponse, patienceMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => response.destroy(), patienceMs);
    const finish = () => {
      clearTimeout(timer);
      response.off('drain', finish);
      response.off('close', finish);
      if (response.destroyed) reject(new ClientGone('the client has gone'));
      else resolve();
    };
    response.on('drain', finish);
    response.on('close', finish);
  });
}
