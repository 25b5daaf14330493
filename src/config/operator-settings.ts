/** The variables of what the operator's machines ask: probes, and how a process ends. */
import type { z } from 'zod';
import { integer, optionalInteger } from './kinds.ts';

/** The variables, each with its kind. */
export const operatorVariables = {
  METRICS_PORT: optionalInteger(0, 65_535),
  SHUTDOWN_DELAY_MS: integer(0, 0, 600_000),
};

/** What these variables say. */
export interface OperatorSettings {
  /** Of probes and metrics alone, in every role; null: only the main port has them. */
  metricsPort: number | null;
  /** Between the signal to stop and the first request that is refused. */
  shutdownDelayMs: number;
}

/** The settings in variables that were read. */
export function operatorSettings(
  data: z.output<z.ZodObject<typeof operatorVariables>>,
): OperatorSettings {
  return {
    metricsPort: data.METRICS_PORT ?? null,
    shutdownDelayMs: data.SHUTDOWN_DELAY_MS,
  };
}
