/**
 * Whose key a request has. Keys of the environment are known for good. Of those in the database
 * each process has a copy, which is 10 s old at most, and newer where it hears of a change.
 */
import { timingSafeEqual } from 'node:crypto';
import { hashKey, publicPartOf } from '../../core/api-key.ts';
import { AppError } from '../../core/errors.ts';
import { createLooper } from '../../core/looper.ts';
import { type Scope, scopeNames } from '../../core/scopes.ts';
import {
  countApiKeys,
  type KeptKey,
  noteKeysUsed,
  readApiKey,
  readChangedKeys,
} from '../../db/api-keys.ts';
import type { Database } from '../../db/driver/client.ts';
import type { Bearer } from './auth.ts';

/** A copy of this age is not believed; one of half of it is renewed beside the requests. */
const usualMaxAgeMs = 10_000;
/** A request waits for a newer copy up to this time, and less while the database is away. */
const patienceMs = 2_000;
const awayPatienceMs = 250;
/** Time after which all that was written at one moment is visible. */
const overlapMs = 60_000;
/** Time between notes of a key's use, and how long a note waits for others. */
const usedEveryMs = 60_000;
const noteDelayMs = 1_000;

/** Why nobody is let in: no key that can be read, one that nobody has, one that has ended. */
export type Refusal = 'missing' | 'unknown' | 'ended';

/** Who asks, or why that is not known. */
type Judgement = { bearer: Bearer; refusal: null } | { bearer: null; refusal: Refusal };

export interface Keyring {
  /** Reads the keys. Before it, nothing is known. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** True while there has never been a key: then everybody is the owner `local`. */
  isOpen(): boolean;
  /** Owners of keys that are not revoked. */
  owners(): ReadonlySet<string>;
  /** Keys in the database, those that serve no longer among them. */
  size(): number;
  /**
   * Judges an Authorization header. Where a key is unknown here, `mayLook` is asked whether it may
   * be looked for in the database. Throws DATABASE_UNAVAILABLE where a key cannot be told to be
   * good.
   */
  judge(authorization: string | null | undefined, options: JudgeOptions): Promise<Judgement>;
  /** Calls `onEnd` once, within 10 s of the end of the key; returns what ends the watch. */
  watch(bearer: Bearer, onEnd: () => void): () => void;
  /** Notes that a key was used, beside the requests. */
  noteUse(bearer: Bearer): void;
}

interface JudgeOptions {
  mayLook(): Promise<boolean>;
}

interface KeyringOptions {
  /** Keys of the environment. */
  fixed: ReadonlyMap<string, { owner: string; scopes: readonly Scope[] }>;
  db: Pick<Database, 'query'>;
  /** For keys that are looked for one by one, which strangers can make it do. */
  lookUpDb: Pick<Database, 'query'>;
  /** Calls the listener when a key was changed; returns how to end that. */
  subscribe: (listener: () => void) => () => void;
  /** True while the database is known to be away. */
  isAway?: () => boolean;
  /** Greatest age of a copy of the table. */
  maxAgeMs?: number;
}

/** The one owner of a server without keys, which only this machine reaches. */
const local: Bearer = { owner: 'local', scopes: new Set(scopeNames), keyId: null };

