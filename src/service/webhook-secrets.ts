/** The secrets that sign webhooks: the server's, and those of owners that are made of it. */
import type { Config } from '../config.ts';
import { countApiKeys } from '../db/api-keys.ts';
import type { Database } from '../db/driver/client.ts';
import { readOrMakeSecret } from '../db/sealed-settings.ts';
import { createOwnerKeys } from '../webhooks/owner-keys.ts';
import { newWebhookSecret } from '../webhooks/sign.ts';

/** WEBHOOK_SECRET, else what the database keeps: `whsec_…`, or several by white space. */
export async function readWebhookSecrets(
  { webhookSecrets, secretsKeys: sealKeys }: Config,
  db: Database,
): Promise<string> {
  return (
    webhookSecrets ??
    (await readOrMakeSecret(db, { name: 'webhook_secret', make: newWebhookSecret, sealKeys }))
  );
}

/** The secret that an owner verifies its webhooks by. */
export async function readOwnerSecret(
  config: Config,
  db: Database,
  owner: string,
): Promise<string> {
  const isOpen = config.apiKeys.size === 0 && (await countApiKeys(db)) === 0;
  return createOwnerKeys(await readWebhookSecrets(config, db)).secretOf(owner, { isOpen });
}
