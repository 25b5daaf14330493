/**
 * The lines of the log that tell of events. Those of a batch's life need the database: they are in
 * engine/process/log-batches.ts.
 */
import { causeFields } from '../core/log.ts';
import type { EventLog, Events, Facts } from './events.ts';
import { createLineLimit } from './line-limit.ts';

/** Lines of a minute that tell of errors that were answered: clients may make any number. */
const errorLines = 300;
/** Codes that come in crowds, and that other lines tell of. */
const toldElsewhere = new Set(['DATABASE_UNAVAILABLE', 'TOO_MANY_REQUESTS', 'SHUTTING_DOWN']);

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
      { ...modelFields(model), reason: message },
      'every call fails; one in some seconds goes on, to see when the provider is back',
    ),
  );
  events.on('gate.recovered', ({ model, afterMs }) =>
    log.info({ ...modelFields(model), afterMs: Math.round(afterMs) }, 'the provider answers again'),
  );
  events.on('gate.distrusted', ({ model }) =>
    log.warn(
      modelFields(model),
      'the rate limits in the headers are not what the provider does; ignored for ten minutes',
    ),
  );
  events.on('caching.ended', ({ model, answers }) =>
    log.warn(
      { ...modelFields(model), answers },
      'the prompt cache is written and never read; the prompts of this operation go without a mark',
    ),
  );
  const mayTell = createLineLimit(errorLines);
  events.on('error.answered', ({ asking, codes }) => {
    // Who came without a right key is told of in sums.
    const isKnown = asking.owner !== undefined;
    const isNew = isKnown && !codes.some((code) => toldElsewhere.has(code)) && mayTell();
    log[isNew ? 'info' : 'debug']({ ...asking, codes }, 'an error was answered');
  });
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

/** A model as lines name it, and its provider. */
export function modelFields(model: string): { provider: string; model: string } {
  return { provider: model.slice(0, model.indexOf('/')), model };
}

/** An attempt in the words of the log. */
export function webhookLine(fact: Facts['webhook.delivered']): object {
  const { batch: batchId, seconds, trace, ...others } = fact;
  const traced = trace === null ? {} : { trace };
  return { ...others, batchId, ms: Math.round(seconds * 1_000), ...traced };
}
