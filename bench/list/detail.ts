import { openDatabase } from '../../src/db/database.ts';
import { globalId } from '../../src/schema/global-id.ts';
import { connect, post } from './load.ts';
import type { Running } from './servers.ts';

const RUNS = 100;

/** Everything that the three sections of a conversation's screen show at first. */
export const detailQuery = `query Detail($id: ID!) { conversation(id: $id) {
  id number source createdAt lastMessageAt unreadCount version
  businessNumber { id phoneNumber displayName } participant { id displayName phoneNumber previousPhoneNumbers }
  lastRepliedBy { id displayName } readUpTo { id }
  beacon { on since reason changedAt noReplyNeeded noReplyNeededAt trigger { id } noReplyNeededBy { displayName } }
  window { state openedAt openedBy expiresAt serverTime } viewerCan { reply replyFreeForm sendTemplate createRequest }
  messages(last: 50) { pageInfo { hasPreviousPage startCursor } totalCount asOf nodes {
    id sequence direction origin kind preview sentAt receivedAt status readByOperators forwarded editedAt
    content { __typename ... on TextContent { text } ... on MediaContent { caption attachment { id fileName mimeType state } } }
    sentByOperator { id displayName } statusHistory { status at inferred } failure { title retryable outcomeUnknown }
    quoted { id preview } reactions { emoji byCustomer operator { displayName } } attachments { id fileName } availableActions
    requestLinks { code role linkedAt linkedBy { displayName } request { id name status { name } } }
  } }
  requests(first: 20) { totalCount asOf pageInfo { hasNextPage endCursor } nodes {
    id code name version visibility updatedAt status { key name } company { name } contact { name } template { name }
    assignee { displayName } createdBy { displayName } customFields { value } tags { name } attachments { id }
  } }
  presentOperators { operator { displayName } typing since }
} }`;

/** One after the other, each of another conversation. */
export async function detailLatencies(server: Running, databaseUrl: string): Promise<number[]> {
  await using db = openDatabase({ url: databaseUrl, poolSize: 2 });
  const rows = await db.prisma.conversation.findMany({
    select: { id: true },
    take: RUNS + 10,
    orderBy: { number: 'asc' },
  });
  const pool = connect(server.url, 1);
  const ms: number[] = [];
  for (const { id } of rows) {
    const body = JSON.stringify({ query: detailQuery, variables: { id: globalId('Conversation', id) } });
    const begun = performance.now();
    await post(pool, { ...server, body });
    ms.push(performance.now() - begun);
  }
  await pool.close();
  return ms.slice(-RUNS);
}
