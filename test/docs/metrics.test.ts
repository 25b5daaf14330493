/** docs/reference/metrics.md has each metric as the code has it, and no other. */
import { expect, it } from 'vitest';
import { catalog, type Definition, genAi } from '../../src/telemetry/metrics/catalog.ts';
import { genAiNames } from '../../src/telemetry/names.ts';
import { readPage } from './documents.ts';

const page = readPage('docs/reference/metrics.md');
const definitions: Definition[] = [...Object.values(genAi), ...Object.values(catalog)];

it('lists name, type, labels and meaning of each metric', () => {
  const listed = page.split('\n').filter((line) => /^\| `(winnow|gen_ai)_/.test(line));
  const labelsOf = (labels: readonly string[]) => labels.map((label) => `\`${label}\``).join(', ');

  expect(listed).toEqual(
    definitions.map(
      ({ name, type, labels, help }) =>
        `| \`${name}\` | ${type} | ${labelsOf(labels)} | ${help}. |`,
    ),
  );
});

it('names the other names of calls to models', () => {
  const { duration, tokens } = genAiNames('http, gen_ai_latest_experimental');
  for (const name of [duration, ...Object.values(tokens)]) expect(page).toContain(`\`${name}\``);
  expect(genAiNames('http').duration).toBe(genAi.duration.name);
});
