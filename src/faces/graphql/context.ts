import type { Caller, ModelsOfOwner } from '../../app/caller.ts';
import type { OwnerBudget } from '../../app/owner-budget.ts';
import type { ResultCounter } from '../../app/parse-results.ts';
import type { OwnProcess } from '../../app/provider-states.ts';
import type { Asking, Log } from '../../core/log.ts';
import type { Counter } from '../../counting/counter.ts';
import type { RequestAccess, RequestLine } from '../../db/driver/request-line.ts';
import type { OwnerLimits } from '../../db/owner-limits.ts';
import type { Retention } from '../../db/retention.ts';
import type { Progress } from '../../engine/live/progress.ts';
import type { Nudges } from '../../engine/process/nudges.ts';
import type { Summaries } from '../../engine/summaries/summaries.ts';
import type { CheckTime } from '../../operations/check-time.ts';
import type { Telling } from '../../telemetry/events.ts';
import type { Tracing } from '../../telemetry/tracing.ts';
import type { Webhooks } from '../../webhooks/deliver.ts';
import type { OwnerKeys } from '../../webhooks/owner-keys.ts';
import type { Bearer } from '../http/auth.ts';
import type { RequestRate } from '../http/request-rate.ts';
import type { SignedLinks } from '../http/signed-link.ts';
import type { Budget } from './budget.ts';
import type { Cursors } from './cursors.ts';

/** Services for resolvers: one object for the whole process. */
export interface Services extends Pick<Caller, 'checkWebhook' | 'callLedger' | 'limitsOf'> {
  modelsOf(owner: string): ModelsOfOwner;
  /** Model calls of an owner that are under way, where they are limited. */
  callsOf(owner: string): number;
  requestRate: RequestRate;
  /** The database, an owner at a time. */
  line: RequestLine;
  links: SignedLinks;
  /** Cursors of lists that are paged by key. */
  cursors: Cursors;
  nudges: Nudges;
  progress: Progress;
  /** Counts of the answers of batches. */
  summaries: Summaries;
  /** Counter of tokens. */
  counter: Counter;
  defaultModel: string;
  /** True where requests come with keys, which name their owners. */
  withKeys: boolean;
  /** This process's own state. */
  ownProcess: OwnProcess;
  /** Limits on the cost of calls outside of batches. */
  ownerBudget: OwnerBudget;
  /** Owners' limits of spending in a month. */
  limits: OwnerLimits;
  /** Times that things are kept. */
  retention: Retention;
  /** Calls of batches that run at once in a process. */
  concurrency: number;
  webhooks: Webhooks;
  webhookSecretOf: OwnerKeys['secretOf'];
  log: Log;
  events: Telling;
  /** Null where traces are off. */
  tracing: Pick<Tracing, 'ofRequest' | 'propagates'> | null;
}

/** One request's view: the services, who asks, and when it gave up. */
export interface Context
  extends Services,
    RequestAccess,
    Omit<Caller, 'providers'>,
    ModelsOfOwner,
    Bearer {
  owner: string;
  /** The same for the log. */
  asking: Asking;
  /** Where clients reach the server, without a slash at its end. */
  baseUrl: string;
  log: Log;
  resultCounter: ResultCounter;
  /** Time for the checks of all answers of this request. */
  time: CheckTime;
  /** Limits of this request, for all of its operations together. */
  budget: Budget;
  /** Aborted when the client has gone. */
  signal: AbortSignal;
}
