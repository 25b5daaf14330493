/** The needs of a use case of its caller, whichever the face. */
import type { Limits } from '../core/limits.ts';
import type { Asking, Log } from '../core/log.ts';
import type { Database } from '../db/driver/client.ts';
import type { Nudges } from '../engine/process/nudges.ts';
import type { Plan } from '../engine/run/plan.ts';
import type { Providers } from '../model/providers.ts';
import type { CheckTime } from '../operations/check-time.ts';
import type { Telling } from '../telemetry/events.ts';
import type { CallLedger } from './call-ledger.ts';

/** The models that one owner may use. */
export interface ModelsOfOwner extends Pick<Caller, 'preparePlan'> {
  providers: Providers;
}

export interface Caller {
  /** The name that the key of the request stands for. */
  owner: string;
  /** The database, as this owner may use it. */
  db: Database;
  nudges: Nudges;
  /** Throws BadUserInput for an unknown model. `time` is shared by all checks of one request. */
  preparePlan(
    operation: string,
    params: Record<string, unknown>,
    modelId?: string,
    time?: CheckTime,
  ): Plan;
  /** Limits of an owner; null without limits. */
  limitsOf(owner: string): Limits | null;
  /** Prices of models. */
  providers: Pick<Providers, 'prices'>;
  /** The fault of a webhook's URL; null when it may be called. */
  checkWebhook(url: string): Promise<string | null>;
  /** The ledger of calls outside of batches. */
  callLedger: Pick<CallLedger, 'accountOf'>;
  log: Log;
  events: Telling;
  /** The request, for the log. */
  asking: Pick<Asking, 'requestId' | 'trace'>;
}
