/** Batches through the sandbox's own batch APIs, seen through the public API. */
import { type Sandbox, startFaultySandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { type App, startApp } from '../../support/app.ts';
import { type Api, ask, type BatchView, submit } from '../worker/support.ts';

/** What a job of the provider shows of itself on a batch. */
export interface ProviderBatchView {
  id: string;
  providerId: string | null;
  provider: string;
  status: string;
  counts: BatchView['counts'];
  createdAt: string;
  endedAt: string | null;
}

/**
 * The providers whose batch APIs the sandbox speaks: how each is configured, and the model that
 * asks it.
 */
export const providers = [
  { provider: 'test', model: 'test/rules' },
  { provider: 'anthropic', model: 'anthropic/rules' },
] as const;

/** An app whose sandbox is asked after every 50 ms. */
export async function startLaneApp(env: Record<string, string> = {}): Promise<App> {
  const sandbox = await startFaultySandbox();
  sandbox.requests.keep(5_000);
  const app = await startApp(laneEnv(sandbox, env), { sandbox });
  return {
    ...app,
    async stop() {
      await app.stop();
      await sandbox.close();
    },
  };
}

/** The sandbox as Anthropic too, and jobs looked at often. */
export function laneEnv(
  { anthropicUrl }: Sandbox,
  env: Record<string, string> = {},
): Record<string, string> {
  return { PROVIDER_BATCH_POLL_MS: '50', ANTHROPIC_BASE_URL: anthropicUrl, ...env };
}

/** Submits a label batch for the provider's batch API. Returns its id. */
export function submitToLane(
  api: Api,
  source: readonly string[],
  { model = 'test/rules', ...input }: Record<string, unknown> = {},
): Promise<string> {
  return submit(api, source, {
    operation: { label: { categories: ['praise', 'complaint'], model } },
    execution: 'PROVIDER_BATCH',
    ...input,
  });
}

export async function readProviderBatches(api: Api, id: string): Promise<ProviderBatchView[]> {
  const { batch } = await ask<{ batch: { providerBatches: ProviderBatchView[] } }>(
    api,
    `query($id: ID!) { batch(id: $id) { providerBatches { id providerId provider status createdAt endedAt
       counts { total pending processing succeeded failed cancelled expired } } } }`,
    { id },
  );
  return batch.providerBatches;
}
