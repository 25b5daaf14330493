import type { ServerResponse } from 'node:http';

/** Aborted when the client goes before its answer is complete. */
export function whenGone(response: ServerResponse | undefined): AbortSignal {
  const gone = new AbortController();
  const end = () => {
    if (!response?.writableEnded) gone.abort(new Error('the client has gone'));
  };
  if (response?.closed) end();
  else response?.once('close', end);
  return gone.signal;
}
