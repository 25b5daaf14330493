/** Batches through the sandbox's own batch APIs, seen through the public API. */
import { afterAll, beforeAll, beforeEach, onTestFinished } from 'vitest';
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
export async function startProviderJobApp(env: Record<string, string> = {}): Promise<App> {
  const sandbox = await startFaultySandbox();
  sandbox.requests.keep(5_000);
  const app = await startApp(providerJobEnv(sandbox, env), { sandbox });
  return {
    ...app,
    async stop() {
      await app.stop();
      await sandbox.close();
    },
  };
}

/**
 * One app for the tests of a file, each of which ends its batches. Calls `use` before each test:
 * the sandbox then fails nothing, and its counts are those of the test alone. A test that teaches
 * the app something, such as a limit, starts one of its own.
 */
export function shareProviderJobApp(use: (app: App) => void): void {
  let app: App;
  beforeAll(async () => {
    app = await startProviderJobApp();
  });
  beforeEach(() => {
    const { sandbox } = app;
    sandbox.demandKey(null);
    sandbox.limit(null);
    sandbox.faults.clear();
    sandbox.requests.clear();
    sandbox.batches.callFaults.clear();
    sandbox.batches.outcomes.clear();
    sandbox.batches.release();
    use({ ...app, sandbox: fromNowOn(sandbox) });
  });
  afterAll(() => app.stop());
}

/** An app for one test, which stops with it. */
export async function startOwnProviderJobApp(env: Record<string, string> = {}): Promise<App> {
  const app = await startProviderJobApp(env);
  onTestFinished(() => app.stop());
  return app;
}

/** The sandbox as if it had no batch yet. The journal starts again by its own `clear`. */
function fromNowOn(sandbox: Sandbox): Sandbox {
  const { batches } = sandbox;
  const { createdCount, uploadedCount, answeredRows } = batches;
  const calls = { ...batches.calls };
  const oldBatches = new Set(batches.created.map(({ id }) => id));
  const oldFiles = new Set(batches.files.map(({ id }) => id));
  const newBatches = derive(batches, {
    created: () => batches.created.filter(({ id }) => !oldBatches.has(id)),
    createdCount: () => batches.createdCount - createdCount,
    uploadedCount: () => batches.uploadedCount - uploadedCount,
    answeredRows: () => batches.answeredRows - answeredRows,
    files: () => batches.files.filter(({ id }) => !oldFiles.has(id)),
    calls: () => {
      const names = Object.keys(calls) as (keyof typeof calls)[];
      const made = names.map((name) => [name, batches.calls[name] - calls[name]]);
      return Object.fromEntries(made) as typeof calls;
    },
  });
  const view: Sandbox = derive(sandbox, {
    batches: () => newBatches,
    until: () => (condition) => sandbox.until(() => condition(view)),
  });
  return view;
}

/** An object with own properties, read afresh each time; the rest are those of the original. */
function derive<T extends object>(original: T, getters: { [Key in keyof T]?: () => T[Key] }): T {
  const properties = Object.entries<any>(getters).map(([name, get]) => [
    name,
    { get, enumerable: true },
  ]);
  return Object.create(original, Object.fromEntries(properties)) as T;
}

/** The sandbox as Anthropic too, and jobs looked at often. */
export function providerJobEnv(
  { anthropicUrl }: Sandbox,
  env: Record<string, string> = {},
): Record<string, string> {
  return { PROVIDER_BATCH_POLL_MS: '50', ANTHROPIC_BASE_URL: anthropicUrl, ...env };
}

/** Submits a label batch for the provider's batch API. Returns its id. */
export function submitForProvider(
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
