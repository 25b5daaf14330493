/** A row of a batch: answered like a live request. */
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from '../api-error.ts';
import type { Dialect, ErrorDetails } from '../dialect.ts';
import type { BatchFate, Equipment } from '../equipment.ts';
import { lastText } from '../incoming.ts';
import type { Answerer } from '../live.ts';

export type RowOutcome =
  | { kind: 'answered'; body: object }
  /** An HTTP answer with another status than 200. */
  | { kind: 'refused'; status: number; error: ErrorDetails }
  /** An HTTP answer that no provider gives. */
  | { kind: 'raw'; status: number; body: unknown }
  /** No HTTP answer at all. */
  | { kind: 'timeout' };

export interface RowOptions {
  answerer: Answerer;
  dialect: Dialect;
  equipment: Equipment | null;
}

export interface Row {
  body: unknown;
  /** Headers of the call that created the batch. */
  headers: IncomingHttpHeaders;
  batchId: string;
  index: number;
  fate: BatchFate | null;
}

/** Throws nothing but bugs. */
export function answerRow(
  { answerer, dialect, equipment }: RowOptions,
  { body, headers, batchId, index, fate }: Row,
): RowOutcome {
  const request = { body, text: lastText(body), number: index + 1, batchId };
  const { alter = null, instead = null } = equipment?.row(request, dialect) ?? {};
  const told = fate?.row?.(dialect) ?? instead;
  if (told) return told;
  try {
    const asked = answerer.read(body, headers);
    return { kind: 'answered', body: answerer.answer(asked, { alter, isBatch: true }) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { kind: 'refused', status: error.status, error: error.body.error };
  }
}
