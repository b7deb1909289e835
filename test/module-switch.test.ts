import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { collect, eventually } from './support/events.ts';
import { patience } from './support/patience.ts';
import { batchOf, textMessage } from './support/payloads.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;
let other: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  other = await startTestServer({ databaseUrl: server.databaseUrl });
  await server.postWebhook(batchOf(number1.phoneNumberId, [textMessage({ text: 'z doby zapnutí' })]));
});

afterAll(async () => {
  await other[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

beforeEach(() => turn(true));

const SWITCH = `mutation Switch($enabled: Boolean!) { setChatModuleEnabled(input: { enabled: $enabled }) {
  chatModule { licensed enabled ready settings { version } } errors { __typename code ... on ForbiddenError { required } } } }`;
const LIST = '{ conversations(first: 10) { nodes { lastMessage { preview } } } }';
const REPLY = `mutation Reply($id: ID!, $key: String!) {
  replyToConversation(input: { conversationId: $id, text: "Ano", idempotencyKey: $key }) { message { id } errors { code } } }`;

type Switched = {
  setChatModuleEnabled: { chatModule: { settings: { version: number } | null } | null; errors: { code: string }[] };
};

async function turn(enabled: boolean, login: 'alena' | 'boris' = 'alena') {
  return (await (await server.as(login)).request<Switched>(SWITCH, { enabled })).setChatModuleEnabled;
}

/** The other process reads the settings by itself. */
async function isOnAt(at: TestServer): Promise<boolean> {
  const answer = await (
    await at.as('alena')
  ).request<{ chatModule: { enabled: boolean } }>('{ chatModule { enabled } }');
  return answer.chatModule.enabled;
}

async function ask(login: 'alena' | 'boris', query: string, variables = {}) {
  const answer: unknown = await (await server.as(login)).rawRequest(query, variables).catch((error: unknown) => error);
  return answer instanceof Error && 'response' in answer ? answer.response : answer;
}

async function idOfFirst(): Promise<string> {
  const { conversations } = await (
    await server.as('alena')
  ).request<{ conversations: { nodes: { id: string }[] } }>('{ conversations(first: 1) { nodes { id } } }');
  return conversations.nodes[0]?.id ?? '';
}

describe('the switch', () => {
  it('can be thrown twice, and shows the settings only while it is on', async () => {
    const on = await turn(true);
    const off = await turn(false);
    const offAgain = await turn(false);

    expect(on.chatModule?.settings?.version).toEqual(expect.any(Number));
    expect(off).toEqual({ chatModule: { licensed: true, enabled: false, ready: true, settings: null }, errors: [] });
    expect(offAgain).toEqual(off);
    const audited = await server.sql(
      `SELECT detail FROM audit_entry WHERE action = 'MODULE_SWITCHED' ORDER BY at DESC, id DESC LIMIT 2`,
    );
    expect(audited.slice(0, 1)).toEqual([{ detail: 'off' }]);
  });

  it('is for those who manage the settings', async () => {
    expect(await turn(false, 'boris')).toMatchObject({
      chatModule: null,
      errors: [{ __typename: 'ForbiddenError', required: 'MANAGE_SETTINGS' }],
    });
  });

  it('cannot be thrown without a licence', async () => {
    await using unlicensed = await startTestServer({ settings: { CHAT_LICENSED: 'false' } });
    const alena = await unlicensed.as('alena');
    const { chatModule } = await alena.request<{ chatModule: unknown }>(
      '{ chatModule { licensed enabled settings { version } } }',
    );

    expect(chatModule).toEqual({ licensed: false, enabled: true, settings: null });
    expect(await alena.request(SWITCH, { enabled: true })).toMatchObject({
      setChatModuleEnabled: { chatModule: null, errors: [{ code: 'MODULE_NOT_LICENSED' }] },
    });
  });
});

describe('while the module is off', () => {
  it('history is open to administrators and closed to everybody else', async () => {
    await turn(false);

    expect(await ask('alena', LIST)).toMatchObject({ data: { conversations: { nodes: expect.any(Array) } } });
    expect(await ask('boris', LIST)).toMatchObject({
      data: { conversations: null },
      errors: [{ extensions: { code: 'MODULE_DISABLED' } }],
    });
    const dashboard: unknown = await server
      .withToken(server.dashboardToken)
      .request(LIST)
      .catch((error: unknown) => error);
    expect(dashboard).toMatchObject({ response: { errors: [{ extensions: { code: 'MODULE_DISABLED' } }] } });
  });

  it('nothing is sent, and nothing is changed', async () => {
    const id = await idOfFirst();
    await turn(false);

    expect(await ask('alena', REPLY, { id, key: 'off' })).toMatchObject({
      data: { replyToConversation: { message: null, errors: [{ code: 'MODULE_DISABLED' }] } },
    });
    expect(server.sandbox.ledger()).toEqual([]);
  });

  it('subscriptions end with that code on every process, and new ones are refused', async () => {
    await eventually(() => isOnAt(other), patience(5_000));
    const sockets = await Promise.all([server, other].map(async (at) => at.socket(await server.tokenOf('alena'))));
    const streams = sockets.map((socket) => collect(socket, 'subscription { events { __typename } }'));
    await Promise.all(streams.map((live) => live.take(1)));
    await turn(false);

    for (const live of streams) {
      await live.ended;
      expect(live.errors.flat()).toMatchObject([{ extensions: { code: 'MODULE_DISABLED' } }]);
    }
    const late = collect(other.socket(await server.tokenOf('alena')), 'subscription { messageAdded { eventId } }');
    await late.ended;
    expect(late.errors.flat()).toMatchObject([{ extensions: { code: 'MODULE_DISABLED' } }]);
    for (const socket of sockets) await socket.dispose();
  });

  it('webhooks are answered 200, wait, and are applied when it is on again', async () => {
    await turn(false);
    const stored = await server.postWebhook(batchOf(number1.phoneNumberId, [textMessage({ text: 'z doby vypnutí' })]));
    const forged = await fetch(`${server.url}/webhooks/whatsapp`, { method: 'POST', body: '{}' });

    expect([stored.status, forged.status]).toEqual([200, 401]);
    expect(JSON.stringify(await ask('alena', LIST))).not.toContain('z doby vypnutí');
    expect(await server.sql(`SELECT state FROM webhook_delivery WHERE state = 'RECEIVED'`)).toHaveLength(1);

    await turn(true);
    await eventually(async () => JSON.stringify(await ask('boris', LIST)).includes('z doby vypnutí'), patience(15_000));
    expect(await server.sql(`SELECT state FROM webhook_delivery WHERE state = 'RECEIVED'`)).toEqual([]);
  });
});
