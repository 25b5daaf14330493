/**
 * COPY, in both directions. It has clients of its own, by `pg` and `pg-copy-streams`: those of
 * postgres.js strand their connection behind a slow reader, and report a refused COPY as done with
 * no row stored.
 */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import pg from 'pg';
import { from, to } from 'pg-copy-streams';
import { ConnectionLost } from './failure.ts';
import { encodedColumns } from './row-encoder.ts';
import { urlForPg } from './tls.ts';

/** COPYs at a time in each direction; more wait. A slow client holds one as long as it takes. */
const defaultConnections = 6;
/** Longer than any upload or export: a connection that nobody ends is not kept for ever. */
const statementTimeoutMs = 2 * 60 * 60 * 1_000;
/** A COPY that has its turn finds a connection free: one that waits longer has no database. */
const connectTimeoutMs = 5_000;
/** Less than a piece of rows, so that each is waited for until it is with the system. */
const writableBytes = 65_536;

export interface Copy {
  /**
   * Begins a COPY into `rows`, of pieces that a RowEncoder has made. One statement: before
   * `finish`, nobody sees a row of it.
   */
  rowsIn(): Promise<RowsIn>;
  /**
   * The rows of a query in COPY's binary format, in pieces of any size, as fast as they are taken:
   * lengths and numbers in network order, text as it is. A reader that stops early ends the
   * statement. https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"
   */
  out(query: CopySql): AsyncGenerator<Buffer, void, undefined>;
  close(): Promise<void>;
}

export interface RowsIn {
  /**
   * Resolves when there is room for more: true when the piece has been sent, and its bytes may be
   * written again. Rejects when the database has refused the rows.
   */
  write(piece: Buffer): Promise<boolean>;
  /** Makes the rows visible; resolves with their number. */
  finish(): Promise<number>;
  /** Leaves nothing of it. To be called unless `finish` has resolved; does nothing then. */
  abort(): void;
}

/** Opens both pools; connections are made when first needed, and closed when idle for 10 s. */
export function openCopy(
  url: string,
  {
    maxConnections = defaultConnections,
    ...options
  }: { maxConnections?: number; name?: string; pooled?: boolean } = {},
): Copy {
  const incoming = createPool(url, { max: maxConnections, ...options });
  const outgoing = createPool(url, { max: maxConnections, ...options });
  const { pooled = false } = options;
  if (!pooled) {
    outgoing.on('connect', (client) => {
      client.query(`set ${withoutLoops}`).catch(ignore);
    });
  }
  return {
    rowsIn: async () =>
      beginRowsIn(await connectTo(incoming), pooled ? transactionOf() : noTransaction),
    out: (query) => copyOut(outgoing, query, pooled ? transactionOf(withoutLoops) : noTransaction),
    close: async () => {
      await Promise.all([incoming.end(), outgoing.end()]);
    },
  };
}

/**
 * Outputs are ranges of rows joined to ranges of results. While the statistics do not know of a new
 * batch, a range seems to be one row, and a nested loop would take minutes.
 */
const withoutLoops = 'enable_nestloop = off';

/** Statements before and behind a COPY; null: none. */
interface Around {
  begin: string | null;
  end: string | null;
}

const noTransaction: Around = { begin: null, end: null };

/** Through a pooler, where settings of a connection are nobody's: they hold for the COPY alone. */
function transactionOf(...settings: readonly string[]): Around {
  const all = [`statement_timeout = ${statementTimeoutMs}`, ...settings];
  return { begin: ['begin', ...all.map((one) => `set local ${one}`)].join('; '), end: 'commit' };
}

function createPool(
  url: string,
  { max, name = 'winnow', pooled = false }: { max: number; name?: string; pooled?: boolean },
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: urlForPg(url),
    max,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: name,
    ...(pooled ? {} : { statement_timeout: statementTimeoutMs }),
    keepAlive: true,
  });
  // A connection that is lost while idle is replaced when needed; unheard, the event would end the
  // process.
  pool.on('error', ignore);
  return pool;
}

