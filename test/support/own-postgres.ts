import { rm } from 'node:fs/promises';
import { createCluster, startCluster, stopCluster } from '../../src/db/embedded-cluster.ts';
import { prepareHome } from '../../src/db/embedded-home.ts';
import { runSql } from './database.ts';
import { freePort } from './free-port.ts';
import { makeFolder } from './folder.ts';

export type OwnPostgres = AsyncDisposable & {
  url: string;
  /** Ends every session and comes back on the same port. */
  restart(): Promise<void>;
};

/** A server of one's own, to be restarted. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const dataDir = await makeFolder('cdesk-chats-postgres-');
  const home = await prepareHome(dataDir);
  await createCluster(home);
  const port = String(await freePort());
  let cluster = await startCluster(home, { port });
  const urlOf = (database: string) => `postgresql://postgres:${cluster.password}@127.0.0.1:${port}/${database}`;
  await runSql(urlOf('postgres'), 'CREATE DATABASE chats');
  return {
    url: urlOf('chats'),
    async restart() {
      await stopCluster(home, cluster.pid);
      cluster = await startCluster(home, { port });
    },
    async [Symbol.asyncDispose]() {
      await stopCluster(home, cluster.pid);
      for (const folder of [home.clusterDir, dataDir]) await rm(folder, { recursive: true, force: true });
    },
  };
}
