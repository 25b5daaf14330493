/** The variables of webhooks. */
import { z } from 'zod';
import { parseWebhookSecrets } from '../webhooks/sign.ts';
import { bool } from './kinds.ts';
import { variable } from './variable.ts';

/** The variables, each with its kind. */
export const webhookVariables = {
  WEBHOOK_SECRET: variable(
    'What signs webhooks. Several, with a space between, while one is replaced.',
    z
      .string()
      .superRefine((text, context) => {
        try {
          parseWebhookSecrets(text);
        } catch (error) {
          if (!(error instanceof Error)) throw error;
          context.addIssue({ code: 'custom', message: error.message });
        }
      })
      .optional(),
    { otherwise: 'made at the first start, kept in the database', values: '`whsec_…`' },
  ),
  WEBHOOK_ALLOW_PRIVATE: variable(
    '`true`: webhooks may go to http and to private addresses, for development.',
    bool(false),
  ),
};
