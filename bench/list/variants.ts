/** What is compared: a program, and the same 50 rows asked for in its own words. */
export type Variant = { name: string; program: string; body: string };

const ours = `query List { conversations(first: 50) { nodes {
  id number source businessNumber { phoneNumber } lastRepliedBy { displayName } participant { displayName phoneNumber }
  lastMessageStatus lastMessage { preview } lastMessageAt unreadCount beacon { on since } lastMessageDirection createdAt
} pageInfo { hasNextPage endCursor } } }`;

const postgraphile = `query List { allConversations(first: 50, orderBy: [LAST_MESSAGE_AT_DESC, ROW_ID_DESC]) { nodes {
  id number source businessNumberByBusinessNumberId { phoneNumber } operatorByLastRepliedById { displayName }
  participantByParticipantId { profileName phoneNumber }
  lastMessageStatus lastMessagePreview lastMessageAt unreadCount beaconOn beaconSince lastMessageDirection createdAt
} pageInfo { hasNextPage endCursor } } }`;

const pluginPrisma = `query List { conversations(first: 50) { edges { node {
  id number source businessNumber { phoneNumber } lastRepliedBy { displayName } participant { displayName phoneNumber }
  lastMessageStatus lastMessagePreview lastMessageAt unreadCount beaconOn beaconSince lastMessageDirection createdAt
} } pageInfo { hasNextPage endCursor } } }`;

const body = (query: string) => JSON.stringify({ query });

export const variants: Variant[] = [
  { name: 'this server', program: 'src/main.ts', body: body(ours) },
  { name: 'node:http, same SQL, no GraphQL', program: 'bench/list/bare.ts', body: body(ours) },
  { name: 'PostGraphile 5', program: 'bench/postgraphile/server.js', body: body(postgraphile) },
  { name: 'plugin-prisma on yoga', program: 'bench/list/plugin-prisma.ts', body: body(pluginPrisma) },
];
