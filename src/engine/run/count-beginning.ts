/** Counts what the prompts of a plan have in common, as the model counts it. */
import type { Counter } from '../../counting/counter.ts';
import { tokenizerOf } from '../../counting/model-tokenizer.ts';
import type { CountPrefix } from './plan-cache.ts';
import { countedSchema, frames, schemaFrameTokens } from './prompt-frames.ts';

/** Rejects where the counter does: too many count at once. */
export function createPrefixCount(counter: Pick<Counter, 'count'>): CountPrefix {
  return async ({ provider, name, dialect }, { messages, format }) => {
    const { encoding, factor } = tokenizerOf(provider, name);
    const frame = frames[dialect];
    const schemas = format.type === 'json' ? [countedSchema(format.schema)] : [];
    const texts = [...schemas, ...messages.map(({ content }) => content)];
    const { tokens } = await counter.count({ encodings: [encoding], texts });
    let sum = 0;
    // Where the time was over before the end, there are at least so many.
    for (const counted of tokens[encoding] ?? []) sum += counted;
    const around =
      frame.prompt + messages.length * frame.message + schemas.length * schemaFrameTokens;
    return Math.floor(around + sum * factor);
  };
}
