/** Decides once for a plan whether its prompts are marked for the provider's prompt cache. */
import { setTimeout } from 'node:timers/promises';
import type { PromptRequest } from '../../model/request.ts';
import type { PromptItem } from '../../operations/operation.ts';
import { type Plan, promptOf } from './plan.ts';

/** Fewer read too little back of what the first of them writes. */
const minItems = 4;
/** Counting takes less; where others are counted first nobody waits for their end. */
const maxCountMs = 2_000;
/** Items that are looked at for one whose prompt can be made. */
const maxSamples = 10;

export interface CachingOptions {
  /** The caller's wish; null: where it pays. */
  asked: boolean | null;
  /** Number of items of the batch or the call, all together. */
  items: number;
  /** Calls that may be under way together. */
  atOnce: number;
}

/**
 * Decides for a plan where that is open; `samples` are some of its items. Resolves once it is
 * decided, or at once without a promise where nothing has to be counted; after two seconds of
 * counting requests may go out, and those that follow the count are marked.
 */
export function beginCaching(
  plan: Plan,
  samples: Iterable<PromptItem>,
  { asked, items, atOnce }: CachingOptions,
): Promise<void> | undefined {
  if (plan.cache !== undefined) return undefined;
  // Complete requests are sent as they are.
  if (plan.operation.body || !(asked ?? items >= minItems)) {
    plan.cache = null;
    return undefined;
  }
  const prompt = firstPrompt(plan, samples);
  if (!prompt) return undefined;
  const opened = plan.caches.open(plan, prompt, { isAsked: asked === true, atOnce });
  if (!(opened instanceof Promise)) {
    plan.cache = opened;
    return undefined;
  }
  plan.cache = null;
  const counted = opened.then((cache) => {
    plan.cache = cache;
  });
  return Promise.race([counted, setTimeout(maxCountMs, undefined, { ref: false })]);
}

/** Null where no sample has a prompt: the next ones may. */
function firstPrompt(
  { operation }: Plan,
  samples: Iterable<PromptItem>,
): Pick<PromptRequest, 'messages' | 'format'> | null {
  let seen = 0;
  for (const item of samples) {
    if (seen === maxSamples) return null;
    seen += 1;
    try {
      const prompt = promptOf(operation, item);
      return 'body' in prompt ? null : prompt;
    } catch {
      // It fails by itself when it is to be sent.
    }
  }
  return null;
}
