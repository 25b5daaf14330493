import { readFileSync } from 'node:fs';
import Papa from 'papaparse';
import { expect, test } from 'vitest';
import { createRules } from '../../src/sandbox/rules/answer.ts';
import { labelSchema } from './requests.ts';

const data = new URL('../../src/demo/data/', import.meta.url);
const categories = JSON.parse(
  readFileSync(new URL('banking77_categories.json', data), 'utf8'),
) as string[];
const rows = Papa.parse<{ text: string; category: string }>(
  readFileSync(new URL('banking77_test.csv', data), 'utf8'),
  { header: true, skipEmptyLines: true },
).data;

test('labels of the banking questions agree with the truth in more than 45 %, by the names alone', () => {
  const rules = createRules();
  const schema = labelSchema(categories);
  const schemaText = JSON.stringify(schema);
  let agreed = 0;
  let confidence = 0;

  for (const { text, category } of rows) {
    const { content } = rules({
      messages: [
        { role: 'system', content: 'Label the text.' },
        { role: 'user', content: text },
      ],
      format: { type: 'json', schema, schemaText },
    });
    const answer = JSON.parse(content) as { label: string; confidence: number };
    if (answer.label === category) agreed++;
    confidence += answer.confidence;
  }

  expect(rows).toHaveLength(3_080);
  expect(agreed / rows.length).toBeGreaterThan(0.45);
  // Confidences mean something: on average they are about as high as the rule is right.
  expect(Math.abs(confidence - agreed) / rows.length).toBeLessThan(0.1);
});
