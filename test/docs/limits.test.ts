/**
 * Numbers that are told are those that are enforced: in docs/reference/limits.md, in
 * `service.limits` and in descriptions.
 */
import { readFileSync } from 'node:fs';
import { graphql } from 'graphql';
import { expect, it } from 'vitest';
import { maxInlineItems, maxSyncItems } from '../../src/app/inputs.ts';
import { maxCustomIdLength } from '../../src/core/ids.ts';
import { maxJsonDepth } from '../../src/core/json.ts';
import { maxPromptCharacters } from '../../src/faces/graphql/budget.ts';
import { maxMultipartBytes } from '../../src/faces/graphql/multipart.ts';
import { maxPageSize } from '../../src/faces/graphql/page.ts';
import { schema } from '../../src/faces/graphql/schema.ts';
import { maxRejections, readLimits } from '../../src/files/read/limits.ts';

const page = readFileSync(new URL('../../docs/reference/limits.md', import.meta.url), 'utf8');
const told = (number: number) => number.toLocaleString('en');

it('service.limits are the limits that uploads and requests are held to', async () => {
  const { data, errors } = await graphql({
    schema,
    contextValue: {},
    source: '{ service { limits { syncItems inlineItems fileBytes fileRows pageSize } } }',
  });

  expect(errors).toBeUndefined();
  expect(data).toEqual({
    service: {
      limits: {
        syncItems: maxSyncItems,
        inlineItems: maxInlineItems,
        fileBytes: readLimits.fileBytes,
        fileRows: readLimits.rows,
        pageSize: maxPageSize,
      },
    },
  });
});

it.each([
  ['items answered at once', told(maxSyncItems)],
  ['items of a batch, inline', told(maxInlineItems)],
  [
    'an uploaded file',
    `${told(readLimits.fileBytes)} bytes, ${told(readLimits.rows)} rows, ${readLimits.rowBytes / 1024 / 1024} MB a row, ${told(readLimits.columns)} columns`,
  ],
  ['a page of a list', told(maxPageSize)],
  ['a custom id', `${maxCustomIdLength} characters`],
  ['JSON in options, metadata, rows and answers', `${maxJsonDepth} levels deep`],
])('the page says of %s what is enforced', (what, limit) => {
  expect(page).toContain(`| ${what} | ${limit} |`);
});

it('the page says how long prompts are together that are sent at once', () => {
  expect(page).toContain(`${told(maxPromptCharacters)} characters of their prompts`);
});

it('the page and the schema say of uploads what is enforced', () => {
  expect(page).toContain(`(\`uploadFile\`) ${told(maxMultipartBytes)} bytes`);
  expect(schema.getType('File')?.toConfig()).toMatchObject({
    fields: { rejections: { description: expect.stringContaining(told(maxRejections)) } },
  });
});
