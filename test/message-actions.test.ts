import type { GraphQLClient } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/events.ts';
import { files } from './support/sample-files.ts';
import { beginConversation, globalOf, messageOf, reached, rowOf, send, type Begun } from './support/sends.ts';
import { startTestServer, type TestServer } from './support/server.ts';
import { uploadFile } from './support/upload.ts';

let server: TestServer;
let boris: GraphQLClient;

beforeAll(async () => {
  server = await startTestServer({ settings: { META_TIMEOUT_MS: '500', UNKNOWN_OUTCOME_WAIT_SECONDS: '1' } });
  boris = await server.as('boris');
  await boris.request('mutation { syncTemplates { added } }');
});
afterAll(() => server[Symbol.asyncDispose]());

let lastRequest = 0;

type Case = { conversationId: string; messageId: string };

const situations: Record<string, () => Promise<Case>> = {
  'a customer message': async () => caseOf(await beginConversation(server)),
  'a customer message after the window': async () =>
    caseOf(await beginConversation(server, { at: new Date(Date.now() - 25 * 3_600_000) })),
  'a customer message that Meta no longer knows': async () => {
    const begun = await beginConversation(server);
    await server.sql(`UPDATE message SET sent_at = now() - interval '31 days' WHERE id = $1`, [rowOf(begun.messageId)]);
    return caseOf(begun);
  },
  'a withdrawn customer message': async () => {
    const begun = await beginConversation(server);
    await server.sql('UPDATE message SET withdrawn_at = now() WHERE id = $1', [rowOf(begun.messageId)]);
    return caseOf(begun);
  },
  'a reply that was read': async () => reply('READ'),
  'a reply that failed': async () => reply('FAILED', { kind: 'error', code: 131026 }),
  'a reply that failed and was given up': async () => {
    const failed = await reply('FAILED', { kind: 'error', code: 131026 });
    await send(boris, 'discardMessage', { messageId: failed.messageId });
    return failed;
  },
  'a reply that failed before the window closed': async () => {
    const failed = await reply('FAILED', { kind: 'error', code: 131026 });
    await server.sql(`UPDATE conversation SET window_expires_at = now() - interval '1 second' WHERE id = $1`, [
      rowOf(failed.conversationId),
    ]);
    return failed;
  },
  'a reply with an unknown outcome': async () => {
    const lost = await reply('PENDING', { kind: 'cut', accepted: false });
    await eventually(async () => (await messageOf(boris, lost.messageId)).failure?.outcomeUnknown, 10_000);
    return lost;
  },
  'a reply that waits': async () => {
    const begun = await beginConversation(server);
    await server.sql(`UPDATE conversation SET send_paused_until = now() + interval '1 hour' WHERE id = $1`, [
      rowOf(begun.conversationId),
    ]);
    const { message } = await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'x' });
    return { conversationId: begun.conversationId, messageId: message?.id ?? '' };
  },
  'a reply with a file': async () => {
    const begun = await beginConversation(server);
    const attachmentId = await uploadFile(server, files.png, 'a.png');
    const { message } = await send(boris, 'replyToConversation', {
      conversationId: begun.conversationId,
      attachmentId,
    });
    await reached(boris, message?.id ?? '', 'READ');
    return { conversationId: begun.conversationId, messageId: message?.id ?? '' };
  },
  'a customer message that was filed under a request': async () => {
    const begun = await beginConversation(server);
    const newer = await beginConversation(server, { from: begun.from, text: 'A ještě' });
    const requestId = await createRequest(begun.conversationId, newer.messageId);
    await changeLink('linkMessageToRequest', begun.messageId, requestId);
    return caseOf(begun);
  },
  'a customer message that a request was made of': async () => {
    const begun = await beginConversation(server);
    await createRequest(begun.conversationId, begun.messageId);
    return caseOf(begun);
  },
  'a template that failed': async () => template('dobry_den'),
  'a template that failed and cannot be sent any more': async () => {
    const failed = await template('hello_again');
    await server.sql(`UPDATE template SET status = 'PAUSED' WHERE name = 'hello_again'`);
    return failed;
  },
  'a customer message to a number that was replaced': async () => {
    const begun = await beginConversation(server, { phoneNumberId: '100000000000012' });
    await server.sql('UPDATE business_number SET active = false WHERE slot = 2');
    return caseOf(begun);
  },
};

