import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { countFiles, deleteFile, listFiles, readFile } from '../../../src/db/files.ts';
import { beginIngest, renewIngest } from '../../../src/db/ingests.ts';
import { createFileJanitor } from '../../../src/engine/upkeep/janitor.ts';
import { uploadFile } from '../../../src/files/upload.ts';
import {
  countLeftovers,
  startUploadServer,
  type UploadServer,
} from '../../faces/rest/upload-support.ts';

let server: UploadServer;
const log = pino({ level: 'silent' });

beforeAll(async () => {
  server = await startUploadServer();
});
afterAll(() => server.close());
afterEach(() => server.db.sql`truncate files, rows, ingests, batches cascade`);

async function upload(owner = 'local', text = 'a\nb\n') {
  async function* source() {
    yield Buffer.from(text);
  }
  const { db, copy, events } = server;
  return await uploadFile({
    db,
    copy,
    events,
    face: 'rest',
    owner,
    ownerLimits: null,
    source: source(),
    name: 'x.txt',
    contentType: null,
    options: {},
  });
}

const sweep = () => createFileJanitor({ db: server.db, log }).sweep();

async function insertBatch(fileKey: bigint): Promise<bigint> {
  const [batch] = await server.db.sql<{ key: bigint }[]>`
    insert into batches (file_key, id, owner, operation, options, model, status, input_hash, expires_at, expires_in_seconds, total)
    values (${fileKey}, gen_random_uuid()::text, 'local', 'label', '{}', 'm', 'QUEUED', '', now(), 60, 2)
    returning key`;
  return batch!.key;
}

describe('the janitor of files', () => {
  it('removes the rows of uploads that died, and leaves those that live', async () => {
    const { sql } = server.db;
    const dead = await beginIngest(server.db, 60_000);
    const live = await beginIngest(server.db, 60_000);
    for (const key of [dead, live]) {
      await sql`insert into rows (file_key, index, content) select ${key}, g, 'x' from generate_series(0, 30000) as g`;
    }
    await sql`update ingests set expires_at = now() where file_key = ${dead}`;

    await sweep();

    const left = await sql`select file_key as key, count(*)::int as n from rows group by 1`;
    expect([...left]).toEqual([{ key: live, n: 30_001 }]);
    expect(await renewIngest(server.db, dead, 60_000)).toBe(false);
    expect(await renewIngest(server.db, live, 60_000)).toBe(true);
  });

  it('forgets a dead upload after its grace alone: its rows may come yet', async () => {
    const { sql } = server.db;
    const key = await beginIngest(server.db, 60_000);
    await sql`update ingests set expires_at = now()`;
    await sweep();
    await sql`insert into rows (file_key, index, content) values (${key}, 0, 'late')`;
    await sweep();
    const during = await countLeftovers(server);
    await sql`update ingests set expires_at = now() - interval '2 hours'`;
    await sweep();

    expect(during).toEqual({ rows: 0, files: 0, ingests: 1 });
    expect(await countLeftovers(server)).toEqual({ rows: 0, files: 0, ingests: 0 });
  });

  it('removes a deleted file, its rows first', async () => {
    const kept = await upload();
    const file = await upload('local', 'x\n'.repeat(45_000));

    const answers = [
      await deleteFile(server.db.sql, 'other', file.id),
      await deleteFile(server.db.sql, 'local', file.id),
      await deleteFile(server.db.sql, 'local', file.id),
    ];
    const hidden = await readFile(server.db, 'local', file.id);
    await sweep();

    expect(answers).toEqual(['unknown', 'deleted', 'unknown']);
    expect(hidden).toBeNull();
    expect(await countLeftovers(server)).toMatchObject({ rows: 2, files: 1 });
    expect(await readFile(server.db, 'local', kept.id)).not.toBeNull();
  });

  it('keeps what a batch uses, whenever it came', async () => {
    const { sql } = server.db;
    const used = await upload();
    const raced = await upload();
    const batch = await insertBatch(used.key);

    const inUse = await deleteFile(sql, 'local', used.id);
    await sql`update files set deleted_at = now() where key = ${raced.key}`;
    const racing = await insertBatch(raced.key);
    await sweep();
    const during = await countLeftovers(server);
    await sql`update batches set deleted_at = now() where key in (${batch}, ${racing})`;
    const free = await deleteFile(sql, 'local', used.id);
    await sweep();
    const purged = await countLeftovers(server);
    await sql`delete from batches`;
    await sweep();

    expect([inUse, free]).toEqual(['in_use', 'deleted']);
    expect(during).toMatchObject({ rows: 4, files: 2 });
    // The files stay as long as the batches that name them are still being purged.
    expect(purged).toMatchObject({ rows: 0, files: 2 });
    expect(await countLeftovers(server)).toEqual({ rows: 0, files: 0, ingests: 0 });
  });
});

describe('the list of files', () => {
  it('has the owner’s own, newest first, and pages both ways', async () => {
    const files = [];
    for (let count = 0; count < 4; count += 1) files.push(await upload());
    await upload('other');
    const keys = files.map(({ key }) => key).reverse();
    const list = async (page: Omit<Parameters<typeof listFiles>[2], 'limit' | 'maxBytes'>) =>
      (await listFiles(server.db, 'local', { limit: 2, maxBytes: 1_000, ...page })).map(
        ({ key }) => key,
      );

    expect(await countFiles(server.db, 'local')).toBe(4);
    expect(await list({ inverted: false })).toEqual([keys[0], keys[1]]);
    expect(await list({ inverted: false, afterKey: keys[1] })).toEqual([keys[2], keys[3]]);
    expect(await list({ inverted: true })).toEqual([keys[3], keys[2]]);
    expect(await list({ inverted: true, beforeKey: keys[2] })).toEqual([keys[1], keys[0]]);
  });
});
