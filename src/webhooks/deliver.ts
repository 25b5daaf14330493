/**
 * Delivery: takes due webhooks from the outbox, sends them, and schedules what failed. Runs in any
 * number of processes.
 *
 * At least once: a webhook is leased, sent, and recorded, each a statement or a request of its own.
 * A process that dies in between leaves a lease that runs out, and the webhook is sent again with
 * the same id and the same bytes.
 */
import { setMaxListeners } from 'node:events';
import { internalError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { createLooper } from '../core/looper.ts';
import type { Database } from '../db/driver/client.ts';
import {
  type ClaimedWebhook,
  claimWebhooks,
  recordAttempt,
  releaseWebhooks,
} from '../db/webhook-claims.ts';
import type { Telling } from '../telemetry/events.ts';
import { webhookLine } from '../telemetry/log-events.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { attemptTimeoutMs, sendWebhook, type WebhookAnswer } from './client.ts';
import { createResolveName, type ResolveName } from './dial.ts';
import { nextAttemptInMs, webhookSchedule } from './schedule.ts';
import { signatureHeaders } from './sign.ts';

const pollMs = 1_000;
/** Retries due sooner than this have a timer of their own, as polls come once a second. */
const timerMs = 60_000;
/** A timer counts whole milliseconds, and may go off before the database's clock has come round. */
const earlyMs = 2;
/** Webhooks leased by one statement. */
const claimSize = 64;
/**
 * Attempts under way at once in a process. An endpoint that hangs costs a socket for 15 s and
 * nothing else, so there may be as many as a process has sockets to spare: the more, the more dead
 * endpoints it takes to keep a live one waiting.
 */
const maxFirsts = 1_024;
/** For those tried before: endpoints known to fail never stand in the way of new webhooks. */
const maxRetries = 128;
/** Attempts under way at once to one host, over all processes and owners. */
export const maxPerHost = 4;
/** Attempts at one host that begin in a minute, in the same way. */
export const maxPerHostMinute = 60;

export interface Webhooks {
  start(): void;
  /** Looks at once, once started: a batch has just ended, or a webhook was sent again. */
  nudge(): void;
  /**
   * Begins nothing more, lets what is under way finish for up to `graceMs`, and gives back the
   * rest, for another process to send. Called again with a shorter grace it hurries up.
   */
  stop(graceMs?: number): Promise<void>;
}

export interface WebhooksOptions {
  db: Database;
  /** Each of an owner's keys signs every attempt. */
  keysOf(owner: string): readonly Buffer[];
  allowPrivate: boolean;
  log: Log;
  events: Telling;
  tracing?: Pick<Tracing, 'ofBatch'> | null;
  /** Milliseconds before each attempt. */
  schedule?: readonly number[];
  resolveName?: ResolveName;
  timeoutMs?: number;
  /** Attempts at one host that begin in a minute. */
  perHostMinute?: number;
  /** Draws from [0, 1). */
  random?: () => number;
}

export function createWebhooks({
  db,
  keysOf,
  allowPrivate,
  log,
  events,
  tracing = null,
  schedule = webhookSchedule,
  resolveName = createResolveName({ allowPrivate }),
  timeoutMs = attemptTimeoutMs,
  perHostMinute = maxPerHostMinute,
  random = Math.random,
}: WebhooksOptions): Webhooks {
  const underWay = new Set<Promise<void>>();
  const timers = new Set<NodeJS.Timeout>();
  const hurry = new AbortController();
  setMaxListeners(0, hurry.signal); // every attempt listens
  let firsts = 0;
  let retries = 0;
  let poll: NodeJS.Timeout | null = null;
  let stopping = false;
  const claims = createLooper(claimAll, (error) =>
    log.warn({ err: error }, 'could not claim webhooks; trying again'),
  );

  async function claimAll(): Promise<void> {
    while (!stopping) {
      const claimed = await claimWebhooks(db.sql, {
        firsts: Math.min(claimSize, maxFirsts - firsts),
        retries: Math.min(claimSize, maxRetries - retries),
        perHost: maxPerHost,
        perHostMinute,
      });
      if (claimed.length === 0) return;
      if (stopping) return await releaseWebhooks(db, claimed);
      for (const webhook of claimed) begin(webhook);
    }
  }

  function begin(webhook: ClaimedWebhook): void {
    const first = webhook.attempts === 0;
    if (first) firsts++;
    else retries++;
    const attempt = deliver(webhook)
      .catch((error: unknown) =>
        // The lease runs out and the webhook is sent again.
        log.warn({ err: error, webhook: webhook.id }, 'could not record a webhook'),
      )
      .finally(() => {
        if (first) firsts--;
        else retries--;
        underWay.delete(attempt);
        void claims.run(); // there is room now
      });
    underWay.add(attempt);
  }

  async function deliver(webhook: ClaimedWebhook): Promise<void> {
    const { key, lease, id, url, batchId, traceparent } = webhook;
    const began = performance.now();
    const answer = await attempt(webhook);
    if (answer.outcome === 'aborted') return await releaseWebhooks(db, [webhook]);

    const { statusCode, error, cause, retryAfterMs } = answer;
    const made = webhook.attempts + 1;
    const retryInMs =
      answer.outcome === 'failed'
        ? nextAttemptInMs(made, { schedule, retryAfterMs, random })
        : null;
    const recorded = await recordAttempt(db.sql, {
      key,
      lease,
      tookMs: performance.now() - began,
      delivered: answer.outcome === 'delivered',
      statusCode,
      error,
      retryInMs,
    });
    // The path and query of a URL are often a secret.
    const fact = {
      webhook: id,
      batch: batchId,
      trace: tracing?.ofBatch({ id: batchId, traceparent }) ?? null,
      host: hostOf(url),
      attempt: made,
      statusCode,
      cause,
      seconds: (performance.now() - began) / 1_000,
    };
    if (!recorded)
      log.info(
        { ...webhookLine(fact), retryInMs },
        'a webhook was deleted, or leased by another process, meanwhile',
      );
    else if (answer.outcome === 'delivered') events.emit('webhook.delivered', fact);
    else events.emit('webhook.failed', { ...fact, retryInMs });
    if (retryInMs !== null) nudgeIn(retryInMs);
  }

  /** A fault of our own is an attempt that failed: unrecorded it would be made again for ever. */
  async function attempt({ id, owner, url, body }: ClaimedWebhook): Promise<WebhookAnswer> {
    try {
      const keys = keysOf(owner);
      return await sendWebhook(
        { url, body, headers: signatureHeaders({ id, timestamp: new Date(), body, keys }) },
        { allowPrivate, resolveName, timeoutMs, signal: hurry.signal },
      );
    } catch (error) {
      log.error({ err: error, webhook: id }, 'a webhook failed in an unforeseen way');
      return {
        outcome: 'failed',
        statusCode: null,
        error: internalError.message,
        cause: null,
        retryAfterMs: null,
      };
    }
  }

  function nudgeIn(delayMs: number): void {
    if (stopping || delayMs > timerMs) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      void claims.run();
    }, delayMs + earlyMs);
    timer.unref();
    timers.add(timer);
  }

  return {
    start() {
      poll = setInterval(claims.run, pollMs);
      poll.unref();
      void claims.run();
    },

    nudge() {
      if (poll !== null) void claims.run();
    },

    async stop(graceMs = attemptTimeoutMs) {
      stopping = true;
      if (poll) clearInterval(poll);
      for (const timer of timers) clearTimeout(timer);
      const grace = setTimeout(() => hurry.abort(), graceMs);
      await claims.stop();
      await Promise.all(underWay);
      clearTimeout(grace);
    },
  };
}

function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).host : null;
}
