/**
 * The lines of the log that tell of events. Those of a batch's life need the database: they are in
 * engine/process/log-batches.ts.
 */
import { causeFields } from '../core/log.ts';
import type { EventLog, Events, Facts } from './events.ts';

/** Writes a line for each event that an operator should know of. */
export function logEvents(events: Pick<Events, 'on'>, log: Omit<EventLog, 'error'>): void {
  events.on('batch.stopped', ({ batch, code }) =>
    log.warn({ batchId: batch, code }, 'a batch was stopped'),
  );
  events.on('batch.deleted', ({ batch, owner, cause }) =>
    log.info({ batchId: batch, owner, ...causeFields(cause) }, 'batch deleted'),
  );
  events.on('key.created', ({ cause, ...fact }) =>
    log.info({ ...fact, ...causeFields(cause) }, 'key created'),
  );
  events.on('key.revoked', ({ cause, ...fact }) =>
    log.info({ ...fact, ...causeFields(cause) }, 'key revoked'),
  );
  events.on('lease.lost', ({ worker, reason }) =>
    log.warn({ worker }, `this worker lost its lease (${reason}); it drops what it holds`),
  );
  events.on('gate.outage', ({ model, message }) =>
    log.warn(
      { model, reason: message },
      'every call fails; one in some seconds goes on, to see when the provider is back',
    ),
  );
  events.on('gate.recovered', ({ model, afterMs }) =>
    log.info({ model, afterMs: Math.round(afterMs) }, 'the provider answers again'),
  );
  events.on('gate.distrusted', ({ model }) =>
    log.warn(
      { model },
      'the rate limits in the headers are not what the provider does; ignored for ten minutes',
    ),
  );
  events.on('caching.ended', (fact) =>
    log.warn(
      fact,
      'the prompt cache is written and never read; the prompts of this operation go without a mark',
    ),
  );
  events.on('database.away', (fact) => log.warn(fact, 'the database is away; it is tried again'));
  events.on('database.stays_away', (fact) => log.warn(fact, 'the database is still away'));
  events.on('database.back', ({ failed, afterMs }) =>
    log.info({ failed, afterMs: Math.round(afterMs) }, 'the database answers again'),
  );
  events.on('webhook.delivered', (fact) =>
    log.debug({ ...webhookLine(fact), retryInMs: null }, 'webhook delivered'),
  );
  events.on('webhook.failed', ({ retryInMs, ...fact }) => {
    const line = { ...webhookLine(fact), retryInMs };
    if (retryInMs === null) log.warn(line, 'webhook abandoned');
    else log.info(line, 'webhook failed; it will be tried again');
  });
}

/** An attempt in the words of the log. */
export function webhookLine(fact: Facts['webhook.delivered']): object {
  const { batch: batchId, seconds, trace, ...others } = fact;
  const traced = trace === null ? {} : { trace };
  return { ...others, batchId, ms: Math.round(seconds * 1_000), ...traced };
}
