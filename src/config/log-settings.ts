/** The variables of the log. */
import type { z } from 'zod';
import { bool, oneOf } from './kinds.ts';
import { variable } from './variable.ts';

/** The variables, each with its kind. */
export const logVariables = {
  LOG_LEVEL: variable(
    'The least that a line must be to be written.',
    oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  ),
  LOG_FORMAT: variable(
    'JSON, an object a line, or a text that is easier to read.',
    oneOf(['json', 'pretty']).optional(),
    { otherwise: 'pretty on a terminal, else json' },
  ),
  ACCESS_LOG: variable('`on`: one line of the log for each request.', bool(false, 'on', 'off')),
};

/** The values of these variables. */
export interface LogSettings {
  logLevel: string;
  /** Null: readable on a terminal, JSON elsewhere. */
  logFormat: 'json' | 'pretty' | null;
  /** True where each request has a line. */
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
