import { gql } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture, fixtureNames } from './support/fixtures.ts';
import { batchOf } from './support/payloads.ts';
import { beginConversation, create, formChoices } from './support/requests.ts';
import { globalIdOf } from './support/ids.ts';
import { scopedToken } from './support/scoped-token.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(() => server[Symbol.asyncDispose]());

const DRAFT = gql`
  query Draft($conversationId: ID!, $templateId: ID, $messageId: ID) {
    requestDraft(conversationId: $conversationId, templateId: $templateId, messageId: $messageId) {
      sourceMessage {
        id
      }
      name
      company {
        name
      }
      contact {
        name
      }
      template {
        name
      }
      description
      fields {
        key
      }
    }
  }
`;

type Draft = {
  requestDraft: {
    sourceMessage: { id: string } | null;
    name: string | null;
    company: { name: string } | null;
    contact: { name: string } | null;
    template: { name: string } | null;
    description: string;
    fields: { key: string }[];
  } | null;
};

describe('a draft', () => {
  it('is filled in from the last message, the contact and the template, and makes nothing', async () => {
    const boris = await server.as('boris');
    const { Reklamace: templateId } = await formChoices(boris);
    const { id: conversationId, messageIds } = await beginConversation(
      server,
      ['První', 'Druhá <b>zpráva</b> & "víc"'],
      '+420601123456',
    );
    const made = () =>
      server.sql(
        `SELECT (SELECT count(*) FROM request) AS requests, count(*) AS events FROM event WHERE type LIKE 'REQUEST%'`,
      );
    const before = await made();

    const { requestDraft } = await boris.request<Draft>(DRAFT, { conversationId, templateId });

    expect(requestDraft).toEqual({
      sourceMessage: { id: messageIds[1] },
      name: 'Druhá <b>zpráva</b> & "víc"',
      company: { name: 'Květinářství Růže s.r.o.' },
      contact: { name: 'Jana Veselá' },
      template: { name: 'Reklamace' },
      description: 'Druhá <b>zpráva</b> & "víc"\n\nPostup: prohlédnout, vyfotit, odpovědět do 30 dnů.',
      fields: ['order_number', 'bought_on', 'damage', 'price', 'under_warranty', 'approved_by'].map((key) => ({ key })),
    });
    expect(await made()).toEqual(before);
  });

  it('takes another message where one is named, and skips what the customer took back', async () => {
    const boris = await server.as('boris');
    const { id: conversationId, messageIds } = await beginConversation(server, ['první', 'druhá', 'třetí']);
    await server.sql(`UPDATE message SET withdrawn_at = now() WHERE search_text LIKE '%treti%'`);

    const named = await boris.request<Draft>(DRAFT, { conversationId, messageId: messageIds[0] });
    const last = await boris.request<Draft>(DRAFT, { conversationId });

    expect(named.requestDraft).toMatchObject({ description: 'první', company: null, contact: null });
    expect(last.requestDraft).toMatchObject({ description: 'druhá', sourceMessage: { id: messageIds[1] } });
  });

  it.each([
    ['a first opening of the chat', { type: 'request_welcome' }],
    [
      'a changed identity',
      { type: 'system', system: { type: 'customer_identity_changed', body: 'The customer may have a new device' } },
    ],
  ])('takes no notice of WhatsApp for a message of the customer: %s', async (_what, notice) => {
    const boris = await server.as('boris');
    const from = `42060210${String(Math.floor(Math.random() * 9_000) + 1_000)}`;
    const one = await beginConversation(server, ['Prosím o vrácení peněz'], `+${from}`);
    const told = { from, id: `wamid.notice-${from}`, timestamp: String(Math.floor(Date.now() / 1000) + 1), ...notice };
    await server.postWebhook(batchOf(number1.phoneNumberId, [told]));

    const { requestDraft } = await boris.request<Draft>(DRAFT, { conversationId: one.id });
    const { node } = await boris.request<{ node: { messages: { nodes: { kind: string; origin: string }[] } } }>(
      'query M($id: ID!) { node(id: $id) { ... on Conversation { messages(last: 1) { nodes { kind origin } } } } }',
      { id: one.id },
    );

    expect(requestDraft).toMatchObject({
      sourceMessage: { id: one.messageIds[0] },
      description: 'Prosím o vrácení peněz',
    });
    expect(node.messages.nodes).toEqual([{ kind: 'SYSTEM', origin: 'SYSTEM' }]);
  });

  it('holds 4096 characters with emoji complete, as does the request', async () => {
    const boris = await server.as('boris');
    const text = `${'👩‍👩‍👧‍👦 '.repeat(341)}konec`;
    const { id: conversationId } = await beginConversation(server, [text]);

    const { requestDraft } = await boris.request<Draft>(DRAFT, { conversationId });
    const name = requestDraft?.name ?? '';
    const { request } = await create(boris, { conversationId, name, description: requestDraft?.description });

    expect(requestDraft?.description).toBe(text);
    expect(request).toMatchObject({ name, description: text });
  });

  it('refuses messages of other conversations and unknown templates, and knows no foreign conversation', async () => {
    const boris = await server.as('boris');
    const one = await beginConversation(server);
    const other = await beginConversation(server);
    const [number] = await server.sql<{ id: string }>('SELECT id FROM business_number WHERE slot = 2');
    const scopes = ['READ_CONVERSATIONS', 'READ_REQUESTS'] as const;
    const elsewhere = server.withToken(await scopedToken(server, [...scopes], [number?.id ?? '']));
    const blind = server.withToken(await scopedToken(server, [...scopes]));
    const none = server.withToken(await scopedToken(server, ['READ_CONVERSATIONS']));

    const mistakes: Record<string, unknown>[] = [
      { messageId: other.messageIds[0] },
      { templateId: one.id },
      { messageId: one.id },
    ];
    for (const wrong of mistakes) {
      const refused = await boris.request(DRAFT, { conversationId: one.id, ...wrong }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ response: { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] } });
    }
    expect(await elsewhere.request<Draft>(DRAFT, { conversationId: one.id })).toEqual({ requestDraft: null });
    expect((await blind.request<Draft>(DRAFT, { conversationId: one.id })).requestDraft).toMatchObject({
      name: null,
      description: '',
      contact: null,
    });
    await expect(none.request(DRAFT, { conversationId: one.id })).rejects.toThrow('This token lacks READ_REQUESTS.');
  });
});

