/** The variables of the log. */
import type { z } from 'zod';
import { bool, oneOf } from './kinds.ts';

/** The variables, each with its kind. */
export const logVariables = {
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  LOG_FORMAT: oneOf(['json', 'pretty']).optional(),
  ACCESS_LOG: bool(false, 'on', 'off'),
};

/** What these variables say. */
export interface LogSettings {
  logLevel: string;
  /** Null: readable on a terminal, JSON elsewhere. */
  logFormat: 'json' | 'pretty' | null;
  /** Whether each request has a line. */
  accessLog: boolean;
}

/** The settings in variables that were read. */
export function logSettings(data: z.output<z.ZodObject<typeof logVariables>>): LogSettings {
  return {
    logLevel: data.LOG_LEVEL,
    logFormat: data.LOG_FORMAT ?? null,
    accessLog: data.ACCESS_LOG,
  };
}
