/** Live requests: always counted, kept only where a test reads them. */
import type { IncomingHttpHeaders } from 'node:http';

interface JournalEntry {
  /** Milliseconds since 1970. */
  at: number;
  /** The parsed body, the raw text if it was no JSON. */
  body: unknown;
  /** As received, without the key. */
  headers: IncomingHttpHeaders;
  /** True when the connection ended before the answer, by either side. */
  aborted: boolean;
  /** The status that was answered in full; null while it waits, and where nothing was. */
  answered: number | null;
}

export interface Requests {
  /** Chat completions and messages asked for since the start, refused ones included. */
  readonly count: number;
  /** Answered in full, with whatever status. */
  readonly answered: number;
  readonly aborted: number;
  /** The newest requests, oldest first; empty unless `keep` was set. */
  readonly journal: readonly JournalEntry[];
  /** Keeps the newest `limit` requests from now on; 0 keeps none and forgets. */
  keep(limit: number): void;
  /** Forgets the journal and sets the counts to 0. */
  clear(): void;
}

export interface Journal extends Requests {
  received(body: unknown, headers: IncomingHttpHeaders): JournalEntry | null;
  ended(entry: JournalEntry | null, status: number | null): void;
}

export function createJournal(limit: number): Journal {
  let kept = limit;
  let entries: JournalEntry[] = [];
  const counts = { count: 0, answered: 0, aborted: 0 };
  return {
    get count() {
      return counts.count;
    },
    get answered() {
      return counts.answered;
    },
    get aborted() {
      return counts.aborted;
    },
    get journal() {
      return entries.slice(-kept || entries.length);
    },
    keep(next) {
      kept = next;
      entries = kept === 0 ? [] : entries.slice(-kept);
    },
    clear() {
      entries = [];
      Object.assign(counts, { count: 0, answered: 0, aborted: 0 });
    },
    received(body, headers) {
      counts.count++;
      if (kept === 0) return null;
      const { authorization: _key, 'api-key': _other, 'x-api-key': _third, ...rest } = headers;
      const entry: JournalEntry = {
        at: Date.now(),
        body,
        headers: rest,
        aborted: false,
        answered: null,
      };
      // In steps, so that a long run does not shift the whole list for each request.
      if (entries.length >= 2 * kept) entries = entries.slice(-kept + 1 || entries.length);
      entries.push(entry);
      return entry;
    },
    ended(entry, status) {
      if (status === null) counts.aborted++;
      else counts.answered++;
      if (!entry) return;
      entry.aborted = status === null;
      entry.answered = status;
    },
  };
}
