/**
 * Steps that are done again after a crash, and jobs that an older server began: made with triggers,
 * in place of the crash and the old server.
 */
import postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { App } from '../../support/app.ts';
import { readItems, texts, untilEnded } from '../worker/support.ts';
import { startProviderJobApp, submitForProvider } from './support.ts';

let app: App;
let sql: postgres.Sql;

beforeEach(async () => {
  app = await startProviderJobApp();
  sql = postgres(app.databaseUrl, { max: 1, onnotice: () => undefined });
});
afterEach(async () => {
  await sql.end();
  await app.stop();
});

/** No provider batch keeps which items are in its input, as before version 0004 of the tables. */
async function forgetItems(): Promise<void> {
  await sql.unsafe(`
    create function forget() returns trigger language plpgsql as $$ begin new.items := '{}'; return new; end $$;
    create trigger forget before update on provider_batches for each row execute function forget();`);
}

/**
 * The first change of a provider batch of which this is true fails, so that its step is done again.
 */
async function failOnce(change: string): Promise<void> {
  await sql.unsafe(`
    create sequence changes;
    create function fail_once() returns trigger language plpgsql as $$ begin
      if nextval('changes') = 1 then raise exception 'crash'; end if;
      return new;
    end $$;
    create trigger fail_once before update on provider_batches for each row when (${change}) execute function fail_once();`);
}

function badLine(line: number) {
  return { code: 'invalid_request', line, message: 'bad line', param: null };
}

test('a job of an older server that expires makes what it left EXPIRED, and asks for nothing again', async () => {
  await forgetItems();
  app.sandbox.batches.outcomes.add({ fault: { kind: 'expired', done: 5 }, times: 1 });

  const ended = await untilEnded(app, await submitForProvider(app, texts(20)));

  expect(ended).toMatchObject({ status: 'EXPIRED', counts: { succeeded: 5, expired: 15 } });
  expect(app.sandbox.batches.createdCount).toBe(1);
});

test('a job of an older server that is rejected for a line fails the item of that line alone', async () => {
  await forgetItems();
  app.sandbox.batches.outcomes.add({
    fault: { kind: 'rejected', problems: [badLine(3)] },
    times: 1,
  });

  const id = await submitForProvider(app, texts(20));
  const ended = await untilEnded(app, id);

  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 19, failed: 1 } });
  expect((await readItems(app, id))[2]).toMatchObject({ status: 'FAILED' });
});

test('a job that is too much alone is made smaller, whatever a failed batch has left at the provider', async () => {
  const { batches } = app.sandbox;
  batches.hold();
  const failed = await submitForProvider(app, texts(3));
  await app.sandbox.until(() => batches.createdCount === 1);
  app.sandbox.demandKey('another');
  expect(await untilEnded(app, failed)).toMatchObject({ status: 'FAILED' });
  app.sandbox.demandKey(null);
  batches.release();
  const tooMany = { code: 'token_limit_exceeded', line: null, message: 'too many', param: null };
  batches.outcomes.add({
    fault: { kind: 'rejected', problems: [tooMany] },
    when: ({ total }) => total > 150,
  });

  const ended = await untilEnded(app, await submitForProvider(app, texts(300)));

  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 300 } });
});

test('a crash between the failures that a provider named and the end of their job leaves the other items to be answered', async () => {
  await failOnce(`new.state = 'done' and old.state = 'working'`);
  const { callFaults, outcomes } = app.sandbox.batches;
  // Two inputs of 40: the first is rejected whole, the second is not made before that is done
  // again.
  callFaults.add({
    fault: { kind: 'status', status: 413 },
    when: ({ operation }) => operation === 'upload',
    times: 1,
  });
  outcomes.add({
    fault: { kind: 'rejected', problems: Array.from({ length: 40 }, (_, at) => badLine(at + 1)) },
    when: ({ firstCustomId }) => firstCustomId.endsWith('-0'),
  });
  callFaults.add({
    fault: { kind: 'status', status: 500 },
    when: ({ operation, number }) => operation === 'upload' && number > 2,
    times: 8,
  });

  const ended = await untilEnded(app, await submitForProvider(app, texts(80)));

  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 40, failed: 40 } });
});

test('a crash while a job that was too large is made smaller creates none from the upload that is gone', async () => {
  await failOnce('new.requests < old.requests');
  app.sandbox.batches.callFaults.add({
    fault: { kind: 'status', status: 413 },
    when: ({ operation }) => operation === 'create',
    times: 1,
  });

  const ended = await untilEnded(app, await submitForProvider(app, texts(20)));

  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 20 } });
});