describe('every kind of message that Meta sends', () => {
  it('can be drafted and made a request of', async () => {
    const boris = await server.as('boris');
    for (const [index, name] of fixtureNames('payloads').entries()) {
      if (!name.endsWith('.json')) continue;
      // Many samples carry the same ids, which would make them repeats of each other.
      const body = JSON.stringify(fixture(`payloads/${name}`))
        .replaceAll(/"phone_number_id":"[^"]*"/g, `"phone_number_id":"${number1.phoneNumberId}"`)
        .replaceAll(/"id":"([^"]*)"/g, `"id":"${index}.$1"`);
      await server.postWebhook(body);
    }
    const messages = await server.sql<{ id: string; conversation_id: string; kind: string; text: string | null }>(
      `SELECT id, conversation_id, kind, content ->> 'text' AS text FROM message WHERE direction = 'INCOMING' AND withdrawn_at IS NULL`,
    );
    const kinds = new Set(messages.map(({ kind }) => kind));

    const texts: [string | undefined, string | null][] = [];
    const saved = new Map<string, number>();
    for (const message of messages) {
      const conversationId = globalIdOf('Conversation', message.conversation_id);
      const messageId = globalIdOf('Message', message.id);
      const { requestDraft } = await boris.request<Draft>(DRAFT, { conversationId, messageId });
      expect(requestDraft?.description).toMatch(/\S/);
      texts.push([requestDraft?.description, message.text]);
      const already = saved.get(message.kind) ?? 0;
      saved.set(message.kind, already + 1);
      if (already >= 3) continue;
      const made = await create(boris, {
        conversationId,
        sourceMessageId: messageId,
        name: requestDraft?.name,
        description: requestDraft?.description,
      });
      expect(made.errors).toEqual([]);
      expect(made.request).toMatchObject({
        name: requestDraft?.name,
        description: requestDraft?.description,
        linkedMessages: { nodes: [{ id: messageId }] },
      });
    }
    const withText = texts.filter(([, text]) => text !== null);
    expect(withText.map(([description]) => description)).toEqual(withText.map(([, text]) => text));
    expect([...kinds].toSorted()).toEqual([
      'AUDIO',
      'CONTACTS',
      'DOCUMENT',
      'IMAGE',
      'INTERACTIVE_REPLY',
      'LOCATION',
      'STICKER',
      'SYSTEM',
      'TEXT',
      'UNSUPPORTED',
      'VIDEO',
      'VOICE',
    ]);
    expect(messages.length).toBeGreaterThan(80);
  }, 120_000);
});
