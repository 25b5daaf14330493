/** The variables of retention: what is deleted by itself, and when. */
import { z } from 'zod';
import type { Retention } from '../db/retention.ts';
import { variable } from './variable.ts';

const day = 24 * 60 * 60;
const maxDays = 36_500;

const days = z.coerce
  .number({ error: 'must be a number of days' })
  .positive('must be above 0')
  .max(maxDays)
  .optional();

const daysInWords = `above 0, at most ${maxDays.toLocaleString('en-US')} days`;

const hours = z
  .string()
  .regex(/^([01]?\d|2[0-3])-([01]?\d|2[0-4])$/, 'must be two hours of the day, such as 1-5')
  .transform((text) => {
    const [from = 0, to = 0] = text.split('-').map(Number);
    return { from, to };
  })
  .refine(({ from, to }) => from !== to, 'must be two different hours, such as 1-5')
  .optional();

/** The variables, each with its kind. */
export const retentionVariables = {
  RETENTION_BATCH_DAYS: variable(
    'Days after its end until a batch is deleted with its results and deliveries.',
    days,
    { otherwise: 'it stays', values: daysInWords },
  ),
  RETENTION_CONTENT_DAYS: variable(
    "Days after a batch's end until its rows, answers, custom ids and error messages are deleted. Counts, usage, costs and what was submitted with it stay. Must be below RETENTION_BATCH_DAYS.",
    days,
    { otherwise: 'they stay', values: daysInWords },
  ),
  RETENTION_FILE_DAYS: variable(
    'Days after its upload until a file is deleted that no batch uses.',
    days,
    { otherwise: 'it stays', values: daysInWords },
  ),
  RETENTION_HOURS: variable(
    "Hours of the server's local time in which these are deleted: `1-5` is from 1:00 to 5:00, `22-4` goes over midnight.",
    hours,
    { otherwise: 'always', values: 'two hours' },
  ),
};

/** Faults of variables that were read, as they stand beside each other. */
export function retentionProblems({
  RETENTION_BATCH_DAYS: batch,
  RETENTION_CONTENT_DAYS: content,
}: z.output<z.ZodObject<typeof retentionVariables>>): string[] {
  if (batch === undefined || content === undefined || content < batch) return [];
  return ['RETENTION_CONTENT_DAYS must be below RETENTION_BATCH_DAYS, after which nothing is left'];
}

/** The settings in variables that were read. */
export function retentionSettings(
  data: z.output<z.ZodObject<typeof retentionVariables>>,
): Retention {
  const seconds = (days: number | undefined) => (days === undefined ? null : days * day);
  return {
    batchSeconds: seconds(data.RETENTION_BATCH_DAYS),
    contentSeconds: seconds(data.RETENTION_CONTENT_DAYS),
    fileSeconds: seconds(data.RETENTION_FILE_DAYS),
    hours: data.RETENTION_HOURS ?? null,
  };
}
