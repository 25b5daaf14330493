import type postgres from 'postgres';
import type { Telling } from '../../telemetry/events.ts';
import { ConnectionLost, ofDriver } from './failure.ts';
import type { Presence } from './presence.ts';
import { type NamedQuery, nameOf } from './statement-name.ts';

/** The members of a driver's query that its types do not tell. */
interface RunningQuery extends NamedQuery {
  /** Hands the query to the pool; runs once, and never for a fragment of another query. */
  handler: (query: RunningQuery) => unknown;
  /** The backend that it was sent to; null while it waits for a connection. */
  state: unknown;
  /** It is the one that its connection works on, and not one that waits behind it. */
  active: boolean;
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
  /** Takes a query that waits for a connection out of the queue. */
  cancel: () => unknown;
  /**
   * The function that `cancel` calls, and drops the promise of: the server is asked to end the
   * query.
   */
  canceller: ((query: RunningQuery) => Promise<unknown>) | null;
}

/** Statements that a connection works on, and those that wait for one. */
interface Activity {
  busy: number;
  waiting: number;
}

/** A query that was asked for and is not begun. */
export interface Statement {
  begin(): void;
  /** Rejects with `reason`, without being begun. */
  refuse(reason: Error): void;
  /**
   * Has the server end what was begun, so that it rejects, with `reason`; after a second also where
   * the server says nothing to that.
   */
  cancel(reason: Error): void;
  onSettled(listener: () => void): void;
}

/** Time between looks at queries, as a share of the deadline. */
const lookShare = 0.1;
/** A server that hears of a cancel has ended the query by then. */
const cancelMs = 1_000;
/** One sent behind another, and not worked on after so many deadlines, never will be. */
const lostAfterDeadlines = 3;

/**
 * Sees to what the driver leaves undone, for every query of a client, those of `unsafe` included.
 *
 * None waits for ever. The server would have ended one that is worked on for longer than
 * `deadlineMs`: its connection swallows what it is sent, and `onSilence` is called. A statement
 * that gets no connection for `connectMs` rejects, and is never sent: after `awayMs` while the
 * database is known to be away. postgres.js 3.4.9 keeps one that came just as a connection broke,
 * and tries to connect for it until the database is back.
 *
 * None gets its rows in the wrong place. Where a connection broke in the middle of a result,
 * postgres.js 3.4.9 goes on counting rows. The first rows of the next result would be missing.
 */
export function watchQueries<Types extends Record<string, unknown>>(
  client: postgres.Sql<Types>,
  {
    deadlineMs,
    connectMs = deadlineMs,
    awayMs = connectMs,
    presence,
    events,
    onSilence,
  }: {
    deadlineMs: number;
    /** A statement that has no connection by then rejects. */
    connectMs?: number;
    /** The same where the database is known to be away. */
    awayMs?: number;
    presence?: Pick<Presence, 'answered' | 'failed' | 'isAway'> | undefined;
    events?: Telling | undefined;
    onSilence: () => void;
  },
): { client: postgres.Sql<Types>; activity: () => Activity; stop: () => void } {
  /**
   * When the driver took each statement, and later when it was first seen at work; milliseconds of
   * the monotonic clock.
   */
  const running = new Map<RunningQuery, { queuedAt: number; startedAt: number | null }>();

  function watch(query: RunningQuery): void {
    const { handler } = query;
    // Now, while the function that makes the statement is on the stack.
    const statement = events?.has('db.query') ? nameOf(query) : null;
    query.handler = (own) => {
      const { resolve, reject } = own;
      own.resolve = (rows) => {
        presence?.answered();
        resolve(withoutGap(rows));
      };
      own.reject = (error) => {
        presence?.failed(ofDriver(error));
        reject(error);
      };
      const queuedAt = performance.now();
      running.set(own, { queuedAt, startedAt: null });
      onSettled(own, () => {
        running.delete(own);
        if (statement === null) return;
        const seconds = (performance.now() - queuedAt) / 1_000;
        events?.emit('db.query', { statement, seconds });
      });
      return handler(own);
    };
  }

  function look(): void {
    const now = performance.now();
    const patienceMs = presence?.isAway() ? Math.min(connectMs, awayMs) : connectMs;
    let silent = false;
    for (const [query, times] of running) {
      if (query.active) times.startedAt ??= now;
      if (times.startedAt !== null) silent ||= now - times.startedAt > deadlineMs;
      else if (query.state === null && now - times.queuedAt > patienceMs) {
        query.reject(new ConnectionLost(`no connection to the database within ${patienceMs} ms`));
        query.cancel();
      } else if (now - times.queuedAt > lostAfterDeadlines * deadlineMs) {
        query.reject(new ConnectionLost('the connection that a statement waited for was lost'));
      }
    }
    if (silent) onSilence();
  }

  function activity(): Activity {
    let busy = 0;
    for (const { state } of running.keys()) if (state !== null) busy += 1;
    return { busy, waiting: running.size - busy };
  }

  const lookMs = Math.min(deadlineMs, connectMs, awayMs) * lookShare;
  const timer = setInterval(look, lookMs);
  timer.unref();

  return { client: withEvery(client, watch), activity, stop: () => clearInterval(timer) };
}

/** The same client, whose queries begin when `admit` begins them. */
export function admitQueries<Types extends Record<string, unknown>>(
  client: postgres.Sql<Types>,
  admit: (statement: Statement) => void,
): postgres.Sql<Types> {
  return withEvery(client, (query) => {
    const { handler } = query;
    query.handler = (own) => admit(statementOf(own, handler));
  });
}

function statementOf(query: RunningQuery, handler: RunningQuery['handler']): Statement {
  const { reject } = query;
  return {
    begin: () => void handler(query),
    refuse: reject,
    cancel(reason) {
      query.reject = () => reject(reason);
      const { canceller } = query;
      query.canceller = null;
      // Where the server cannot be asked, it has gone, and the query with it.
      void canceller?.(query).catch(() => undefined);
      const timer = setTimeout(reject, cancelMs, reason).unref();
      onSettled(query, () => clearTimeout(timer));
    },
    onSettled: (listener) => onSettled(query, listener),
  };
}

/** The query's own `then` would run it. */
function onSettled(query: RunningQuery, listener: () => void): void {
  Promise.prototype.then.call(query, listener, listener);
}

/** The same client; `prepare` sees every query, also of `unsafe`, before it runs. */
function withEvery<Types extends Record<string, unknown>>(
  client: postgres.Sql<Types>,
  prepare: (query: RunningQuery) => void,
): postgres.Sql<Types> {
  const prepared = <Result>(result: Result): Result => {
    const query = result as unknown as Partial<RunningQuery>;
    if (typeof query.handler === 'function') prepare(query as RunningQuery);
    return result;
  };
  return new Proxy(client, {
    apply: (target, self, given) => prepared(Reflect.apply(target, self, given)),
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'unsafe' || typeof value !== 'function') return value;
      return (...given: unknown[]) => prepared(Reflect.apply(value, target, given));
    },
  });
}

/** The rows from index 0 on. */
function withoutGap(rows: unknown): unknown {
  if (Array.isArray(rows) && rows.length > 0 && !(0 in rows)) {
    const first = rows.findIndex((_row, index) => index in rows);
    rows.splice(0, first === -1 ? rows.length : first);
  }
  return rows;
}
