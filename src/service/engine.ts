/** The parts that work on batches, and those that look after them whether or not anybody works. */
import type { Config } from '../config.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../db/driver/client.ts';
import { createLease } from '../engine/process/lease.ts';
import type { Nudges } from '../engine/process/nudges.ts';
import { createShares } from '../engine/process/shares.ts';
import { createProviderJobs } from '../engine/provider-jobs/provider-jobs.ts';
import { createSummaries, type Summaries } from '../engine/summaries/summaries.ts';
import { choosePreviews } from '../engine/upkeep/choose-preview.ts';
import { createAnswerCount } from '../engine/upkeep/count-answers.ts';
import { indexIds } from '../engine/upkeep/index-ids.ts';
import { createFileJanitor } from '../engine/upkeep/janitor.ts';
import { matchRows } from '../engine/upkeep/match-rows.ts';
import { createPreparation } from '../engine/upkeep/prepare.ts';
import { quoteBatches } from '../engine/upkeep/quote-batches.ts';
import { createReaper } from '../engine/upkeep/reaper.ts';
import { createRetention } from '../engine/upkeep/retention.ts';
import { createWorker } from '../engine/worker/worker.ts';
import type { ReadinessChecks } from '../faces/operator/readiness.ts';
import type { Events } from '../telemetry/events.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import type { Ending } from './ending.ts';
import type { Models } from './models.ts';
import type { Ownership } from './ownership.ts';

export interface EngineParts {
  config: Config;
  db: Database;
  nudges: Nudges;
  models: Models;
  readiness: ReadinessChecks;
  ownership: Ownership;
  log: Log;
  events: Events;
  /** Null where traces are off. */
  tracing: Tracing | null;
}

export interface Engine {
  /** The id of this process among those that share the providers; null before it has one. */
  processId(): string | null;
  summaries: Summaries;
  /** Calls under way, and answers that are not stored yet; 0 in a process that does not work. */
  slotsUsed(): number;
}

export async function startEngine(parts: EngineParts, ending: Ending): Promise<Engine> {
  const { config, db, nudges, models, ownership, log, events } = parts;
  const works = config.role !== 'api';
  let work = idle;
  if (works) {
    await ownership.whenOwn(async () => {
      work = await startWork(parts, ending);
    });
  }
  const shares = createShares({
    db,
    works,
    leaseMs: config.workerLeaseMs,
    share: models.providers.share,
    stateOf: models.activityText,
    log,
  });
  await shares.start();
  ending.add(() => shares.stop());
  const reaper = createReaper({ db, limits: config.budgets, nudges, log, events });
  await reaper.start();
  ending.add(() => reaper.stop());
  const summaries = await startUpkeep(parts, ending);
  return {
    processId: () => shares.id ?? work.leaseId(),
    summaries,
    slotsUsed: () => work.slotsUsed(),
  };
}

interface Work {
  leaseId(): string | null;
  slotsUsed(): number;
}

const idle: Work = { leaseId: () => null, slotsUsed: () => 0 };

/** The lease, and the two parts that call models under it. */
async function startWork(
  { config, db, nudges, models, readiness, log, events, tracing }: EngineParts,
  ending: Ending,
): Promise<Work> {
  const { budgets: limits, workerConcurrency: concurrency } = config;
  const lease = createLease({
    db,
    leaseMs: config.workerLeaseMs,
    concurrency,
    stateOf: models.activityText,
    log,
    events,
  });
  await lease.start();
  ending.add(() => lease.stop());
  readiness.add('worker', () => lease.id() !== null);
  const shared = {
    db,
    limits,
    nudges,
    preparePlan: models.prepareStored,
    lease,
    log,
    events,
    tracing,
  };
  const worker = createWorker({ ...shared, concurrency });
  const providerJobs = createProviderJobs({ ...shared, pollMs: config.providerBatchPollMs });
  for (const part of [worker, providerJobs]) {
    await part.start();
    ending.addWorking(part);
  }
  return { leaseId: lease.id, slotsUsed: worker.slotsUsed };
}

/** The steps that prepare batches, count them, and remove things. */
async function startUpkeep(
  { config, db, nudges, models, log, events }: EngineParts,
  ending: Ending,
): Promise<Summaries> {
  const { counter, prepareStored: preparePlan, providers } = models;
  const { budgets: limits } = config;
  const preparation = createPreparation({
    steps: [
      indexIds({ db, nudges }),
      matchRows({ db, nudges, log }),
      quoteBatches({ db, counter, preparePlan, pricesOf: providers.prices, limits, log }),
      choosePreviews({ db, nudges }),
    ],
    nudges,
    log,
  });
  preparation.start();
  ending.add(() => preparation.stop());
  const summaries = createSummaries({ db, log });
  const answerCount = createAnswerCount({ db, summaries, events, log });
  answerCount.start();
  ending.add(() => answerCount.stop());
  const { retention: rules } = config;
  const retention = createRetention({ db, rules, summaries, nudges, log, events });
  retention.start();
  ending.add(() => retention.stop());
  const janitor = createFileJanitor({ db, log });
  await janitor.start();
  ending.add(() => janitor.stop());
  return summaries;
}