/** Does what an action stands for; null where the server refused. */
const actions: Record<string, (one: Case) => Promise<boolean>> = {
  QUOTE: async ({ conversationId, messageId }) =>
    isDone(await send(boris, 'replyToConversation', { conversationId, text: 'k tomu', quotedMessageId: messageId })),
  REACT: async ({ messageId }) => {
    const mutation = `mutation React($id: ID!) { setReaction(input: { messageId: $id, emoji: "👍" }) { errors { code } } }`;
    const { setReaction } = await boris.request<{ setReaction: { errors: unknown[] } }>(mutation, { id: messageId });
    return setReaction.errors.length === 0;
  },
  CREATE_REQUEST: async ({ conversationId, messageId }) => (await createRequest(conversationId, messageId)) !== '',
  LINK_TO_REQUEST: async ({ conversationId, messageId }) =>
    changeLink('linkMessageToRequest', messageId, await requestOf(conversationId)),
  UNLINK_FROM_REQUEST: async ({ messageId }) => {
    // Taking out what is not in is no mistake: the action stands for something that changes.
    const [link] = await server.sql<{ request_id: string }>(
      'SELECT request_id FROM message_request_link WHERE message_id = $1',
      [rowOf(messageId)],
    );
    if (!link) return false;
    return changeLink('unlinkMessageFromRequest', messageId, globalOf('Request', link.request_id));
  },
  RETRY: async ({ messageId }) => isDone(await send(boris, 'retryMessage', { messageId, acceptDuplicateRisk: true })),
  DISCARD: async ({ messageId }) => isDone(await send(boris, 'discardMessage', { messageId })),
};

describe('what is offered for a message', () => {
  it.each(Object.entries(situations))('%s: can be done, and nothing else can', async (name, make) => {
    const tries = Object.entries(actions).map(
      ([action, act]) =>
        () =>
          tryAction(action, act, make),
    );

    // What is shared by all is changed by these, so that one waits for the other.
    const results = sharing.has(name) ? await oneByOne(tries) : await Promise.all(tries.map((one) => one()));

    expect(results.map(({ action, isDone }) => [action, isDone])).toEqual(
      results.map(({ action, isOffered }) => [action, isOffered]),
    );
  });

  it('tells who may only read that nothing can be done but looking', async () => {
    const { messageId } = (await situations['a reply that failed']?.()) ?? { messageId: '' };

    const shown = await messageOf(await server.as('cyril'), messageId);

    expect(shown.availableActions).toEqual(['COPY_TEXT', 'SHOW_STATUS_HISTORY']);
  });

  it('offers a download where there is a file, and the link works', async () => {
    const { messageId } = (await situations['a reply with a file']?.()) ?? { messageId: '' };
    const { node } = await boris.request<{ node: { availableActions: string[]; attachments: { url: string }[] } }>(
      'query One($id: ID!) { node(id: $id) { ... on Message { availableActions attachments { url } } } }',
      { id: messageId },
    );

    expect(node.availableActions).toContain('DOWNLOAD');
    expect((await fetch(node.attachments[0]?.url ?? '')).status).toBe(200);
  });
});

describe('what the viewer can do in a conversation', () => {
  const CAN = `query Can($id: ID!) { conversation(id: $id) { viewerCan { reply replyFreeForm sendTemplate createRequest } } }`;
  type Can = { conversation: { viewerCan: { reply: boolean; replyFreeForm: boolean; sendTemplate: boolean } } };
  const viewerCan = async (client: GraphQLClient, id: string) =>
    (await client.request<Can>(CAN, { id })).conversation.viewerCan;

  it.each([
    ['an open window', {}, { reply: true, replyFreeForm: true, sendTemplate: true }],
    [
      'a closed window',
      { at: new Date(Date.now() - 25 * 3_600_000) },
      { reply: true, replyFreeForm: false, sendTemplate: true },
    ],
  ])('with %s is what the mutations do', async (_what, options, expected) => {
    const { conversationId } = await beginConversation(server, options);
    const [row] = await server.sql<{ id: string }>(`SELECT id FROM template WHERE name = 'dobry_den'`);

    const can = await viewerCan(boris, conversationId);
    const reply = await send(boris, 'replyToConversation', { conversationId, text: 'x' });
    const templated = await send(boris, 'sendTemplate', {
      conversationId,
      templateId: globalOf('Template', row?.id ?? ''),
    });

    expect(can).toMatchObject(expected);
    expect([isDone(reply), isDone(templated)]).toEqual([expected.replyFreeForm, expected.sendTemplate]);
  });

  it('is nothing for those who may only read, and while the module is off', async () => {
    const { conversationId } = await beginConversation(server);
    const nothing = { reply: false, replyFreeForm: false, sendTemplate: false, createRequest: false };

    expect(await viewerCan(await server.as('cyril'), conversationId)).toEqual(nothing);
  });
});

