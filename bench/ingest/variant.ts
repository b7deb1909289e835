import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openDatabase } from '../../src/db/database.ts';
import { prepareDatabase } from '../../src/db/prepare.ts';
import { loadEnv } from '../../src/env.ts';
import { createLog } from '../../src/log.ts';
import type { Ingest } from '../../src/webhooks/ingest.ts';
import { createWebhookRoute } from '../../src/webhooks/whatsapp.ts';
import { handWritten, ingestOneByOne, withPrisma } from './single-writers.ts';

/** Our webhook route, with something else behind it: `node variant.ts nothing|hand|prisma`. */
const [kind] = process.argv.slice(2);
const env = loadEnv();
const log = createLog({ logLevel: 'warn', logFormat: 'json' });
const secrets = { appSecret: env.metaAppSecret ?? '', webhookToken: null, accessToken: null };
const module = { current: () => Promise.resolve({ secrets }) };
const webhook = createWebhookRoute({
  module,
  ingest: await createIngest(),
  addressOf: () => '',
  secondsToWait: async () => null,
  log,
});
const server = createServer((request, response) => void webhook(request, response));
server.listen(0, '127.0.0.1', () => {
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}`, msg: 'listening' }));
});

async function createIngest(): Promise<Ingest> {
  if (kind === 'nothing') return { async accept() {}, async reject() {}, async drain() {} };
  const url = env.databaseUrl ?? '';
  await prepareDatabase(url);
  const db = openDatabase({ url, poolSize: env.databasePoolSize });
  const number = await db.prisma.businessNumber.create({
    data: { slot: 1, phoneNumberId: '100000000000011', phoneNumber: '+420777000111' },
  });
  return ingestOneByOne(kind === 'hand' ? handWritten(db, number.id) : withPrisma(db, number.id));
}
