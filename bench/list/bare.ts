import { createServer } from 'node:http';
import { all, type Condition } from '../../src/db/condition.ts';
import { openDatabase } from '../../src/db/database.ts';
import type { WantedRows } from '../../src/db/models.ts';
import { findConversationPage } from '../../src/db/statements/conversation-page.ts';

/** The floor: node:http, the statements of the list and JSON, without GraphQL, rights and limits. */
const { DATABASE_URL: url = '', PORT = '0' } = process.env;
const { pool, prisma } = openDatabase({ url, poolSize: 16 });
const visible: Condition = all({ is: 'null', column: 'mergedIntoId' });

const columns = (names: string) => new Set(names.split(' '));
/** What the server reads for the same list. */
const wanted: WantedRows = {
  columns: columns(
    'number source businessNumberId participantId lastRepliedById lastMessageStatus lastMessageId lastMessagePreview ' +
      'lastMessageAt unreadCount beaconOn beaconSince lastMessageDirection createdAt',
  ),
  linked: new Map([
    ['participant', { columns: columns('profileName phoneNumber waId userId groupId'), linked: new Map() }],
    ['lastRepliedBy', { columns: columns('displayName'), linked: new Map() }],
  ]),
};
const numbers = new Map((await prisma.businessNumber.findMany()).map((row) => [row.id, row]));

async function list(): Promise<string> {
  const rows = await findConversationPage(
    pool,
    { size: 50, forward: true, position: null },
    { field: 'LAST_MESSAGE_AT', direction: 'DESC' },
    visible,
    wanted,
  );
  const nodes = rows.slice(0, 50).map((row) => ({
    id: row.id,
    number: row.number,
    source: row.source,
    businessNumber: { phoneNumber: numbers.get(row.businessNumberId)?.phoneNumber },
    lastRepliedBy: row.lastRepliedBy && { displayName: row.lastRepliedBy.displayName },
    participant: { displayName: row.participant?.profileName, phoneNumber: row.participant?.phoneNumber },
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

createServer((request, response) => {
  request.resume().on('end', () => {
    void list().then((body) => response.writeHead(200, { 'content-type': 'application/json' }).end(body));
  });
}).listen(Number(PORT), '127.0.0.1');