export function createKeyring({
  fixed,
  db,
  lookUpDb,
  subscribe,
  isAway = () => false,
  maxAgeMs = usualMaxAgeMs,
}: KeyringOptions): Keyring {
  const fixedByHash = new Map(
    [...fixed].map(([key, { owner, scopes }]) => [
      hashKey(key),
      { owner, scopes: new Set(scopes), keyId: null },
    ]),
  );
  const kept = new Map<string, KeptKey>();
  let newest: Date | null = null;
  let readAt = Number.NEGATIVE_INFINITY;
  /** Never again once a key was seen: a table that somebody empties opens nothing. */
  let isOpen = false;
  const uses = createUses(db);
  const watches = new Map<symbol, { bearer: Bearer; onEnd: () => void }>();
  let timer: NodeJS.Timeout | null = null;
  let unsubscribe = () => {};

  function keep(keys: readonly KeptKey[]): void {
    for (const key of keys) {
      kept.set(key.id, key);
      for (const at of [key.createdAt, key.revokedAt]) {
        if (at && (newest === null || at > newest)) newest = at;
      }
    }
    if (kept.size > 0) isOpen = false;
  }

  async function read(): Promise<void> {
    const startedAt = performance.now();
    const since = newest && new Date(newest.getTime() - overlapMs);
    keep(await readChangedKeys(db, since));
    if ((await countApiKeys(db)) !== kept.size) {
      // Some were deleted, or written under a date of before.
      const all = await readChangedKeys(db, null);
      kept.clear();
      keep(all);
    }
    readAt = startedAt;
    endWatches();
  }

  const reading = createLooper(read, () => undefined);

  let renewal: { startedAt: number; done: Promise<unknown> } | null = null;
  const ageMs = () => performance.now() - readAt;

  /** Sees to it that the copy is believed; in vain where the database does not answer in time. */
  async function renew(): Promise<void> {
    if (ageMs() < maxAgeMs / 2) return;
    renewal ??= { startedAt: performance.now(), done: reading.run().then(() => (renewal = null)) };
    if (ageMs() < maxAgeMs) return;
    const { startedAt, done } = renewal;
    const waitMs = isAway() ? awayPatienceMs : patienceMs;
    await within(done, startedAt + waitMs - performance.now());
  }

  async function lookUp(id: string): Promise<KeptKey[]> {
    const key = await readApiKey(lookUpDb, id);
    return key ? [key] : [];
  }

  async function judge(
    authorization: string | null | undefined,
    { mayLook }: JudgeOptions,
  ): Promise<Judgement> {
    const [, key] = /^Bearer ([A-Za-z0-9_~.-]{1,512})$/i.exec(authorization ?? '') ?? [];
    const hash = key === undefined ? null : hashKey(key);
    const bearer = hash === null ? undefined : fixedByHash.get(hash);
    if (bearer) return { bearer, refusal: null };
    const id = key === undefined ? null : publicPartOf(key);
    if (isOpen || id !== null) await renew();
    // A key that this process has not heard of may be new: the first one closes an open server.
    if (id !== null && !kept.has(id) && (await mayLook())) keep(await lookUp(id));
    // A database that is away has told nothing of a first key.
    if (isOpen) return { bearer: local, refusal: null };
    if (hash === null) return refuse('missing');
    const found = id === null ? undefined : kept.get(id);
    if (!found || !isSame(found.hash, hash)) return refuse('unknown');
    if (hasEnded(found)) return refuse('ended');
    if (ageMs() >= maxAgeMs) {
      const message = 'The database does not answer, so that no key can be looked at; try again';
      throw new AppError('DATABASE_UNAVAILABLE', message);
    }
    const { owner, scopes } = found;
    return { bearer: { owner, scopes: new Set(scopes), keyId: found.id }, refusal: null };
  }

  /** Without a key of the database: of the environment, where that has keys, else of nobody. */
  function isOver({ keyId }: Bearer): boolean {
    if (keyId === null) return fixed.size === 0 && !isOpen;
    const key = kept.get(keyId);
    return !key || hasEnded(key);
  }

  function endWatches(): void {
    for (const [name, { bearer, onEnd }] of watches) {
      if (isOver(bearer)) {
        watches.delete(name);
        onEnd();
      } else uses.note(bearer);
    }
  }

  function look(): void {
    void reading.run().then(endWatches);
  }

  return {
    async start() {
      isOpen = fixed.size === 0;
      unsubscribe = subscribe(look);
      await read();
    },
    async stop() {
      unsubscribe();
      if (timer) clearInterval(timer);
      await reading.stop();
      await uses.stop();
    },
    isOpen: () => isOpen,
    owners() {
      const live = [...kept.values()].filter(({ revokedAt }) => revokedAt === null);
      return new Set([...fixed.values(), ...live].map(({ owner }) => owner));
    },
    size: () => kept.size,
    judge,
    watch(bearer, onEnd) {
      // Only the environment ends its own keys.
      if (bearer.keyId === null && fixed.size > 0) return () => undefined;
      const name = Symbol();
      watches.set(name, { bearer, onEnd });
      timer ??= setInterval(look, maxAgeMs / 2).unref();
      return () => {
        watches.delete(name);
        if (watches.size > 0 || timer === null) return;
        clearInterval(timer);
        timer = null;
      };
    },
    noteUse: uses.note,
  };
}

/** The use of keys, written together and beside the requests, once a minute for each key. */
function createUses(db: Pick<Database, 'query'>) {
  const notedAt = new Map<string, number>();
  const waiting = new Set<string>();
  let timer: NodeJS.Timeout | null = null;

  async function write(): Promise<void> {
    timer = null;
    const ids = [...waiting];
    waiting.clear();
    const before = performance.now() - usedEveryMs;
    for (const [id, at] of notedAt) if (at < before) notedAt.delete(id);
    // Nothing depends on it, and the next use comes.
    if (ids.length > 0) await noteKeysUsed(db, ids).catch(() => undefined);
  }

  return {
    note({ keyId }: Bearer): void {
      if (keyId === null) return;
      const now = performance.now();
      if (now - (notedAt.get(keyId) ?? Number.NEGATIVE_INFINITY) < usedEveryMs) return;
      notedAt.set(keyId, now);
      waiting.add(keyId);
      timer ??= setTimeout(() => void write(), noteDelayMs).unref();
    },
    async stop(): Promise<void> {
      if (timer) clearTimeout(timer);
      await write();
    },
  };
}

/** Resolves when the work is done, or after the time. */
async function within(work: Promise<unknown>, timeMs: number): Promise<void> {
  if (timeMs <= 0) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeMs);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function refuse(refusal: Refusal): Judgement {
  return { bearer: null, refusal };
}

function isSame(kept: string, given: string): boolean {
  const [one, other] = [Buffer.from(kept), Buffer.from(given)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function hasEnded({ expiresAt, revokedAt }: KeptKey): boolean {
  return revokedAt !== null || (expiresAt !== null && expiresAt.getTime() <= Date.now());
}
