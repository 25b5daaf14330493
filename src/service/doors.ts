/** Who comes in, and the line in which the statements of requests wait. */

import { strangeOwners } from '../config/budgets.ts';
import { type Config, isLoopback } from '../config.ts';
import { StartFailure } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { type Database, openDatabase } from '../db/driver/client.ts';
import type { Connections } from '../db/driver/connections.ts';
import { openCopy } from '../db/driver/copy.ts';
import type { Presence } from '../db/driver/presence.ts';
import { createRequestLine, type RequestLine } from '../db/driver/request-line.ts';
import type { Nudges } from '../engine/process/nudges.ts';
import { createKeyring, type Keyring } from '../faces/http/keyring.ts';
import type { Events } from '../telemetry/events.ts';
import type { Data } from './data.ts';
import type { Ending } from './ending.ts';

/** A request whose statement gets no connection within this is refused. */
const connectMs = 5_000;

/** Stands in line for the states of batches: the name of no owner. */
export const everybody = '';
/** Stands in line for the keys that strangers come with: the name of no owner either. */
const strangers = ' ';

export interface Doors {
  line: RequestLine;
  keyring: Keyring;
}

interface DoorParts {
  config: Config;
  /** The engine's. */
  db: Database;
  data: Data;
  connections: Connections;
  presence: Presence;
  /** Pools of the process: this one's is added. */
  pools: Pick<Database, 'connections'>[];
  nudges: Nudges;
  log: Log;
  events: Events;
}

/**
 * Throws StartFailure where everybody on a network could use a server that has no key. In the
 * database a key that was revoked counts too: so deleting keys opens no server.
 */
export async function openDoors(parts: DoorParts, ending: Ending): Promise<Doors> {
  const { config, db, nudges, presence, log } = parts;
  const line = openRequestLine(parts, ending);
  const keyring = createKeyring({
    fixed: config.apiKeys,
    db,
    lookUpDb: line.of(strangers).db,
    subscribe: nudges.subscribeKeys,
    isAway: presence.isAway,
  });
  await keyring.start();
  ending.add(() => keyring.stop());
  if (keyring.isOpen() && !isLoopback(config.host)) {
    throw new StartFailure(
      'HOST must be a loopback address (127.0.0.1, ::1, localhost) until there is a key: everybody who reaches the server could use it. Make a key with winnow keys create, or set API_KEYS',
    );
  }
  const owners = keyring.isOpen() ? new Set(['local']) : keyring.owners();
  const strange = [
    ...strangeOwners('BUDGETS', config.budgets.owners.keys(), owners),
    ...strangeOwners('LIMITS', config.limits.owners.keys(), owners),
  ];
  for (const sentence of strange) log.warn(sentence);
  return { line, keyring };
}

/** Its connections are apart from the engine's. */
function openRequestLine(
  { data: { databaseUrl, access, room }, presence, events, pools, connections }: DoorParts,
  ending: Ending,
): RequestLine {
  const { requests, copies } = connections;
  // One that has a turn finds a connection free.
  const options = { maxConnections: requests, connectMs, presence, events, ...access, ...room };
  const db = openDatabase(databaseUrl, options);
  pools.push(db);
  ending.add(() => db.close());
  const copy = openCopy(databaseUrl, { maxConnections: copies, ...access });
  ending.add(() => copy.close());
  return createRequestLine({ db, copy }, { statements: requests, copies });
}
