/**
 * The line in which the statements of requests wait for the database. An owner has few at work at
 * once, and owners are served in turn, so that an owner who asks for much waits behind himself. The
 * engine never stands in it: it has connections of its own.
 */
import { AppError } from '../../core/errors.ts';
import type { Database } from './client.ts';
import type { Copy } from './copy.ts';
import type { Statement } from './queries.ts';

/** Statements of one owner at work at once. One place at least is left to others. */
export const maxPerOwner = 4;
/** A read that takes longer asks for too much at once. */
export const readTimeoutMs = 10_000;
/**
 * A read that its client leaves is let run for this time. The server ends whatever its connection
 * is at when it hears of it: of a read that is about to be done, that could be the next statement,
 * somebody else's.
 */
const defaultCancelAfterMs = 250;

/** The part of the database that one owner's requests have. Nothing that was begun is cut off. */
export interface RequestAccess {
  db: Database;
  copy: Copy;
}

export interface RequestLine {
  of(owner: string): RequestAccess;
  /** For reads alone: they end with `signal`, and after 10 s with DATABASE_UNAVAILABLE. */
  reads(owner: string, signal: AbortSignal): Database;
}

/** `places`: how many may be at work at once; no more than there are connections, of each kind. */
export function createRequestLine(
  { db, copy }: RequestAccess,
  places: { statements: number; copies: number },
  { cancelAfterMs = defaultCancelAfterMs, timeoutMs = readTimeoutMs } = {},
): RequestLine {
  const statements = createLine(places.statements);
  const incoming = createLine(places.copies);
  const outgoing = createLine(places.copies);

  function read(owner: string, signal: AbortSignal, statement: Statement): void {
    if (signal.aborted) {
      statement.refuse(reasonOf(signal));
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    let begunAt = 0;
    const giveUp = statements.enter(owner, (leave) => {
      begunAt = performance.now();
      timer = setTimeout(() => statement.cancel(tookTooLong()), timeoutMs).unref();
      statement.onSettled(leave);
      statement.begin();
    });
    const end = () => {
      if (giveUp()) {
        statement.refuse(reasonOf(signal));
        return;
      }
      clearTimeout(timer);
      const waitMs = Math.max(0, begunAt + cancelAfterMs - performance.now());
      timer = setTimeout(() => statement.cancel(reasonOf(signal)), waitMs).unref();
    };
    signal.addEventListener('abort', end, { once: true });
    statement.onSettled(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    });
  }

  return {
    of: (owner) => ({
      db: db.admittedBy((statement) => {
        statements.enter(owner, (leave) => {
          statement.onSettled(leave);
          statement.begin();
        });
      }),
      copy: {
        async rowsIn() {
          const leave = await incoming.turn(owner);
          const rows = await copy.rowsIn().catch((error: unknown) => {
            leave();
            throw error;
          });
          return {
            write: (piece) => rows.write(piece),
            finish: () => rows.finish().finally(leave),
            abort() {
              rows.abort();
              leave();
            },
          };
        },
        async *out(query) {
          const leave = await outgoing.turn(owner);
          try {
            yield* copy.out(query);
          } finally {
            leave();
          }
        },
        close: () => copy.close(),
      },
    }),
    reads: (owner, signal) => db.admittedBy((statement) => read(owner, signal, statement)),
  };
}

interface Standing {
  atWork: number;
  /** Callbacks that let each begin that waits. */
  waiting: Set<() => void>;
}

function createLine(places: number) {
  /** In the order of their turns. */
  const owners = new Map<string, Standing>();
  let free = places;
  const perOwner = Math.max(1, Math.min(maxPerOwner, places - 1));

  function serve(): void {
    while (free > 0) {
      const next = [...owners].find(
        ([, { atWork, waiting }]) => waiting.size > 0 && atWork < perOwner,
      );
      if (!next) return;
      const [owner, standing] = next;
      const [begin] = standing.waiting;
      if (!begin) return;
      standing.waiting.delete(begin);
      standing.atWork += 1;
      free -= 1;
      owners.delete(owner);
      owners.set(owner, standing);
      begin();
    }
  }

  function forgetIdle(owner: string, { atWork, waiting }: Standing): void {
    if (atWork === 0 && waiting.size === 0) owners.delete(owner);
  }

  /**
   * Calls `begin` in its turn, with what gives the place back. What is returned gives the turn up;
   * false where it has come.
   */
  function enter(owner: string, begin: (leave: () => void) => void): () => boolean {
    const standing = owners.get(owner) ?? { atWork: 0, waiting: new Set() };
    owners.set(owner, standing);
    let left = false;
    const leave = () => {
      if (left) return;
      left = true;
      standing.atWork -= 1;
      free += 1;
      forgetIdle(owner, standing);
      serve();
    };
    const start = () => begin(leave);
    standing.waiting.add(start);
    serve();
    return () => {
      const waited = standing.waiting.delete(start);
      if (waited) forgetIdle(owner, standing);
      return waited;
    };
  }

  return {
    enter,
    /** Resolves in its turn, with what gives the place back. */
    turn: (owner: string) => new Promise<() => void>((resolve) => void enter(owner, resolve)),
  };
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('the client has gone');
}

function tookTooLong(): AppError {
  return new AppError(
    'DATABASE_UNAVAILABLE',
    'A read of the database took longer than 10 s; ask for less in one request, or try again later',
  );
}
