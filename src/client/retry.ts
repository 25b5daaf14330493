/** Repeated requests: which, and when. */
import { mayPass } from './answers.ts';
import { abortedBy } from './errors.ts';

const firstDelayMs = 500;
const maxDelayMs = 8_000;
/** A server that asks for more is not waited for. */
const maxRetryAfterMs = 60_000;

/** Tries that failed in a row. */
export interface Tries {
  /** Waits until the next try. Throws `error` where no try follows. */
  failed(error: unknown): Promise<void>;
  /** Something came: the count begins from the start. */
  worked(): void;
}

export function createTries(maxRetries: number, signal?: AbortSignal): Tries {
  let count = 0;
  return {
    async failed(error) {
      if (count >= maxRetries || !mayPass(error)) throw error;
      const { retryAfterMs } = error;
      if (retryAfterMs !== null && retryAfterMs > maxRetryAfterMs) throw error;
      await wait(retryAfterMs ?? delayMs(count), signal);
      count += 1;
    },
    worked() {
      count = 0;
    },
  };
}

/** 0.5 s, doubled with each try up to 8 s, and up to a quarter more by chance. */
function delayMs(count: number): number {
  const delay = firstDelayMs * 2 ** count * (1 + Math.random() / 4);
  return Math.min(maxDelayMs, delay);
}

/** Throws Aborted. */
async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) throw abortedBy(signal);
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal && abortedBy(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
