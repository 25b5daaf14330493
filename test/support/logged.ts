import { Writable } from 'node:stream';

/** A line of the log as its fields. */
export type Line = Record<string, any>;

/** Keeps what is logged to it. */
export function createLogTo(): { logTo: Writable; lines: Line[] } {
  const lines: Line[] = [];
  const logTo = new Writable({
    write(line, _encoding, done) {
      lines.push(JSON.parse(String(line)) as Line);
      done();
    },
  });
  return { logTo, lines };
}
