import type { Sql } from './client.ts';
import { ofDriver } from './failure.ts';

/**
 * The processes' messages to each other about a batch. Only a hint to look sooner: every listener
 * also polls, so a lost notification costs time, never truth.
 * - `work`: chunks of it were opened, a worker may claim them
 * - `stop`: it is being ended or has failed, workers must drop it
 * - `progress`: its state changed
 */
export type BatchNudge = 'work' | 'stop' | 'progress';

const channel = 'winnow_batches';
/**
 * Beside the nudges, with the batch itself: nobody can read of it any more. Processes of before do
 * not know the word, and pass it over.
 */
const deletedWord = 'deleted';
/** The same of a key of the table that was made or revoked. */
const keyWord = 'key';
/** The same of an owner that was erased. */
const erasedWord = 'erased';

export interface DeletedBatch {
  id: string;
  owner: string;
}

/** An owner that was erased, and the name that what it spent goes by. */
export interface RenamedOwner {
  owner: string;
  erasedAs: string;
}

/** Tells every process. Never part of a write to items: NOTIFY locks all commits. */
export async function notifyBatch(sql: Sql, batchKey: bigint, nudge: BatchNudge): Promise<void> {
  await sql`select pg_notify(${channel}, ${`${nudge}:${batchKey}`})`;
}

/** Tells every process of a deleted batch. Its nudge to the workers is another one. */
export async function notifyDeleted(sql: Sql, { id, owner }: DeletedBatch): Promise<void> {
  await sql`select pg_notify(${channel}, ${`${deletedWord}:${id}:${owner}`})`;
}

/** Tells every process that a key was made or revoked. */
export async function notifyKey(sql: Sql, id: string): Promise<void> {
  await sql`select pg_notify(${channel}, ${`${keyWord}:${id}`})`;
}

/** Tells every process that an owner was erased. */
export async function notifyErased(sql: Sql, { owner, erasedAs }: RenamedOwner): Promise<void> {
  await sql`select pg_notify(${channel}, ${`${erasedWord}:${erasedAs}:${owner}`})`;
}

/**
 * Listens until the returned function is called. `onConnect` runs at every (re)connection: what was
 * sent before it is lost, so the caller looks for itself then.
 */
export async function listenToBatches(
  sql: Sql,
  {
    onNudge,
    onDeleted,
    onKey,
    onErased,
    onConnect,
  }: {
    onNudge: (batchKey: bigint, nudge: BatchNudge) => void;
    onDeleted: (batch: DeletedBatch) => void;
    onKey: () => void;
    onErased: (owner: RenamedOwner) => void;
    onConnect: () => void;
  },
): Promise<() => Promise<void>> {
  const hear = (payload: string) => {
    const [nudge, key, ...rest] = payload.split(':');
    if (nudge === keyWord) onKey();
    if (nudge === deletedWord && key) onDeleted({ id: key, owner: rest.join(':') });
    if (nudge === erasedWord && key) onErased({ erasedAs: key, owner: rest.join(':') });
    if (key && (nudge === 'work' || nudge === 'stop' || nudge === 'progress')) {
      onNudge(BigInt(key), nudge);
    }
  };
  const listener = await sql.listen(channel, hear, onConnect).catch((error: unknown) => {
    throw ofDriver(error);
  });
  return () => listener.unlisten();
}
