/** Counts what the prompts of a plan have in common, as the model counts it. */
import type { Counter } from '../../counting/counter.ts';
import { tokenizerOf } from '../../counting/model-tokenizer.ts';
import type { JsonSchema } from '../../model/model.ts';
import type { CountPrefix } from './plan-cache.ts';

/** Tokens around a message, and around a schema, as OpenAI counts them. */
const messageTokens = 4;
const schemaTokens = 9;

/** Rejects where the counter does: too many count at once. */
export function createPrefixCount(counter: Pick<Counter, 'count'>): CountPrefix {
  return async ({ provider, name }, { messages, format }) => {
    const { encoding, factor } = tokenizerOf(provider, name);
    const schemas = format.type === 'json' ? [countedSchema(format.schema)] : [];
    const texts = [...schemas, ...messages.map(({ content }) => content)];
    const { tokens } = await counter.count({ encodings: [encoding], texts });
    let sum = schemas.length * schemaTokens + messages.length * messageTokens;
    // Where the time was over before the end, there are at least so many.
    for (const counted of tokens[encoding] ?? []) sum += counted;
    return Math.floor(sum * factor);
  };
}

/** A schema as it stands in the prompt: without what only says how strict it is. */
function countedSchema(schema: JsonSchema): string {
  return JSON.stringify(schema, (key, value: unknown) =>
    (key === 'required' && Array.isArray(value)) ||
    (key === 'additionalProperties' && typeof value === 'boolean') ||
    (key === '$schema' && typeof value === 'string')
      ? undefined
      : value,
  );
}
