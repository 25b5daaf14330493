/** Pages of reference name what the sources have, neither less nor more. */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readConfig, variableNames } from '../../src/config.ts';
import { batchErrorCodes, itemErrorCodes, statusOf } from '../../src/core/errors.ts';
import { readPage } from './documents.ts';

const source = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
/** The first cell of each row of a table, without its backquotes. */
const firstCells = (text: string) =>
  [...text.matchAll(/^\| `([A-Z][A-Z_]+)` \|/gm)].map(([, name = '']) => name);
const sectionOf = (page: string, title: string) =>
  page.split(/^## /m).find((section) => section.startsWith(`${title}\n`)) ?? '';

describe('variables of the environment', () => {
  const variables = variableNames;

  it('are found', () => {
    expect(variables).toContain('DATABASE_URL');
    expect(variables.length).toBeGreaterThan(20);
  });

  it('stand in docs/reference/environment.md', () => {
    expect(firstCells(readPage('docs/reference/environment.md')).sort()).toEqual(
      [...variables].sort(),
    );
  });

  it('stand in .env.example', () => {
    const listed = [...source('.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);

    expect(listed.sort()).toEqual([...variables].sort());
  });

  it('stand there with their defaults', () => {
    expect(readConfig(parseEnv(source('.env.example')))).toEqual(readConfig({}));
  });
});

describe('codes of errors in docs/reference/errors.md', () => {
  const page = readPage('docs/reference/errors.md');

  it('has each code of an item', () => {
    expect(firstCells(sectionOf(page, 'Errors of an item')).sort()).toEqual(
      [...itemErrorCodes].sort(),
    );
  });

  it('has each code of a batch', () => {
    expect(firstCells(sectionOf(page, 'Errors of a batch')).sort()).toEqual(
      [...batchErrorCodes].sort(),
    );
  });

  it('has each code of a request with its HTTP status', () => {
    const [first = ''] = sectionOf(page, 'Errors of a request').split('GraphQL and HTTP have');
    const [, type = ''] = /type AppErrorCode =(.*?);/s.exec(source('src/core/errors.ts')) ?? [];
    const codes = [...type.matchAll(/'([A-Z_]+)'/g)].map(([, code = '']) => code);

    const listed = [...first.matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)].map(
      ([, code = '', status]) => [code, Number(status)],
    );
    const known = codes.map((code) => [code, statusOf(code as Parameters<typeof statusOf>[0])]);

    expect(listed.sort()).toEqual(known.sort());
  });

  it('has each further code of the routes', () => {
    const [, type = ''] =
      /readonly code:(.*?);/s.exec(source('src/faces/http/route-error.ts')) ?? [];
    const codes = [...type.matchAll(/'([A-Z_]+)'/g)].map(([, code = '']) => code);

    expect(codes).toContain('METHOD_NOT_ALLOWED');
    expect(firstCells(sectionOf(page, 'Errors of a request'))).toEqual(
      expect.arrayContaining(codes),
    );
  });
});
