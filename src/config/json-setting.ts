/** A variable whose value is JSON. */
import { z } from 'zod';

/** Its parsed value, an empty object when absent; `example` shows what is right. */
export function jsonSetting(example: string) {
  return z
    .string()
    .default('{}')
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: `must be JSON: ${example}` });
        return z.NEVER;
      }
    });
}
