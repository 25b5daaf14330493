import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { follow, pause, withDeadline } from '../../src/core/deadline.ts';

const late = () => new Error('late');
const longMs = 60_000;

/** Work that only its signal ends, and not by the signal's reason. */
const until = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('cut off')), { once: true });
  });

describe('work with a deadline', () => {
  test('is what the work is, and leaves no listener', async () => {
    const { signal } = new AbortController();

    await expect(withDeadline({ signal, afterMs: longMs, late }, async () => 5)).resolves.toBe(5);

    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('rejects at the deadline with the given error', async () => {
    const { signal } = new AbortController();

    await expect(withDeadline({ signal, afterMs: 1, late }, until)).rejects.toThrow('late');
    await expect(withDeadline({ signal: null, afterMs: 1, late }, until)).rejects.toThrow('late');
  });

  test('rejects with the reason of the caller’s signal', async () => {
    const caller = new AbortController();
    const work = withDeadline({ signal: caller.signal, afterMs: null, late }, until);
    caller.abort(new Error('gone'));

    await expect(work).rejects.toThrow('gone');
    const never = () => Promise.reject(new Error('was run'));
    await expect(
      withDeadline({ signal: caller.signal, afterMs: longMs, late }, never),
    ).rejects.toThrow('gone');
  });

  test('rejects as the work does, and ends what of the work goes on', async () => {
    const { signal } = new AbortController();
    const seen: AbortSignal[] = [];
    const work = withDeadline({ signal, afterMs: longMs, late }, async (own) => {
      seen.push(own);
      throw new Error('broken');
    });

    await expect(work).rejects.toThrow('broken');
    expect(seen[0]?.aborted).toBe(true);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

test('a controller follows a signal until it leaves', () => {
  const caller = new AbortController();
  const followed = follow(caller.signal);
  const left = follow(caller.signal);
  left.leave();
  caller.abort('gone');

  expect(followed.controller.signal.reason).toBe('gone');
  expect(left.controller.signal.aborted).toBe(false);
  expect(follow(caller.signal).controller.signal.reason).toBe('gone');
});

test('a pause ends after its time, or with the reason of its signal', async () => {
  const caller = new AbortController();
  await pause(1, caller.signal);
  expect(getEventListeners(caller.signal, 'abort')).toEqual([]);
  const cut = pause(longMs, caller.signal);
  caller.abort(new Error('gone'));

  await expect(cut).rejects.toThrow('gone');
  await expect(pause(longMs, caller.signal)).rejects.toThrow('gone');
});
