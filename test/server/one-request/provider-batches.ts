/** Inputs of provider batches: they are made line by line, however long a line is. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Sandbox, startFaultySandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { submitMutation } from '../../faces/graphql/support.ts';
import { until } from '../../support/until.ts';
import { busyRetries, startVictim, type Victim } from './harness.ts';

describe('inputs of provider batches', { retry: busyRetries }, () => {
  let sandbox: Sandbox;
  let victim: Victim;
  beforeAll(async () => {
    sandbox = await startFaultySandbox({ contextTokens: 10_000_000 });
    victim = await startVictim({
      withKeys: true,
      env: { PROVIDER_BATCH_POLL_MS: '50' },
      providers: { batches: sandbox.url },
    });
  });
  afterAll(async () => {
    await victim.stop();
    await sandbox.close();
  });

  test('12 prompts of nearly 8 million characters', async () => {
    let counts: unknown = null;
    const input = {
      operation: { run: { userPromptTemplate: '{content}'.repeat(990), model: 'batches/rules' } },
      source: { texts: Array.from({ length: 12 }, () => 'x'.repeat(8_000)) },
      execution: 'PROVIDER_BATCH',
    };

    const report = await victim.attack(async ({ post }) => {
      const submitted = await post({ query: submitMutation, variables: { input } });
      const { id } = JSON.parse(submitted.text).data.submitBatch.batch;
      const query = `{ batch(id: "${id}") { status counts { succeeded failed } } }`;
      await until(
        async () => {
          const { batch } = JSON.parse((await post({ query })).text).data;
          counts = batch.counts;
          return batch.status === 'COMPLETED';
        },
        { deadlineMs: 15_000, what: 'the end of the batch' },
      );
    });

    expect(report.breaches).toEqual([]);
    expect(counts).toEqual({ succeeded: 12, failed: 0 });
  });
});
