/** A beginning is counted for the prompt cache as a quote counts it in the body that is sent. */
import { expect, it } from 'vitest';
import type { Encoding } from '../../../src/counting/model-tokenizer.ts';
import { partsOf } from '../../../src/engine/quote/prompt-parts.ts';
import { createPrefixCount } from '../../../src/engine/run/count-beginning.ts';
import { frames } from '../../../src/engine/run/prompt-frames.ts';

/** A token a character, so that texts can be told from frames. */
const counter = {
  async count({ encodings, texts }: { encodings: readonly Encoding[]; texts: readonly string[] }) {
    const tokens = Uint32Array.from(texts, ({ length }) => length);
    return {
      texts: texts.length,
      tokens: Object.fromEntries(encodings.map((encoding) => [encoding, tokens])),
    };
  },
};

const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  // A field may have the name of a rule.
  properties: { required: { type: 'boolean' }, label: { enum: ['praise', 'complaint'] } },
  required: ['required', 'label'],
  additionalProperties: false,
};
const system = 'Say what the text is about.';
const example = { role: 'user', content: 'I love it' } as const;

it.each([
  [
    'openai',
    {
      messages: [{ role: 'system', content: system }, example],
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
    },
  ],
  [
    'anthropic',
    {
      system,
      messages: [example],
      output_config: { format: { type: 'json_schema', schema } },
    },
  ],
] as const)('of %s', async (dialect, body) => {
  const model = { provider: 'openai', name: 'gpt-4.1-mini', dialect };
  const beginning = {
    messages: [{ role: 'system', content: system } as const, example],
    format: { type: 'json', name: 'answer', schema, strict: true } as const,
  };

  const { messages, texts, extraTokens } = partsOf(body, dialect);
  const frame = frames[dialect];
  const quoted = frame.prompt + messages * frame.message + extraTokens + texts.join('').length;

  expect(await createPrefixCount(counter)(model, beginning)).toBe(quoted);
  expect(texts[0]).toContain('"required":{"type":"boolean"}');
  expect(texts[0]).not.toContain('additionalProperties');
});
