import { print } from 'graphql';
import { gql, type GraphQLClient } from 'graphql-request';
import type { Client } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LiveList } from '../client/live-list.ts';
import {
  ConversationListChangesDocument,
  ConversationListDocument,
  type ConversationListChangesSubscription,
  type ConversationListQueryVariables,
} from '../src/generated/client/graphql.ts';
import { eventually } from './support/events.ts';
import { number1, number2, startTestServer, type TestServer } from './support/server.ts';
import { randomOf } from './support/stored-conversations.ts';

const CHANGES = Number(process.env.LIVE_LIST_CHANGES ?? 200);
const AT_ONCE = 8;
const DEADLINE_MS = 60_000;

const random = randomOf(Number(process.env.LIVE_LIST_SEED ?? 6));
const int = (below: number) => Math.floor(random() * below);
const names = ['Jana', 'Jan', 'Hana Malá', 'Ivan', 'Petr', 'Žofie'];

let server: TestServer;
let alena: GraphQLClient;
let socket: Client;

beforeAll(async () => {
  server = await startTestServer();
  alena = await server.as('alena');
  socket = server.socket(await server.tokenOf('alena'));
});

afterAll(async () => {
  await socket.dispose();
  await server[Symbol.asyncDispose]();
});

/** A list as a client holds it, following from where it was loaded. */
type Held = { variables: ConversationListQueryVariables; list: LiveList; stop: () => void; errors: unknown[] };

const lists: ConversationListQueryVariables[] = [
  { first: 25 },
  { first: 10, orderBy: { field: 'NUMBER', direction: 'ASC' } },
  { first: 100, filter: { beaconOn: true }, orderBy: { field: 'AWAITING_SINCE', direction: 'ASC' } },
  { first: 100, filter: { hasUnread: true }, search: { query: 'an' } },
  { first: 100, filter: { or: [{ lastRepliedByMe: true }, { participant: { match: 'STARTS_WITH', value: 'ziv' } }] } },
  { first: 8, filter: { not: { lastMessageDirection: 'INCOMING' } } },
  {
    first: 100,
    filter: { lastMessage: { match: 'CONTAINS', value: 'sedm' } },
    orderBy: { field: 'CREATED_AT', direction: 'ASC' },
  },
  { first: 100, filter: { noReplyNeeded: true, lastMessageAt: { relative: 'TODAY' } } },
  { first: 100, search: { query: 'zprava 1', columns: ['MESSAGES', 'PARTICIPANT'] } },
];

describe('a client that applies conversationListChanged', () => {
  it(
    `holds after ${CHANGES} random changes and cut sockets what a fresh query returns`,
    { timeout: 600_000 },
    async () => {
      for (let index = 0; index < 40; index++) await customerWrites(index);
      const holding = await Promise.all(lists.map((variables) => hold(variables)));

      for (let done = 0; done < CHANGES; done += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, () => changeSomething()));
        if (random() < 0.05) await cutSocket(holding);
      }
      await server.sandbox.settled();

      for (const one of holding) {
        await eventually(async () => isRight(one), DEADLINE_MS).catch(() => null);
        const { variables, held, fresh } = await comparison(one);
        expect({ variables, held }).toEqual({ variables, held: fresh });
        expect(one.errors).toEqual([]);
      }
    },
  );
});

async function hold(variables: ConversationListQueryVariables): Promise<Held> {
  const { conversations } = await alena.request(ConversationListDocument, variables);
  if (!conversations) throw new Error('the list was refused');
  const one: Held = {
    variables,
    list: new LiveList(conversations, variables.orderBy ?? {}),
    stop: () => {},
    errors: [],
  };
  follow(one);
  return one;
}

function follow(one: Held): void {
  const { filter, search, timeZone } = one.variables;
  one.stop = socket.subscribe<ConversationListChangesSubscription>(
    { query: print(ConversationListChangesDocument), variables: { filter, search, timeZone, after: one.list.cursor } },
    {
      next({ data, errors }) {
        if (errors) one.errors.push(...errors);
        if (data) one.list.apply(data.conversationListChanged);
      },
      error: (error) => void one.errors.push(error),
      complete() {},
    },
  );
}

/** The connection breaks, things happen, and everybody resumes from where their list stands. */
async function cutSocket(held: Held[]): Promise<void> {
  for (const one of held) one.stop();
  await socket.dispose();
  await Promise.all(Array.from({ length: AT_ONCE }, () => changeSomething()));
  socket = server.socket(await server.tokenOf('alena'));
  for (const one of held) follow(one);
}

async function comparison({ variables, list }: Held): Promise<{ variables: object; held: unknown; fresh: unknown }> {
  const held = list.shown();
  const { conversations } = await alena.request(ConversationListDocument, { ...variables, first: 100 });
  const fresh = new LiveList(
    { ...conversations, pageInfo: { hasNextPage: false, endCursor: null } } as never,
    variables.orderBy ?? {},
  );
  const rows = variables.first === 100 ? fresh.shown() : fresh.shown().filter((row) => !list.isBeyondEnd(row));
  const facts = (shown: typeof held) => shown.map(({ window: _, ...row }) => JSON.stringify(row));
  return { variables, held: facts(held), fresh: facts(rows) };
}

async function isRight(one: Held): Promise<boolean> {
  const { held, fresh } = await comparison(one);
  return JSON.stringify(held) === JSON.stringify(fresh);
}

async function changeSomething(): Promise<void> {
  const kind = random();
  if (kind < 0.45) return customerWrites(int(60));
  const target = await someConversation();
  if (!target) return;
  const conversationId = target.id;
  if (kind < 0.65) return mutate(REPLY, { conversationId, text: `odpověď ${int(99)}`, idempotencyKey: `k${random()}` });
  const messageId = target.lastIncomingMessage?.id;
  if (!messageId) return;
  if (kind < 0.85) return mutate(READ, { conversationId, upToMessageId: messageId, sendReadReceipt: false });
  return mutate(WAIVE, { conversationId, messageId, value: random() < 0.6 });
}

async function customerWrites(index: number): Promise<void> {
  const { phoneNumberId } = index % 3 === 0 ? number2 : number1;
  const name = `${names[int(names.length)]} ${index}`;
  const text = `zpráva ${['sedm', 'osm', 'devět'][int(3)]} ${int(30)}`;
  await server.sandbox.customerWrites({
    phoneNumberId,
    from: `+4206010001${String(index).padStart(2, '0')}`,
    name,
    text,
  });
}

type Target = { id: string; lastIncomingMessage: { id: string } | null };

async function someConversation(): Promise<Target | undefined> {
  const query = gql`
    {
      conversations(first: 60) {
        nodes {
          id
          lastIncomingMessage {
            id
          }
        }
      }
    }
  `;
  const { conversations } = await alena.request<{ conversations: { nodes: Target[] } }>(query);
  return conversations.nodes[int(conversations.nodes.length)];
}

const REPLY = 'mutation ($input: ReplyToConversationInput!) { replyToConversation(input: $input) { errors { code } } }';
const READ =
  'mutation ($input: MarkConversationReadInput!) { markConversationRead(input: $input) { errors { code } } }';
const WAIVE = 'mutation ($input: SetNoReplyNeededInput!) { setNoReplyNeeded(input: $input) { errors { code } } }';

async function mutate(mutation: string, input: object): Promise<void> {
  await alena.request(mutation, { input });
}
