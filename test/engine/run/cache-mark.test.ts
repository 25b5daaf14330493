/** What stands in front of a cache mark: never a text of an item. */
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { JsonRecord } from '../../../src/core/json.ts';
import { beginCaching } from '../../../src/engine/run/caching.ts';
import { createPlanner, requestFor } from '../../../src/engine/run/plan.ts';
import type { ProviderConfig } from '../../../src/model/provider-config.ts';
import { createProviders } from '../../../src/model/providers.ts';
import { findOperation } from '../../../src/operations/index.ts';
import { runsOf } from '../../support/random.ts';

const base = { apiKey: null, headers: {}, query: {}, models: [], closed: false };
const configs: ProviderConfig[] = [
  { ...base, name: 'openai', baseUrl: 'http://127.0.0.1:1/v1' },
  { ...base, name: 'anthropic', protocol: 'anthropic', baseUrl: 'http://127.0.0.1:1' },
];
const providers = createProviders({ configs, timeoutMs: 1_000, concurrency: 1 });
afterAll(() => providers.close());

const schema = { name: 'string', size: 'number?' };
const output = { name: 'a', size: 1 };
/** Options by operation, with and without what makes examples and schemas. */
const operations: readonly [name: string, options: JsonRecord, examples: JsonRecord][] = [
  [
    'label',
    { categories: ['praise', 'complaint'], multiLabel: false },
    { examples: [{ content: 'shown', labels: ['praise'], metadata: { field: 'shown' } }] },
  ],
  [
    'extract',
    { schema },
    { examples: [{ content: 'shown', output, metadata: { field: 'shown' } }] },
  ],
  [
    'enrich',
    { fields: [{ name: 'sector' }] },
    { examples: [{ content: 'shown', output: { sector: 'a' }, metadata: { field: 'shown' } }] },
  ],
  ['summarize', { responseFormat: { type: 'JSON_SCHEMA', schema } }, {}],
  ['run', { instructions: 'Say it.' }, {}],
];

const wording = fc.record(
  {
    userPromptTemplate: fc.constantFrom('{content}', 'On {field}:\n{content}', '{field}'),
    includeContext: fc.boolean(),
    systemPrompt: fc.constantFrom('Answer.', ' ', ''),
    referenceDate: fc.constantFrom('2026-11-30', '{day}'),
  },
  { requiredKeys: [] },
);
const plain = fc.string({ minLength: 1, maxLength: 40 }).map((text) => `item ${text}`);

/** The text of a body up to the mark and the part that has it; null without a mark. */
function markedPart(body: JsonRecord): string | null {
  const parts: { text: string; isMarked: boolean }[] = [];
  const add = (content: any) => {
    if (typeof content === 'string') parts.push({ text: content, isMarked: false });
    else {
      for (const part of content ?? []) {
        const isMarked = 'cache_control' in part || 'prompt_cache_breakpoint' in part;
        parts.push({ text: part.text, isMarked });
      }
    }
  };
  add(JSON.stringify([body.tools, body.output_config, body.response_format]));
  add(body.system);
  for (const { content } of body.messages as JsonRecord[]) add(content);
  const marks = parts.filter(({ isMarked }) => isMarked);
  expect(marks.length).toBeLessThanOrEqual(1);
  expect(marks.every(({ text }) => text.trim() !== '')).toBe(true);
  const at = parts.findIndex(({ isMarked }) => isMarked);
  if (at === -1) return null;
  return parts
    .slice(0, at + 1)
    .map(({ text }) => text)
    .join('\n');
}

test('the part in front of a mark is the same for all items, and no item wrote any of it', () => {
  let marked = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...operations),
      fc.boolean(),
      wording,
      fc.constantFrom('openai/gpt-5.6', 'anthropic/claude-sonnet-5'),
      fc.array(fc.record({ content: plain, field: plain }), { minLength: 2, maxLength: 4 }),
      ([name, options, examples], hasExamples, given, model, rows) => {
        const parsed = findOperation(name)?.params.safeParse({
          ...options,
          ...(hasExamples ? examples : {}),
          ...given,
        });
        fc.pre(parsed?.success === true);
        const prepare = createPlanner({ providers, defaultModel: model });
        const plan = prepare(name, parsed?.data as Record<string, unknown>, model);
        const items = rows.map(({ content, field }, index) => ({
          content: `${content} ${index} of content`,
          metadata: { field: `${field} ${index} of field`, day: '2026-11-29' },
        }));
        void beginCaching(plan, items, { asked: true, items: items.length, atOnce: 1 });

        const parts = items.map((item) => {
          const { model: asked, request } = requestFor(plan, item);
          return markedPart(asked.bodyOf(request));
        });

        expect(new Set(parts).size).toBe(1);
        for (const { content, metadata } of items) {
          for (const text of [content, metadata.field]) expect(parts[0] ?? '').not.toContain(text);
        }
        if (parts[0] !== null) marked += 1;
      },
    ),
    runsOf(300),
  );
  expect(marked).toBeGreaterThan(100);
});
