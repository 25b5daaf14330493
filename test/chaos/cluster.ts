import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runAs } from '../../src/db/embedded/binaries.ts';
import {
  findPostmaster,
  openCluster,
  readPassword,
  startPostmaster,
  stopPostmaster,
} from '../../src/db/embedded/cluster.ts';
import { startProxy, type TcpProxy } from '../support/proxy.ts';

/**
 * A Postgres of the test's own, durable as in production, behind a proxy that keeps its address
 * over restarts.
 */
export interface TestCluster {
  /** Through the proxy. */
  url: string;
  proxy: TcpProxy;
  /** As if its machine had lost power: no connection is ended in order. */
  crash(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

export async function startTestCluster(): Promise<TestCluster> {
  const home = await mkdtemp(join(tmpdir(), 'winnow-chaos-'));
  // Started by root, Postgres runs as another user, who must be able to enter.
  await chmod(home, 0o755);
  const cluster = await openCluster(home, true);
  const proxy = await startProxy((await startPostmaster(cluster)).port);
  const password = await readPassword(cluster);

  return {
    url: proxy.through(`postgres://postgres:${password}@127.0.0.1/postgres`),
    proxy,
    async crash() {
      const { account, binaries, data } = cluster;
      const stop = ['stop', '-s', '-w', '-m', 'immediate', '-D', data];
      await runAs(account, binaries.pgCtl, stop);
    },
    async start() {
      if ((await findPostmaster(cluster)) === null) {
        proxy.target((await startPostmaster(cluster)).port);
      }
    },
    async remove() {
      await stopPostmaster(cluster);
      await proxy.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}