async function beginRowsIn(client: pg.PoolClient, { begin, end }: Around): Promise<RowsIn> {
  await around(client, begin);
  const stream = client.query(
    from(`copy rows (${encodedColumns}) from stdin with (format binary)`, {
      highWaterMark: writableBytes,
    }),
  );
  const socket = (client as unknown as { connection: { stream: Writable } }).connection.stream;
  let failure: Error | null = null;
  let released = false;
  const fail = (error: Error): void => {
    failure ??= ofDatabase(error);
  };
  stream.on('error', fail);
  client.on('error', fail);

  /** A commit that fails, or whose answer is lost. */
  function refuse(error: Error): never {
    throw ofDatabase(error);
  }

  function release(isBroken: boolean): void {
    if (released) return;
    released = true;
    client.off('error', fail);
    if (isBroken) client.on('error', ignore);
    client.release(isBroken);
  }

  /** Waits for what the stream does next, an error included. */
  async function waitFor(event: 'drain' | 'finish'): Promise<void> {
    const stop = new AbortController();
    const options = { signal: stop.signal };
    try {
      if (failure === null) {
        // Both reject when the stream fails; a connection that is lost makes it fail.
        await once(stream, event, options);
      }
    } catch (error) {
      throw failure ?? ofDatabase(error);
    } finally {
      stop.abort();
    }
    if (failure !== null) throw failure;
  }

  return {
    async write(piece) {
      if (failure !== null) throw failure;
      if (!stream.write(piece)) await waitFor('drain');
      return socket.writableLength === 0 && stream.writableLength === 0;
    },
    async finish() {
      if (failure !== null) throw failure;
      const finished = waitFor('finish');
      stream.end();
      await finished;
      if (end !== null) await client.query(end).catch(refuse);
      release(false);
      return stream.rowCount;
    },
    abort: () => release(true),
  };
}

/** A connection that fails at it is given back as a broken one. */
async function around(client: pg.PoolClient, text: string | null): Promise<void> {
  if (text === null) return;
  try {
    await client.query(text);
  } catch (error) {
    client.release(true);
    throw ofDatabase(error);
  }
}

async function* copyOut(
  pool: pg.Pool,
  query: CopySql,
  { begin, end }: Around,
): AsyncGenerator<Buffer, void, undefined> {
  const client = await connectTo(pool);
  await around(client, begin);
  let isWhole = false;
  client.on('error', ignore);
  try {
    const stream = client.query(to(`copy (${query.text}) to stdout with (format binary)`));
    // Once the reader has gone, the end of the connection says nothing new.
    stream.on('error', ignore);
    for await (const piece of stream) yield piece as Buffer;
    if (end !== null) await client.query(end);
    isWhole = true;
  } catch (error) {
    throw ofDatabase(error);
  } finally {
    client.off('error', ignore);
    if (!isWhole) client.on('error', ignore);
    client.release(!isWhole);
  }
}

async function connectTo(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw ofDatabase(error);
  }
}

/**
 * A refusal of the database itself is a DatabaseError; everything else that `pg` and its streams
 * fail with is the connection's.
 */
function ofDatabase(error: unknown): Error {
  if (error instanceof pg.DatabaseError) return error;
  return new ConnectionLost('the connection of a COPY was lost', { cause: error });
}

function ignore(): void {
  // Said elsewhere, or of no interest any more; see where it is passed.
}

/** Text of a query without parameters, which COPY has none of: by `copySql`, or a constant. */
export class CopySql {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * A query for `Copy.out`, or a part of one. Only whole numbers and other parts can be put in, texts
 * by `copyText`, so that nothing can be smuggled in.
 */
export function copySql(
  strings: TemplateStringsArray,
  ...values: readonly (number | bigint | CopySql)[]
): CopySql {
  let text = strings[0] ?? '';
  for (const [at, value] of values.entries()) text += literal(value) + (strings[at + 1] ?? '');
  return new CopySql(text);
}

/** A text as a part: quoted by the driver, so that nothing of it is more than text. */
export function copyText(text: string): CopySql {
  return new CopySql(pg.escapeLiteral(text));
}

function literal(value: number | bigint | CopySql): string {
  if (value instanceof CopySql) return value.text;
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) {
    throw new TypeError('only whole numbers and parts made by copySql can be put into a COPY');
  }
  // In brackets, so that a minus before it makes no comment.
  return value < 0 ? `(${value})` : `${value}`;
}
