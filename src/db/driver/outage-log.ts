/** The log of a process, in which an outage of the database is one line and not thousands. */
import type { Log } from '../../core/log.ts';
import { absenceCode } from './failure.ts';
import type { Presence } from './presence.ts';

type Write = (fields: { err?: unknown; requestId?: unknown }, message: string) => void;

/**
 * The same log. What failed because the database is away stands in it without a stack. After the
 * line that says so, further lines of the engine are left out, and lines about requests are ten a
 * minute.
 */
export function withoutOutages(log: Log, presence: Presence): Log {
  const fold =
    (write: Write): Write =>
    (fields, message) => {
      const reason = absenceCode(fields?.err);
      if (reason === null) {
        write(fields, message);
        return;
      }
      const { err: _err, ...others } = fields;
      const isOfRequest = others.requestId !== undefined;
      if (isOfRequest ? presence.mayTell() : !presence.isAway()) {
        write({ ...others, reason } as typeof fields, message);
      }
    };
  return {
    debug: log.debug.bind(log),
    info: log.info.bind(log),
    warn: fold(log.warn.bind(log) as Write) as Log['warn'],
    error: fold(log.error.bind(log) as Write) as Log['error'],
  };
}
