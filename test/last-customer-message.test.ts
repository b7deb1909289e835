import { gql, type GraphQLClient } from 'graphql-request';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conversationWith } from './support/conversations.ts';
import { batchOf, textMessage, type Element } from './support/payloads.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;
let boris: GraphQLClient;

beforeAll(async () => {
  server = await startTestServer();
  boris = await server.as('boris');
});

afterAll(() => server[Symbol.asyncDispose]());

const TICK = gql`
  mutation Tick($input: SetNoReplyNeededInput!) {
    setNoReplyNeeded(input: $input) {
      errors {
        code
        message
        ... on StaleStateError {
          latestIncomingMessageId
        }
      }
    }
  }
`;
const REPLY = gql`
  mutation Reply($input: ReplyToConversationInput!) {
    replyToConversation(input: $input) {
      errors {
        code
        ... on StaleStateError {
          latestIncomingMessageId
        }
      }
    }
  }
`;
type Answer = { errors: { code: string; message?: string; latestIncomingMessageId?: string }[] };

let customers = 0;

/** A customer who wrote `second`, and before it by Meta's clock, but delivered after it, `first`. */
async function outOfOrder() {
  const customer = await newCustomer();
  await customer.writes('second', 10);
  await customer.writes('first', 20);
  return customer;
}

async function newCustomer() {
  customers += 1;
  const from = String(420_620_000_000 + customers);
  const shown = () => conversationWith(boris, `Customer ${from}`);
  const post = (...elements: Element[]) => server.postWebhook(batchOf(number1.phoneNumberId, elements));
  const idOf = async (preview: string) => (await shown()).messages.nodes.find((node) => node.preview === preview)?.id;
  const id = (text: string) => `wamid.${from}.${text}`;
  const ago = (secondsAgo: number) => new Date(Date.now() - secondsAgo * 1000);
  return {
    shown,
    idOf,
    writes: (text: string, secondsAgo: number) =>
      post({ ...textMessage({ from, id: id(text), at: ago(secondsAgo) }), text: { body: text } }),
    withdraws: (text: string) => {
      const { text: _, ...rest } = textMessage({ from });
      return post({ ...rest, type: 'revoke', revoke: { original_message_id: id(text) } });
    },
    async ticks(text: string, value = true) {
      const input = { conversationId: (await shown()).id, messageId: await idOf(text), value };
      return (await boris.request<{ setNoReplyNeeded: Answer }>(TICK, { input })).setNoReplyNeeded.errors;
    },
    async isAnswered(seen: string) {
      const seenId = await idOf(seen);
      const input = {
        conversationId: (await shown()).id,
        text: 'Odpověď',
        idempotencyKey: uuid(),
        expectedLastIncomingMessageId: seenId,
      };
      return (await boris.request<{ replyToConversation: Answer }>(REPLY, { input })).replyToConversation.errors;
    },
  };
}

describe('"no reply needed"', () => {
  it('is for the message that arrived last, whatever the clocks say, and says which that is', async () => {
    const customer = await outOfOrder();

    const refused = await customer.ticks('second');

    expect(refused).toMatchObject([{ code: 'STALE_STATE', latestIncomingMessageId: await customer.idOf('first') }]);
    expect(await customer.ticks('first')).toEqual([]);
    expect((await customer.shown()).beacon).toMatchObject({ on: false, reason: 'NO_REPLY_NEEDED' });
    expect(await customer.ticks('first', false)).toEqual([]);
    expect((await customer.shown()).beacon).toMatchObject({ on: true, reason: 'NO_REPLY_NEEDED_WITHDRAWN' });
  });

  it('is for the last message that was not taken back', async () => {
    const customer = await newCustomer();
    await customer.writes('asked', 20);
    await customer.writes('regretted', 10);
    await customer.withdraws('regretted');

    expect(await customer.ticks('regretted')).toMatchObject([{ code: 'VALIDATION', message: /taken back/ }]);
    expect(await customer.ticks('asked')).toEqual([]);
    expect((await customer.shown()).beacon.on).toBe(false);
  });

  it('goes with its message when that is taken back, and the one before asks again', async () => {
    const customer = await newCustomer();
    await customer.writes('asked', 20);
    await customer.writes('regretted', 10);
    expect(await customer.ticks('regretted')).toEqual([]);

    await customer.withdraws('regretted');

    expect((await customer.shown()).beacon).toMatchObject({ on: true, reason: 'NO_REPLY_NEEDED_WITHDRAWN' });
    expect(await customer.ticks('asked')).toEqual([]);
    expect((await customer.shown()).beacon.on).toBe(false);
  });
});

describe('a reply to what was seen', () => {
  it('is refused where a message arrived later, even an older one', async () => {
    const customer = await outOfOrder();

    const refused = await customer.isAnswered('second');

    expect(refused).toMatchObject([{ code: 'STALE_STATE', latestIncomingMessageId: await customer.idOf('first') }]);
    expect((await customer.shown()).beacon.on).toBe(true);
    expect(await customer.isAnswered('first')).toEqual([]);
  });

  it('goes out where the newer one was taken back', async () => {
    const customer = await newCustomer();
    await customer.writes('asked', 20);
    await customer.writes('regretted', 10);
    await customer.withdraws('regretted');

    expect(await customer.isAnswered('asked')).toEqual([]);
  });
});

it('with BEACON_ORDER=provider_time the last message is that of Meta’s clock', async () => {
  await using ordered = await startTestServer({ settings: { BEACON_ORDER: 'provider_time' } });
  const at = (secondsAgo: number) => new Date(Date.now() - secondsAgo * 1000);
  const post = (id: string, secondsAgo: number) =>
    ordered.postWebhook(batchOf(number1.phoneNumberId, [textMessage({ id, at: at(secondsAgo) })]));
  await post('wamid.second', 10);
  await post('wamid.first', 20);
  const client = await ordered.as('boris');
  const { conversations } = await client.request<{
    conversations: { nodes: { id: string; messages: { nodes: { id: string }[] } }[] };
  }>('{ conversations(first: 1) { nodes { id messages(first: 5) { nodes { id } } } } }');
  const [conversation] = conversations.nodes;
  const [first, second] = conversation?.messages.nodes ?? [];
  const tick = async (messageId?: string) => {
    const input = { conversationId: conversation?.id, messageId, value: true };
    return (await client.request<{ setNoReplyNeeded: Answer }>(TICK, { input })).setNoReplyNeeded.errors;
  };

  expect(await tick(first?.id)).toMatchObject([{ code: 'STALE_STATE', latestIncomingMessageId: second?.id }]);
  expect(await tick(second?.id)).toEqual([]);
});
