/** Calls to the file and batch APIs: counted, and failing where a test wants it. */
import type { Exchange } from '../exchange.ts';
import { fail, json, type Reply, send } from '../reply.ts';
import type { Batches } from './batches.ts';
import type { Provider } from './file-store.ts';
import type { BatchOperation } from './outcomes.ts';

/** Runs one call. `work` does what is asked for and returns the answer, or throws an ApiError. */
export type Call = (
  exchange: Exchange,
  call: { operation: BatchOperation; id?: string; body?: unknown; bytes?: number },
  work: () => Reply,
) => void;

export function createCalls(
  provider: Provider,
  { batches, changed }: { batches: Batches; changed: () => void },
): Call {
  return (exchange, { operation, id = null, body = null, bytes = 0 }, work) => {
    const { response } = exchange;
    const number = ++batches.calls[operation];
    const { fault, latencyMs } = batches.callFaults.decide({
      provider,
      operation,
      id,
      body,
      bytes,
      number,
    });

    function answer(): void {
      if (response.destroyed) return;
      try {
        if (fault?.kind === 'lost_answer') {
          work();
          response.socket?.resetAndDestroy();
        } else if (fault) fail(exchange, fault, work);
        else send(response, work());
      } catch (error) {
        exchange.refuse(error);
      }
      changed();
    }

    if (latencyMs === 0) {
      answer();
      return;
    }
    const timer = setTimeout(answer, latencyMs);
    response.once('close', () => clearTimeout(timer));
  };
}

/** A 200 with JSON. */
export function ok({ dialect, requestId }: Exchange, value: object): Reply {
  return json(200, value, { [dialect.requestIdHeader]: requestId, ...dialect.headers });
}

/** A 200 with a file. */
export function file(
  { dialect, requestId }: Exchange,
  contentType: string,
  content: readonly Buffer[],
): Reply {
  const headers = { [dialect.requestIdHeader]: requestId, ...dialect.headers };
  return { status: 200, headers: { 'content-type': contentType, ...headers }, body: content };
}
