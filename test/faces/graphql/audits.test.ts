/**
 * The audits of the GraphQL over HTTP specification, by its reference implementation, with a client
 * that adds nothing.
 */
import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const audits = serverAudits({ url: () => `${app.url}/graphql`, fetchFn: fetch });

describe.each(['MUST', 'SHOULD', 'MAY'])('%s', (level) => {
  it.each(
    audits
      .filter(({ name }) => name.startsWith(level))
      .map((audit) => [audit.id, audit.name, audit] as const),
  )('%s: %s', async (_id, _name, audit) => {
    const result = await audit.fn();

    expect(result.status, 'reason' in result ? result.reason : '').toBe('ok');
  });
});

it('there are 61 of them', () => {
  const count = (level: string) => audits.filter(({ name }) => name.startsWith(level)).length;

  expect({ MUST: count('MUST'), SHOULD: count('SHOULD'), MAY: count('MAY') }).toEqual({
    MUST: 13,
    SHOULD: 23,
    MAY: 25,
  });
});
