import { hostname } from 'node:os';
import pino, { type Logger } from 'pino';
import type { RequestTrace, TraceContext } from './trace.ts';
import { version } from './version.ts';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** Whose request it is that a line tells of, and where in it. Never what stood in it. */
export interface Asking {
  /** As it came in x-request-id, or made; sent back with the answer. */
  requestId: string;
  /** Absent until the key has been looked at. */
  owner?: string;
  /** Name of the operation of GraphQL, where it has one. */
  operationName?: string;
  /** Type of the operation of GraphQL. */
  operationType?: 'query' | 'mutation' | 'subscription';
  /** The field, dotted, or the path of a route without its query. */
  path?: string;
  /** Its span, where traces are on: lines have its ids. */
  trace?: RequestTrace;
}

/** The request that caused something, as lines below the faces have it. */
export type Cause = Pick<Asking, 'requestId' | 'trace'>;

/** The own fields of a cause; none where nobody knows it. */
export function causeFields(cause: Cause | undefined): Partial<Cause> {
  if (cause === undefined) return {};
  const { requestId, trace } = cause;
  return trace ? { requestId, trace } : { requestId };
}

/** A client's message of a failure that nobody foresaw: enough to find its line. */
export function somethingFailed({ requestId }: Asking): string {
  return `Internal error. The server log has the details, under the request id ${requestId}.`;
}

/** Where a logged object could hold a secret. Values are never logged in messages. */
const secretPaths = [
  'apiKey',
  '*.apiKey',
  'authorization',
  '*.authorization',
  '*.headers.authorization',
];

/** Fields on each line, of the process that wrote it. */
export interface LogOptions {
  role: string;
  /** Null: readable on a terminal, JSON elsewhere. */
  logFormat?: 'json' | 'pretty' | null;
}

/** One line an event on standard error, which leaves standard output alone. */
export function createLog(level: string, { role, logFormat = null }: LogOptions): Logger {
  const options = {
    level,
    base: { pid: process.pid, host: hostname(), role, version },
    redact: secretPaths,
    serializers: { err: withoutParameters },
    formatters: lineFormatters,
  };
  const isPretty = logFormat ? logFormat === 'pretty' : process.stderr.isTTY;
  return isPretty
    ? pino({
        ...options,
        transport: {
          target: 'pino-pretty',
          options: { destination: 2, ignore: 'pid,host,role,version' },
        },
      })
    : pino(options, pino.destination(2));
}

/** Formatters of a line's fields: a span by its ids, wherever it stands as `trace`. */
export const lineFormatters = { log: withTraceIds };

function withTraceIds(fields: Record<string, unknown>): Record<string, unknown> {
  if (!('trace' in fields)) return fields;
  const { trace, ...others } = fields as { trace?: Partial<TraceContext> | null };
  if (!trace) return others;
  return { ...others, traceId: trace.traceId, spanId: trace.spanId };
}

/** A failed statement quotes its parameters, and these hold rows. */
function withoutParameters(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const {
    query: _query,
    params: _params,
    parameters: _parameters,
    args: _args,
    ...shown
  } = pino.stdSerializers.err(error) as Record<string, unknown>;
  const cut = (text: unknown) =>
    typeof text === 'string'
      ? text.replace(/\nparams: [\s\S]*?(?=\n {4}at |$)/, '\nparams: …')
      : text;
  return { ...shown, message: cut(shown.message), stack: cut(shown.stack) };
}
