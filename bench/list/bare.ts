import { createServer } from 'node:http';
import { all, type Condition } from '../../src/db/condition.ts';
import { openDatabase } from '../../src/db/database.ts';
import { findByIds } from '../../src/db/models.ts';
import { findConversationPage } from '../../src/db/statements/conversation-page.ts';
import type { BusinessNumber, Operator, Participant } from '../../src/generated/prisma/client.ts';

/** The floor: node:http, the statements of the list and JSON, without GraphQL, rights and limits. */
const { DATABASE_URL: url = '', PORT = '0' } = process.env;
const { pool } = openDatabase({ url, poolSize: 16 });
const visible: Condition = all({ is: 'null', column: 'mergedIntoId' });

async function list(): Promise<string> {
  const rows = await findConversationPage(
    pool,
    { size: 50, forward: true, position: null },
    { field: 'LAST_MESSAGE_AT', direction: 'DESC' },
    visible,
  );
  const ids = (of: (row: (typeof rows)[number]) => string | null) => [...new Set(rows.flatMap((row) => of(row) ?? []))];
  const [participants, numbers, operators] = await Promise.all([
    byId<Participant>(
      'Participant',
      ids((row) => row.participantId),
    ),
    byId<BusinessNumber>(
      'BusinessNumber',
      ids((row) => row.businessNumberId),
    ),
    byId<Operator>(
      'Operator',
      ids((row) => row.lastRepliedById),
    ),
  ]);
  const nodes = rows.map((row) => ({
    id: row.id,
    number: row.number,
    source: row.source,
    businessNumber: { phoneNumber: numbers.get(row.businessNumberId)?.phoneNumber },
    lastRepliedBy: row.lastRepliedById && { displayName: operators.get(row.lastRepliedById)?.displayName },
    participant: {
      displayName: participants.get(row.participantId)?.profileName,
      phoneNumber: participants.get(row.participantId)?.phoneNumber,
    },
    lastMessageStatus: row.lastMessageStatus,
    lastMessage: { preview: row.lastMessagePreview },
    lastMessageAt: row.lastMessageAt,
    unreadCount: row.unreadCount,
    beacon: { on: row.beaconOn, since: row.beaconSince },
    lastMessageDirection: row.lastMessageDirection,
    createdAt: row.createdAt,
  }));
  return JSON.stringify({ data: { conversations: { nodes } } });
}

async function byId<Row extends { id: string }>(model: 'Participant' | 'BusinessNumber' | 'Operator', ids: string[]) {
  const rows = await findByIds<Row>(pool, model, ids);
  return new Map(rows.map((row) => [row.id, row]));
}

createServer((request, response) => {
  request.resume().on('end', () => {
    void list().then((body) => response.writeHead(200, { 'content-type': 'application/json' }).end(body));
  });
}).listen(Number(PORT), '127.0.0.1');