const sharing = new Set([
  'a template that failed and cannot be sent any more',
  'a customer message to a number that was replaced',
]);

async function tryAction(action: string, act: (one: Case) => Promise<boolean>, make: () => Promise<Case>) {
  const one = await make();
  const { availableActions } = await messageOf(boris, one.messageId);
  // Giving up twice is no mistake, although it is not offered.
  const isRepeat = action === 'DISCARD' && (await isDiscarded(one.messageId));
  const isDone = await act(one);
  return { action, isDone, isOffered: availableActions.includes(action) || isRepeat };
}

async function oneByOne<T>(tries: (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  for (const one of tries) {
    results.push(await one());
    await server.sql('UPDATE business_number SET active = true WHERE slot = 2');
    await server.sql(`UPDATE template SET status = 'APPROVED' WHERE name = 'hello_again'`);
  }
  return results;
}

/** The id of the new request, or nothing where it was refused. */
async function createRequest(conversationId: string, sourceMessageId: string): Promise<string> {
  const mutation = `mutation Create($input: CreateRequestInput!) { createRequest(input: $input) { request { id } errors { code message } } }`;
  const input = {
    conversationId,
    sourceMessageId,
    name: 'Zkouška',
    description: 'x',
    idempotencyKey: `request ${++lastRequest}`,
  };
  const { createRequest: created } = await boris.request<{ createRequest: { request: { id: string } | null } }>(
    mutation,
    { input },
  );
  return created.request?.id ?? '';
}

/** Any request of the conversation; one that does not exist where there is none. */
async function requestOf(conversationId: string): Promise<string> {
  const [row] = await server.sql<{ id: string }>('SELECT id FROM request WHERE conversation_id = $1', [
    rowOf(conversationId),
  ]);
  return globalOf('Request', row?.id ?? '00000000-0000-7000-8000-000000000000');
}

async function changeLink(
  mutation: 'linkMessageToRequest' | 'unlinkMessageFromRequest',
  messageId: string,
  requestId: string,
): Promise<boolean> {
  const document = `mutation Link($input: MessageRequestInput!) { ${mutation}(input: $input) { errors { code } } }`;
  const result = await boris.request<Record<string, { errors: unknown[] }>>(document, {
    input: { messageId, requestId },
  });
  return result[mutation]?.errors.length === 0;
}

function caseOf({ conversationId, messageId }: Begun): Case {
  return { conversationId, messageId };
}

async function reply(status: string, fault?: Parameters<TestServer['sandbox']['fail']>[0]): Promise<Case> {
  const begun = await beginConversation(server);
  if (fault) server.sandbox.fail({ ...fault, to: begun.from, next: 1 });
  const { message } = await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'x' });
  await reached(boris, message?.id ?? '', status);
  return { conversationId: begun.conversationId, messageId: message?.id ?? '' };
}

async function template(name: string): Promise<Case> {
  const begun = await beginConversation(server);
  server.sandbox.fail({ kind: 'error', code: 131026, to: begun.from, next: 1 });
  const [row] = await server.sql<{ id: string }>('SELECT id FROM template WHERE name = $1', [name]);
  const { message } = await send(boris, 'sendTemplate', {
    conversationId: begun.conversationId,
    templateId: globalOf('Template', row?.id ?? ''),
  });
  await reached(boris, message?.id ?? '', 'FAILED');
  return { conversationId: begun.conversationId, messageId: message?.id ?? '' };
}

function isDone({ errors }: { errors: unknown[] }): boolean {
  return errors.length === 0;
}

async function isDiscarded(messageId: string): Promise<boolean> {
  const [row] = await server.sql<{ done: boolean }>(
    'SELECT discarded_at IS NOT NULL AS done FROM message WHERE id = $1',
    [rowOf(messageId)],
  );
  return row?.done ?? false;
}
