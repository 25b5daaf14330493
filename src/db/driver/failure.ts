/** Which failures are the database's own, and not those of a statement or of its values. */
import { DrizzleQueryError } from 'drizzle-orm';
import { AppError } from '../../core/errors.ts';

/** A connection was given up, or got no answer. The drivers' own errors have codes, or none. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  readonly code = 'CONNECTION_LOST';
}

/** Codes of postgres.js, and ours. */
const lostCodes = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'CONNECTION_LOST',
]);
/**
 * Codes of the system: https://nodejs.org/api/errors.html#common-system-errors. Files and
 * connections to providers fail with them too, so that they count only where a database's driver
 * came with them.
 */
const systemCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'ENOTFOUND',
  'ENOENT', // a Unix socket without a server
]);
const fromDrivers = new WeakSet<Error>();

/** Marks what a driver of the database failed with, and returns it. */
export function ofDriver<Failure>(error: Failure): Failure {
  if (error instanceof Error) fromDrivers.add(error);
  return error;
}

/**
 * SQLSTATEs of a server that takes nothing now: class 08, connections; 57P01 to 57P03, an operator
 * or a start; 53300, too many connections; 25006, a server that only reads after a switch-over.
 * 3D000 and class 28: it refuses a connection, because the database or its account was taken away
 * while we run. What else fails, a statement that takes too long included, is a bug.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const awayStates = /^(08...|57P0[123]|53300|25006|3D000|28...)$/;
/** Codes of connections that may have carried a statement. */
const brokenCodes = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECTION_LOST',
]);
const brokenStates = /^(08(003|006|007)|57P0[12])$/;
const diskFull = '53100';
/** Drizzle puts its own error around the driver's, and we around both. */
const maxCauses = 5;

/**
 * The code that an error, or what caused it, says the database's failure with; null where the
 * database did not fail.
 */
export function databaseFailureCode(error: unknown): string | null {
  let inner = error;
  for (let depth = 0; depth < maxCauses && inner instanceof Error; depth += 1) {
    const code = 'code' in inner ? String(inner.code) : '';
    if (code === diskFull || lostCodes.has(code) || awayStates.test(code)) return code;
    if (systemCodes.has(code) && fromDrivers.has(inner)) return code;
    inner = inner.cause;
  }
  return null;
}

/** The same, where the failure says that the database is away. */
export function absenceCode(error: unknown): string | null {
  const code = databaseFailureCode(error);
  return code === diskFull ? null : code;
}

/** The line of the log about a request that ended so. */
export const databaseFailedRequest = 'the database failed a request';

/** The callers' error where the database failed; null where it did not. */
export function databaseFailure(error: unknown): AppError | null {
  // A statement of the builder that was ended on purpose, such as a read that took too long.
  if (error instanceof DrizzleQueryError && error.cause instanceof AppError) return error.cause;
  const code = databaseFailureCode(error);
  if (code === null) return null;
  return code === diskFull
    ? new AppError('STORAGE_FULL', 'The database has no space left; nothing was stored', {
        cause: error,
      })
    : isBroken(code)
      ? new AppError('DATABASE_UNAVAILABLE', brokenText, { cause: error })
      : databaseAway(error);
}

/** The error of callers who have had nothing done yet. */
export function databaseAway(cause: unknown): AppError {
  return new AppError(
    'DATABASE_UNAVAILABLE',
    'The database does not answer just now; try again in a few seconds',
    { cause },
  );
}

const brokenText =
  'The connection to the database broke; try again in a few seconds. What was to be written may have been done: with an idempotencyKey it is safe to repeat';

/** The statement may have been sent, and done. */
function isBroken(code: string): boolean {
  return brokenCodes.has(code) || brokenStates.test(code);
}
