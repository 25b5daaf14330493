/**
 * A message batch as Anthropic tells of it
 * (https://platform.claude.com/docs/en/api/messages/batches/retrieve), trusting none of it.
 */

import { isRecord } from '../../core/json.ts';
import type { Job } from '../batch-api.ts';
import { count, readId, readTime, unusable } from '../read.ts';

export interface JobSource {
  /** Named in messages. */
  provider: string;
  /** Without a slash at its end. */
  baseUrl: string;
  /** Path of batches, behind the base URL. */
  path: string;
}

/** Throws a ModelError where it is none. */
export function readJob(batch: unknown, { provider, baseUrl, path }: JobSource): Job {
  const id = isRecord(batch) ? readId(batch.id) : null;
  if (!isRecord(batch) || id === null) {
    throw unusable(`${provider} returned an invalid message batch object.`);
  }
  const { processing_status: given, results_url: url } = batch;
  const status = typeof given === 'string' ? given : 'unknown';
  const counts = readCounts(batch.request_counts);
  return {
    providerId: id,
    status,
    phase: phaseOf(status, counts),
    counts,
    expiresAt: readTime(batch.expires_at),
    results:
      status === 'ended' && typeof url === 'string'
        ? ownUrl(url, `${baseUrl}${path}/${encodeURIComponent(id)}/results`)
        : null,
    problems: [],
  };
}

/** Number of requests of the batch, by its counts. */
export function sizeOf(batch: Readonly<Record<string, unknown>>): number {
  const counts = isRecord(batch.request_counts) ? batch.request_counts : {};
  return Object.values(counts).reduce<number>((sum, value) => sum + count(value), 0);
}

/** Neither a cancelled nor an expired batch has a status of its own: its counts tell. */
function phaseOf(status: string, { cancelled, expired }: Job['counts']): Job['phase'] {
  if (status !== 'ended') return 'working';
  if (expired > 0) return 'expired';
  return cancelled > 0 ? 'cancelled' : 'completed';
}

function readCounts(counts: unknown): Job['counts'] {
  const { succeeded, errored, canceled, expired } = isRecord(counts) ? counts : {};
  return {
    succeeded: count(succeeded),
    failed: count(errored),
    cancelled: count(canceled),
    expired: count(expired),
  };
}

/**
 * Where the results are: as said where that is the configured server, else at the place that is
 * documented, there. A gateway passes on what Anthropic said, which names Anthropic itself; the key
 * goes to the configured server alone.
 */
function ownUrl(url: string, documented: string): string {
  return URL.canParse(url) && new URL(url).origin === new URL(documented).origin ? url : documented;
}
