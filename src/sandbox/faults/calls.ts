/** Calls to the file and batch APIs: counted, and failing where a test wants it. */

import { anthropicDialect } from '../wire/anthropic/dialect.ts';
import type { Provider } from '../wire/batch/file-store.ts';
import { type BatchOperation, batchOperations, type Call } from '../wire/equipment.ts';
import { send } from '../wire/reply.ts';
import { fail } from './failures.ts';
import { createFaults, type FaultList, type LatencyFault, type TransportFault } from './faults.ts';

type CallFault =
  | TransportFault
  | LatencyFault
  /** The call is carried out, and the connection is reset instead of an answer. */
  | { kind: 'lost_answer' };

interface BatchCall {
  provider: Provider;
  operation: BatchOperation;
  /** Id of the file or the batch; null for uploads, creates and lists. */
  id: string | null;
  /** The parsed JSON body; null without one. */
  body: unknown;
  /** Length of the body, JSON or not; 0 without a body. */
  bytes: number;
  /** The place of the call among those of its operation, from 1. */
  number: number;
}

export interface Calls {
  /** Calls received since the start, refused ones and those of faults included. */
  readonly counts: Readonly<Record<BatchOperation, number>>;
  readonly faults: FaultList<CallFault, BatchCall>;
  readonly run: Call;
}

export function createCalls(changed: () => void): Calls {
  const counts = Object.fromEntries(batchOperations.map((name) => [name, 0])) as Record<
    BatchOperation,
    number
  >;
  const faults = createFaults<CallFault, BatchCall>();
  const run: Call = (exchange, { operation, id = null, body = null, bytes = 0 }, work) => {
    const { response, dialect } = exchange;
    const number = ++counts[operation];
    const provider = dialect === anthropicDialect ? 'anthropic' : 'openai';
    const call = { provider, operation, id, body, bytes, number } as const;
    const { fault, latencyMs } = faults.decide(call);

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
  return { counts, faults, run };
}
