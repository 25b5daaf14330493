/** What a synchronous request comes to when nobody answers in time, or nobody waits any more. */
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answerItems } from '../../src/app/answer-items.ts';
import type { Plan } from '../../src/engine/run/plan.ts';
import { createPlanCaches } from '../../src/engine/run/plan-cache.ts';
import { createPromptRoom } from '../../src/engine/run/prompt-room.ts';
import { createGate } from '../../src/model/limits/gate.ts';
import { createTokenRatio } from '../../src/model/limits/token-ratio.ts';
import type { Model } from '../../src/model/model.ts';
import { findOperation } from '../../src/operations/index.ts';
import { createEvents } from '../../src/telemetry/events.ts';

const item = { content: 'a text', metadata: null };
const onFault = (error: unknown) => {
  throw error;
};
const admit = () => undefined;
const onSpent = () => undefined;

/** Answers nothing until it is told to stop; `stopped` counts who was. */
function silentModel(): Model & { stopped: number } {
  return {
    id: 'silent/model',
    provider: 'silent',
    name: 'model',
    dialect: 'openai',
    gate: createGate({ maxConcurrency: 1 }),
    batches: null,
    stream: () => Promise.reject(new Error('nobody asks for it')),
    bodyOf: () => ({}),
    stopped: 0,
    send(_request, { signal }) {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          this.stopped += 1;
          reject(signal.reason);
        });
      });
    },
  };
}

const origin = { lane: 'sync', owner: 'local', events: createEvents(pino()) } as const;

function planOf(model: Model): Plan {
  const operation = findOperation('summarize');
  if (!operation) throw new Error('no summarize');
  return {
    operation: operation.prepare({}),
    model,
    sampling: {},
    modelOf: null,
    room: createPromptRoom(),
    caches: createPlanCaches({}),
    tokenRatio: createTokenRatio(),
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a provider that does not answer', () => {
  it('is given up after a minute, with the call that is under way and those that wait for a place', async () => {
    const model = silentModel();
    const { signal } = new AbortController();

    const answers = answerItems(planOf(model), [item, item], {
      signal,
      onFault,
      onSpent,
      admit,
      origin,
    });
    const failure = expect(answers).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: expect.stringContaining('No answer within 60 s'),
    });
    await vi.advanceTimersByTimeAsync(60_000);

    await failure;
    expect(model.stopped).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a caller who goes', () => {
  it('ends the calls and is told its own reason, at once or before anything was sent', async () => {
    const model = silentModel();
    const gone = new AbortController();
    const answers = answerItems(planOf(model), [item, item], {
      signal: gone.signal,
      onFault,
      onSpent,
      admit,
      origin,
    });
    const failure = expect(answers).rejects.toThrow('gone');

    await vi.advanceTimersByTimeAsync(0);
    gone.abort(new Error('gone'));

    await failure;
    expect(model.stopped).toBe(1);
    await expect(
      answerItems(planOf(model), [item], { signal: gone.signal, onFault, onSpent, admit, origin }),
    ).rejects.toThrow('gone');
    expect(vi.getTimerCount()).toBe(0);
  });
});
