/** A row of a batch: answered like a live request, with the faults of one. */
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from '../api-error.ts';
import type { Dialect, ErrorDetails } from '../dialect.ts';
import { type Fault, type FaultRegistry, type FaultRequest, isContentFault } from '../faults.ts';
import { lastText, readJson } from '../incoming.ts';
import type { Answerer } from '../live.ts';
import { faultError } from '../reply.ts';

export type RowOutcome =
  | { kind: 'answered'; body: object }
  /** An HTTP answer that is no 200. */
  | { kind: 'refused'; status: number; error: ErrorDetails }
  /** An HTTP answer that no provider gives. */
  | { kind: 'raw'; status: number; body: unknown }
  /** No HTTP answer at all. */
  | { kind: 'timeout' };

export interface RowOptions {
  answerer: Answerer;
  dialect: Dialect;
  faults: FaultRegistry<Fault, FaultRequest>;
}

export interface Row {
  body: unknown;
  /** Headers of the call that created the batch. */
  headers: IncomingHttpHeaders;
  batchId: string;
  index: number;
  failWith: number | null;
}

/** Throws nothing but bugs. */
export function answerRow(
  { answerer, dialect, faults }: RowOptions,
  { body, headers, batchId, index, failWith }: Row,
): RowOutcome {
  const decided = faults.empty
    ? null
    : faults.decide({ body, text: lastText(body), number: index + 1, batchId }).fault;
  const fault: Exclude<Fault, { kind: 'latency' }> | null =
    failWith === null ? decided : { kind: 'status', status: failWith };
  if (fault && !isContentFault(fault)) {
    switch (fault.kind) {
      case 'rate_limited':
      case 'status':
        return { kind: 'refused', ...faultError(fault, dialect) };
      case 'stall':
      case 'drop':
        return { kind: 'timeout' };
      case 'raw': {
        const text = fault.body ?? '';
        const { body: parsed, malformed } = readJson(text);
        return { kind: 'raw', status: fault.status ?? 200, body: malformed ? text : parsed };
      }
      default: {
        const never: never = fault;
        throw new TypeError(String(never));
      }
    }
  }
  try {
    const request = answerer.read(body, headers);
    return { kind: 'answered', body: answerer.answer(request, { fault, batch: true }) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { kind: 'refused', status: error.status, error: error.body.error };
  }
}
