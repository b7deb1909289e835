import { gql } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, eventually } from './support/events.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(() => server[Symbol.asyncDispose]());

const LIST = gql`
  query List {
    conversations(first: 10) {
      totalCount
      asOf
      nodes {
        id
        number
        unreadCount
        lastMessageStatus
        lastMessageDirection
        participant {
          displayName
          phoneNumber
        }
        businessNumber {
          phoneNumber
        }
        beacon {
          on
          since
          reason
          trigger {
            preview
          }
          noReplyNeeded
        }
        window {
          state
          expiresAt
        }
        lastMessage {
          id
          preview
          status
        }
        lastIncomingMessage {
          id
          sentAt
        }
        lastRepliedBy {
          displayName
        }
      }
    }
  }
`;

type Listed = {
  conversations: {
    totalCount: number;
    asOf: string;
    nodes: {
      id: string;
      number: number;
      unreadCount: number;
      lastMessageStatus: string | null;
      participant: { displayName: string; phoneNumber: string };
      beacon: { on: boolean; reason: string };
      lastMessage: { id: string; preview: string };
      lastIncomingMessage: { id: string };
      lastRepliedBy: { displayName: string } | null;
    }[];
  };
};

const REPLY = gql`
  mutation Reply($input: ReplyToConversationInput!) {
    replyToConversation(input: $input) {
      replayed
      message {
        id
        status
        kind
        content {
          ... on TextContent {
            text
          }
        }
        sentByOperator {
          displayName
        }
      }
      conversation {
        beacon {
          on
          reason
        }
        unreadCount
      }
      errors {
        __typename
        code
        message
        path
      }
    }
  }
`;

type Replied = {
  replyToConversation: {
    replayed: boolean;
    message: { id: string; status: string } | null;
    errors: { __typename: string; code: string }[];
  };
};

describe('the main job', () => {
  it('brings a message in, shows it, and walks a reply from PENDING to READ before the subscriber', async () => {
    const alena = await server.as('alena');
    const socket = server.socket(await server.tokenOf('boris'));
    const beacons = collect<{ beaconChanged: { on: boolean; reason: string } }>(socket, '{ x: __typename }');
    beacons.stop();
    const live = collect<{
      events: { __typename: string; status?: string; on?: boolean; message?: { preview: string } };
    }>(
      socket,
      `subscription { events { __typename eventId cursor
        ... on MessageAdded { message { preview } }
        ... on MessageStatusChanged { status previous }
        ... on BeaconChanged { on reason } } }`,
    );
    await live.take(1);

    const { httpStatus } = await server.sandbox.customerWrites({
      phoneNumberId: number1.phoneNumberId,
      from: '+420601123456',
      name: 'Jana Veselá',
      text: 'Dobrý den 👩‍👩‍👧‍👦',
    });
    expect(httpStatus).toBe(200);

    const listed = await alena.request<Listed>(LIST);
    const [conversation] = listed.conversations.nodes;
    expect(conversation).toMatchObject({
      unreadCount: 1,
      lastMessageStatus: null,
      participant: { displayName: 'Jana Veselá', phoneNumber: '+420601123456' },
      beacon: { on: true, reason: 'CUSTOMER_MESSAGE', trigger: { preview: 'Dobrý den 👩‍👩‍👧‍👦' } },
      window: { state: 'OPEN' },
      lastMessage: { preview: 'Dobrý den 👩‍👩‍👧‍👦' },
      lastRepliedBy: null,
    });

    const input = { conversationId: conversation?.id, text: 'Otevíráme v 9.', idempotencyKey: 'first' };
    const replied = await alena.request<Replied>(REPLY, { input });
    expect(replied.replyToConversation).toMatchObject({
      replayed: false,
      errors: [],
      message: {
        status: 'PENDING',
        content: { text: 'Otevíráme v 9.' },
        sentByOperator: { displayName: 'Alena Nováková' },
      },
      conversation: { beacon: { on: false, reason: 'OPERATOR_REPLIED' }, unreadCount: 0 },
    });

    await eventually(async () => live.all.some(({ events }) => events.status === 'READ'));
    expect(live.all.map(({ events }) => events.status).filter(Boolean)).toEqual(['SENT', 'DELIVERED', 'READ']);
    expect(
      live.all.filter(({ events }) => events.__typename === 'BeaconChanged').map(({ events }) => events.on),
    ).toEqual([true, false]);
    const after = await alena.request<Listed>(LIST);
    expect(after.conversations.nodes[0]).toMatchObject({
      lastMessageStatus: 'READ',
      lastRepliedBy: { displayName: 'Alena Nováková' },
    });
    await socket.dispose();
  });

  it('sends one message for one key, and refuses the key for other content', async () => {
    const alena = await server.as('alena');
    const { conversations } = await alena.request<Listed>(LIST);
    const input = { conversationId: conversations.nodes[0]?.id, text: 'Jednou', idempotencyKey: 'once' };

    const answers = await Promise.all([1, 2, 3].map(() => alena.request<Replied>(REPLY, { input })));
    const other = await alena.request<Replied>(REPLY, { input: { ...input, text: 'Jinak' } });

    expect(new Set(answers.map((answer) => answer.replyToConversation.message?.id)).size).toBe(1);
    expect(answers.filter((answer) => !answer.replyToConversation.replayed)).toHaveLength(1);
    expect(other.replyToConversation).toMatchObject({
      message: null,
      errors: [{ __typename: 'IdempotencyConflictError', code: 'IDEMPOTENCY_CONFLICT' }],
    });
    const sent = () => server.sandbox.ledger().filter((entry) => JSON.stringify(entry).includes('Jednou'));
    await eventually(async () => sent().length > 0);
    await server.sandbox.settled();
    expect(sent()).toHaveLength(1);
  });
});
