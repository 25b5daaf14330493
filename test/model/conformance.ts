/**
 * What every provider owes the rest of Winnow, whichever API it speaks. What only one of them has
 * is tested beside this file, in its own folder.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Job } from '../../src/model/batch-api.ts';
import type { Model } from '../../src/model/model.ts';
import type { ModelErrorKind } from '../../src/model/model-error.ts';
import type { Fault } from '../../src/sandbox/faults/faults.ts';
import { batchesOf, calm, linesIn, refused } from './batch-support.ts';
import { ask, failureOf, text } from './support.ts';

/** A provider that fails on demand, and the model of Winnow's that asks it. */
export interface Subject {
  model: Model;
  /** Of this kind the next call is; those after it are answered well. */
  next(fault: LiveFault): void;
  /** Resolves when a call is under way. */
  asked(): Promise<void>;
  /** Resolves when none is, and no connection is held for one. */
  idle(): Promise<void>;
  /** A job of three rows, `row-1` to `row-3`, of which two were answered where it ended early. */
  job(state: JobState): Promise<Job>;
  close(): Promise<void>;
}

/** The faults of the sandbox that each provider has, in its own words. */
export type LiveFault = Extract<
  Fault,
  { kind: 'refusal' | 'truncated' | 'status' | 'rate_limited' | 'stall' | 'drop' }
>;

export type JobState = 'working' | 'unheard-of' | 'completed' | 'expired' | 'cancelled';

/** `open` starts a provider of its own for each test; calls have `timeoutMs`. */
export function conforms(
  name: string,
  open: (options: { timeoutMs: number }) => Promise<Subject>,
): void {
  async function opened({ timeoutMs = 5_000 } = {}): Promise<Subject> {
    const subject = await open({ timeoutMs });
    onTestFinished(() => subject.close());
    return subject;
  }

  async function failing(fault: LiveFault, options?: { timeoutMs: number }) {
    const subject = await opened(options);
    subject.next(fault);
    const failure = await failureOf(ask(subject.model));
    return { subject, failure };
  }

  describe(name, () => {
    test('answers with a text, the whole of what was sent, and its tokens', async () => {
      const { model } = await opened();

      const answer = await ask(model);

      expect(answer.text).not.toBe('');
      expect(answer.completion).toHaveProperty('id');
      expect(answer.tokens.inputTokens).toBeGreaterThan(0);
      expect(answer.tokens.outputTokens).toBeGreaterThan(0);
    });

    test.each([
      ['refusal', 'REFUSED'],
      ['truncated', 'TRUNCATED'],
    ] as const)('an answer that is %s ends the item, and is paid for', async (kind, code) => {
      const { failure } = await failing({ kind });

      expect(failure.failure).toEqual({ kind: 'item', code });
      expect(failure.tokens?.inputTokens).toBeGreaterThan(0);
    });

    test.each<[number, ModelErrorKind]>([
      [400, { kind: 'item', code: 'INVALID_REQUEST' }],
      [401, { kind: 'batch', code: 'INVALID_KEY' }],
      [402, { kind: 'batch', code: 'QUOTA_EXHAUSTED' }],
      [403, { kind: 'batch', code: 'INVALID_KEY' }],
      [404, { kind: 'batch', code: 'UNKNOWN_MODEL' }],
      [413, { kind: 'item', code: 'CONTEXT_TOO_LONG' }],
      [500, later('PROVIDER_ERROR')],
      [503, later('PROVIDER_ERROR')],
      [504, later('TIMEOUT')],
      [529, later('PROVIDER_ERROR')],
    ])('the status %i is told for what it is', async (status, expected) => {
      const { failure } = await failing({ kind: 'status', status });

      expect(failure.failure).toEqual(expected);
      expect(failure.message).toContain(String(status));
    });

    test.each<[string, Omit<Extract<LiveFault, { kind: 'rate_limited' }>, 'kind'>, number | null]>([
      ['no header', { retryAfter: null }, null],
      ['seconds', { retryAfter: '7' }, 7_000],
      ['an hour', { retryAfter: 3_600 }, 3_600_000],
      ['a part of a second', { retryAfter: '0.5' }, 500],
      ['a date that has passed', { retryAfter: new Date(0) }, null],
      ['nonsense', { retryAfter: 'soon' }, null],
      ['milliseconds, before seconds', { retryAfter: '7', retryAfterMs: 300 }, 300],
    ])('a 429 with %s is no try of the item', async (_, headers, retryAfterMs) => {
      const { failure } = await failing({ kind: 'rate_limited', ...headers });

      const expected = { kind: 'later', code: 'RATE_LIMITED', counts: false, retryAfterMs };
      expect(failure.failure).toEqual(expected);
    });

    test.each(['headers', 'body'] as const)(
      'a reset at the %s may pass, and the next call is answered',
      async (at) => {
        const { subject, failure } = await failing({ kind: 'drop', at });

        expect(failure.failure).toEqual(later('PROVIDER_ERROR'));
        expect((await ask(subject.model)).text).not.toBe('');
      },
    );

    test.each(['headers', 'body'] as const)(
      'a stall at the %s ends at the deadline, and so does its connection',
      async (at) => {
        const { subject, failure } = await failing({ kind: 'stall', at }, { timeoutMs: 100 });

        expect(failure.failure).toEqual(later('TIMEOUT'));
        await subject.idle();
      },
    );

    test.each(['headers', 'body'] as const)(
      'a caller who leaves while the %s are awaited gets the reason, and the connection ends',
      async (at) => {
        const subject = await opened();
        subject.next({ kind: 'stall', at });
        const caller = new AbortController();
        const reason = new Error('the batch was cancelled');
        const rejected = expect(ask(subject.model, text, caller.signal)).rejects.toBe(reason);
        await subject.asked();

        caller.abort(reason);

        await rejected;
        await subject.idle();
      },
    );

    test.each(['working', 'unheard-of'] as const)(
      'a job of the status %s is at work and has no results',
      async (state) => {
        const job = await (await opened()).job(state);

        expect(job).toMatchObject({ phase: 'working', results: null, problems: [] });
      },
    );

    test.each([
      ['completed', ['answer', 'answer', 'answer']],
      ['expired', ['answer', 'answer', 'expired']],
      ['cancelled', ['answer', 'answer', 'cancelled']],
    ] as const)(
      'a job that is %s has what was done, counted and readable',
      async (state, kinds) => {
        const subject = await opened();

        const job = await subject.job(state);
        const again = await batchesOf(subject.model).retrieve(job.providerId, calm());
        const lines = await linesIn(batchesOf(subject.model), job);

        expect(job).toMatchObject({ phase: state, problems: [] });
        expect(job.counts).toEqual({
          succeeded: state === 'completed' ? 3 : 2,
          failed: 0,
          expired: state === 'expired' ? 1 : 0,
          cancelled: state === 'cancelled' ? 1 : 0,
        });
        expect(again).toEqual(job);
        expect(lines.map(({ kind }) => kind).sort()).toEqual(kinds);
        expect(new Set(lines.map((line) => 'customId' in line && line.customId))).toEqual(
          new Set(['row-1', 'row-2', 'row-3']),
        );
      },
    );

    test('a job that nobody has is an error of what was asked', async () => {
      const { model } = await opened();

      const error = await refused(batchesOf(model).retrieve('unheard-of', calm()));

      expect(error.failure).toEqual({ kind: 'item', code: 'INVALID_REQUEST' });
    });
  });
}

function later(code: 'PROVIDER_ERROR' | 'TIMEOUT'): ModelErrorKind {
  return { kind: 'later', code, retryAfterMs: null, counts: true };
}
