/**
 * A contestant in a process of its own: `peer.ts <kind>`, told over IPC what to do, one thing at a
 * time.
 */
import { once } from 'node:events';
import { startGraphileWorker } from './graphile-worker.ts';
import { startLoop } from './loop.ts';
import { startPgBoss } from './pg-boss.ts';
import { startUndiciLoop } from './undici-loop.ts';

/** What a contestant does, over and over. */
export interface Peer {
  /** Not measured: reads the file, fills the queue. */
  prepare(file: string): Promise<void>;
  /** From the first request to the last stored result. */
  run(): Promise<void>;
  stop(): Promise<void>;
}

export interface PeerSettings {
  stubUrl: string;
  databaseUrl: string;
  concurrency: number;
  /** Jobs that pg-boss fetches, and waits for, at once. */
  bossBatchSize: number;
}

export type PeerMessage = { do: 'prepare'; file: string } | { do: 'run' } | { do: 'stop' };

const kinds = {
  loop: startLoop,
  'undici-loop': startUndiciLoop,
  'graphile-worker': startGraphileWorker,
  'pg-boss': startPgBoss,
};
export type PeerKind = keyof typeof kinds;

const [kind, settings = '{}'] = process.argv.slice(2);
const start = kinds[kind as PeerKind] as (settings: PeerSettings) => Promise<Peer>;
const peer = await start(JSON.parse(settings) as PeerSettings);
process.send?.({ ready: true });

for (;;) {
  const [message] = (await once(process, 'message')) as [PeerMessage];
  const before = process.cpuUsage();
  const startedAt = performance.now();
  if (message.do === 'stop') await peer.stop();
  else if (message.do === 'prepare') await peer.prepare(message.file);
  else await peer.run();
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(before);
  process.send?.({ seconds, cpuMicros: user + system });
  if (message.do === 'stop') break;
}
process.exit(0);
