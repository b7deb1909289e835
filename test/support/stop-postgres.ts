import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startCluster } from './postgres.ts';

// By then the processes of the run that was cut short are gone. Who joins and leaves as the last one stops the cluster.
await sleep(1000);
await using _cluster = await startCluster(fileURLToPath(new URL('../../.cache', import.meta.url)));
