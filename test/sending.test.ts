import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GraphQLClient } from 'graphql-request';
import { beginConversation, globalOf, messageOf, reached, rowOf, send, type Begun } from './support/sends.ts';
import { eventually } from './support/events.ts';
import { scopedToken } from './support/scoped-token.ts';
import { startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;
let boris: GraphQLClient;

beforeAll(async () => {
  server = await startTestServer({ settings: { META_TIMEOUT_MS: '1000', UNKNOWN_OUTCOME_WAIT_SECONDS: '1' } });
  boris = await server.as('boris');
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => server.sandbox.clearFaults());

const ledgerOf = ({ from }: Pick<Begun, 'from'>) => server.sandbox.ledger({ to: from, kind: 'message' });
const textsTo = (begun: Begun) => ledgerOf(begun).map(({ payload }) => (payload.text as { body: string }).body);

describe('a reply', () => {
  it('reaches the customer as it was written, emoji intact to the last joiner', async () => {
    const begun = await beginConversation(server);
    const text = 'Ahoj 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 ❤️‍🔥\nžluťoučký kůň';

    const { message } = await send(boris, 'replyToConversation', {
      conversationId: begun.conversationId,
      text: ` ${text} `,
    });
    await reached(boris, message?.id ?? '', 'READ');

    expect(message).toMatchObject({ status: 'PENDING', kind: 'TEXT', content: { text } });
    expect(textsTo(begun)).toEqual([text]);
  });

  it('quotes a message of the same conversation', async () => {
    const begun = await beginConversation(server);
    const other = await beginConversation(server);
    const input = { conversationId: begun.conversationId, text: 'Ano', quotedMessageId: begun.messageId };

    const { message } = await send(boris, 'replyToConversation', input);
    const foreign = await send(boris, 'replyToConversation', { ...input, quotedMessageId: other.messageId });
    await reached(boris, message?.id ?? '', 'READ');

    expect(message?.quoted).toEqual({ id: begun.messageId });
    expect(ledgerOf(begun)).toMatchObject([{ payload: { context: { message_id: begun.wamid } } }]);
    expect(foreign.errors).toMatchObject([{ __typename: 'NotFoundError', path: ['input', 'quotedMessageId'] }]);
  });

  it.each([
    ['nothing', '', 'EMPTY'],
    ['blanks', ' \n\t ', 'EMPTY'],
    ['too much', 'x'.repeat(4_097), 'TOO_LONG'],
    ['a NUL', 'a\u0000b', 'UNREADABLE'],
  ])('of %s is refused, nothing is queued and the key stays free', async (_what, text, rule) => {
    const begun = await beginConversation(server);
    const input = { conversationId: begun.conversationId, idempotencyKey: `bad ${rule} ${text.length}` };

    const bad = await send(boris, 'replyToConversation', { ...input, text });
    const good = await send(boris, 'replyToConversation', { ...input, text: 'x'.repeat(4_096) });

    expect(bad).toMatchObject({ message: null, errors: [{ code: 'VALIDATION', rule, path: ['input', 'text'] }] });
    expect(good.errors).toEqual([]);
    const rows = await server.sql('SELECT 1 FROM message WHERE conversation_id = $1', [rowOf(begun.conversationId)]);
    expect(rows).toHaveLength(2);
  });

  it('is refused when a newer message of the customer has come than the one seen', async () => {
    const begun = await beginConversation(server);
    await beginConversation(server, { from: begun.from, text: 'A ještě něco' });
    const { conversationId } = begun;

    const stale = await send(boris, 'replyToConversation', {
      conversationId,
      text: 'Na první',
      expectedLastIncomingMessageId: begun.messageId,
    });

    expect(stale.errors).toMatchObject([
      { __typename: 'StaleStateError', latestIncomingMessageId: expect.any(String) },
    ]);
    expect(textsTo(begun)).toEqual([]);
  });

  it('outside the window is refused with its end and the templates that can be sent', async () => {
    await (await server.as('alena')).request('mutation { syncTemplates { added } }');
    const begun = await beginConversation(server, { at: new Date(Date.now() - 25 * 3_600_000) });

    const { errors } = await send(boris, 'replyToConversation', {
      conversationId: begun.conversationId,
      text: 'Pozdě',
    });

    expect(errors).toMatchObject([
      {
        __typename: 'WindowClosedError',
        code: 'WINDOW_CLOSED',
        window: { state: 'CLOSED', expiresAt: expect.any(String) },
        usableTemplates: { nodes: expect.arrayContaining([expect.objectContaining({ status: 'APPROVED' })]) },
      },
    ]);
    expect(textsTo(begun)).toEqual([]);
  });

  it('keeps its place in the conversation while the one before it is tried again', async () => {
    const begun = await beginConversation(server);
    server.sandbox.fail({ kind: 'error', code: 131000, to: begun.from, next: 1 });
    const texts = ['první', 'druhá', 'třetí'];

    for (const text of texts) await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text });

    await eventually(async () => textsTo(begun).length === 3, 20_000);
    expect(textsTo(begun)).toEqual(texts);
  });
});

describe('an answer that is lost', () => {
  it('leaves the message PENDING and unknown, is never repeated by itself, and a status with our id settles it', async () => {
    const begun = await beginConversation(server);
    server.sandbox.fail({ kind: 'drop-statuses', to: begun.from, next: 1 });
    server.sandbox.fail({ kind: 'hang', to: begun.from, next: 1 });
    const { message } = await send(boris, 'replyToConversation', {
      conversationId: begun.conversationId,
      text: 'Jednou',
    });
    const id = message?.id ?? '';

    const unknown = await eventually(async () => {
      const now = await messageOf(boris, id);
      return now.failure?.outcomeUnknown ? now : null;
    }, 10_000);
    const refused = await send(boris, 'retryMessage', { messageId: id });
    const behind = await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'Další' });
    await reached(boris, behind.message?.id ?? '', 'READ');
    const [entry] = ledgerOf(begun);
    await server.sandbox.postStatus(entry?.providerId ?? '', 'delivered');

    expect(unknown).toMatchObject({
      status: 'PENDING',
      availableActions: expect.arrayContaining(['RETRY', 'DISCARD']),
    });
    expect(refused.errors).toMatchObject([{ rule: 'DUPLICATE_RISK', path: ['input', 'acceptDuplicateRisk'] }]);
    expect(await messageOf(boris, id)).toMatchObject({ status: 'DELIVERED', failure: null });
    expect(textsTo(begun)).toEqual(['Jednou', 'Další']);
  });

  it('is sent again only by an operator who accepts the risk, under the same message', async () => {
    const begun = await beginConversation(server);
    server.sandbox.fail({ kind: 'cut', accepted: false, to: begun.from, next: 1 });
    const { message } = await send(boris, 'replyToConversation', {
      conversationId: begun.conversationId,
      text: 'Znovu',
    });
    const id = message?.id ?? '';
    await eventually(async () => (await messageOf(boris, id)).failure?.outcomeUnknown, 10_000);

    const again = await send(boris, 'retryMessage', {
      messageId: id,
      acceptDuplicateRisk: true,
      idempotencyKey: 'again',
    });
    const repeated = await send(boris, 'retryMessage', {
      messageId: id,
      acceptDuplicateRisk: true,
      idempotencyKey: 'again',
    });
    await reached(boris, id, 'READ');

    expect([again.replayed, repeated.replayed]).toEqual([false, true]);
    expect(again.message).toMatchObject({ id, status: 'PENDING', failure: null });
    expect(textsTo(begun)).toEqual(['Znovu']);
  });
});

describe('a message that failed', () => {
  it('puts the beacon back on, and its retry puts it off unless the customer wrote again', async () => {
    const begun = await beginConversation(server);
    server.sandbox.fail({ kind: 'error', code: 131026, to: begun.from, next: 1 });
    const first = await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'Zkouška' });
    const id = first.message?.id ?? '';
    const failed = await reached(boris, id, 'FAILED');
    const beacon = async () =>
      (
        await server.sql('SELECT beacon_on, beacon_reason FROM conversation WHERE id = $1', [
          rowOf(begun.conversationId),
        ])
      )[0];
    const afterFailure = await beacon();

    const retried = await send(boris, 'retryMessage', { messageId: id });
    await reached(boris, id, 'READ');

    expect(failed).toMatchObject({ failure: { code: 131026, outcomeUnknown: false } });
    expect(afterFailure).toEqual({ beacon_on: true, beacon_reason: 'REPLY_FAILED' });
    expect(retried.message).toMatchObject({ status: 'PENDING', failure: null });
    expect(await beacon()).toMatchObject({ beacon_on: false });
    expect(textsTo(begun)).toEqual(['Zkouška']);
  });

  it('is not failed again by late news of its first try', async () => {
    const begun = await beginConversation(server);
    server.sandbox.fail({ kind: 'failed-status', code: 131026, to: begun.from, next: 1 });
    const first = await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'Podruhé' });
    const id = first.message?.id ?? '';
    await reached(boris, id, 'FAILED');

    await send(boris, 'retryMessage', { messageId: id });
    await reached(boris, id, 'READ');
    const [old] = ledgerOf(begun);
    await server.sandbox.postStatus(old?.providerId ?? '', 'failed', 131026);

    expect(await messageOf(boris, id)).toMatchObject({ status: 'READ', failure: null });
    expect(ledgerOf(begun)).toHaveLength(2);
  });

  it('can be given up once and for all', async () => {
    const begun = await beginConversation(server);
    server.sandbox.fail({ kind: 'error', code: 131026, to: begun.from, next: 1 });
    const first = await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'Nic' });
    const id = first.message?.id ?? '';
    await reached(boris, id, 'FAILED');

    const discarded = await send(boris, 'discardMessage', { messageId: id });
    const twice = await send(boris, 'discardMessage', { messageId: id });
    const retried = await send(boris, 'retryMessage', { messageId: id });

    expect([discarded.errors, twice.errors]).toEqual([[], []]);
    expect(discarded.message?.availableActions).not.toContain('RETRY');
    expect(retried.errors).toMatchObject([{ rule: 'NOT_RETRYABLE' }]);
  });

  it('that Meta has accepted can neither be retried nor given up', async () => {
    const begun = await beginConversation(server);
    const { message } = await send(boris, 'replyToConversation', {
      conversationId: begun.conversationId,
      text: 'Došlo',
    });
    await reached(boris, message?.id ?? '', 'READ');

    const retried = await send(boris, 'retryMessage', { messageId: message?.id });
    const discarded = await send(boris, 'discardMessage', { messageId: message?.id });

    expect(retried.errors).toMatchObject([{ rule: 'NOT_RETRYABLE' }]);
    expect(discarded.errors).toMatchObject([{ rule: 'NOT_DISCARDABLE' }]);
  });
});

describe('a reaction', () => {
  const REACT = `mutation React($input: SetReactionInput!) { setReaction(input: $input) {
    message { reactions { emoji byCustomer operator { displayName } } } errors { __typename code ... on ValidationError { rule } } } }`;
  type Reacted = { setReaction: { message: { reactions: { emoji: string }[] } | null; errors: { rule: string }[] } };
  const react = async (messageId: string, emoji: string | null) =>
    (await boris.request<Reacted>(REACT, { input: { messageId, emoji } })).setReaction;

  it('is set, replaced and removed, and the customer sees each', async () => {
    const begun = await beginConversation(server);
    const sent = () => ledgerOf(begun).map(({ payload }) => (payload.reaction as { emoji: string }).emoji);

    const set = await react(begun.messageId, '👍🏽');
    await eventually(async () => sent().length === 1);
    await react(begun.messageId, '❤️');
    await eventually(async () => sent().length === 2);
    const removed = await react(begun.messageId, null);
    await eventually(async () => sent().length === 3);

    expect(set.message?.reactions).toEqual([
      { emoji: '👍🏽', byCustomer: false, operator: { displayName: 'Boris Svoboda' } },
    ]);
    expect(removed.message?.reactions).toEqual([]);
    expect(sent()).toEqual(['👍🏽', '❤️', '']);
    expect(ledgerOf(begun)[0]?.payload).toMatchObject({ type: 'reaction', reaction: { message_id: begun.wamid } });
  });

  it.each(['ok', '👍👍', '', 'a👍', '1'])('of %j is refused', async (emoji) => {
    const begun = await beginConversation(server);

    const { message, errors } = await react(begun.messageId, emoji);

    expect(message).toBeNull();
    expect(errors).toMatchObject([{ rule: 'NOT_ONE_EMOJI' }]);
  });

  it('that Meta refuses for good does not stay', async () => {
    const begun = await beginConversation(server);
    server.sandbox.fail({ kind: 'error', code: 131009, to: begun.from, next: 1 });

    await react(begun.messageId, '👍');

    const message = await eventually(async () => {
      const now = await messageOf<{ reactions: unknown[] }>(boris, begun.messageId);
      return now.reactions.length === 0 ? now : null;
    });
    expect(message.reactions).toEqual([]);
  });
});

describe('reading and typing', () => {
  const READ = `mutation Read($input: MarkConversationReadInput!) { markConversationRead(input: $input) { errors { code } } }`;
  const marks = (begun: Begun) =>
    server.sandbox.ledger().filter(({ kind, providerId }) => kind !== 'message' && providerId === begun.wamid);

  it('tells the customer with blue ticks, once, and only where the operator wants it', async () => {
    const told = await beginConversation(server);
    const silent = await beginConversation(server);

    for (let times = 0; times < 2; times++)
      await boris.request(READ, { input: { conversationId: told.conversationId, upToMessageId: told.messageId } });
    await boris.request(READ, {
      input: { conversationId: silent.conversationId, upToMessageId: silent.messageId, sendReadReceipt: false },
    });
    await eventually(async () => marks(told).length > 0);
    const probe = await send(boris, 'replyToConversation', { conversationId: silent.conversationId, text: 'x' });
    await reached(boris, probe.message?.id ?? '', 'READ');

    expect(marks(told).map(({ kind }) => kind)).toEqual(['mark-read']);
    expect(marks(silent)).toEqual([]);
  });

  it('shows that an operator types, but not where it would tell of a reading that nobody wanted to tell', async () => {
    const TYPE = `mutation Type($id: ID!, $typing: Boolean!) {
      setConversationPresence(input: { conversationId: $id, present: true, typing: $typing }) { errors { code } } }`;
    const type = (begun: Begun, typing: boolean) => boris.request(TYPE, { id: begun.conversationId, typing });
    const [told, silent] = [await beginConversation(server), await beginConversation(server)];
    await boris.request(READ, { input: { conversationId: told.conversationId, upToMessageId: told.messageId } });
    await boris.request(READ, {
      input: { conversationId: silent.conversationId, upToMessageId: silent.messageId, sendReadReceipt: false },
    });

    for (const begun of [silent, told]) await type(begun, true);

    await eventually(async () => marks(told).some(({ kind }) => kind === 'typing'), 10_000);
    expect(marks(silent)).toEqual([]);
    const newer = await beginConversation(server, { from: told.from, text: 'A ještě' });
    for (const typing of [false, true]) await type(told, typing);
    const jobs = await server.sql(`SELECT 1 FROM graphile_worker.jobs WHERE key LIKE 'typing:%'`);
    expect([jobs, marks(newer)]).toEqual([[], []]);
  });
});

describe('a conversation begun by us', () => {
  it('is made with its participant and goes out as a template; a second one goes on in it', async () => {
    const alena = await server.as('alena');
    await alena.request('mutation { syncTemplates { added } }');
    const [template] = await server.sql<{ id: string }>(`SELECT id FROM template WHERE name = 'dobry_den'`);
    const [number] = await server.sql<{ id: string }>('SELECT id FROM business_number WHERE slot = 1');
    const input = {
      businessNumberId: globalOf('BusinessNumber', number?.id ?? ''),
      phoneNumber: '00420 608 111 222',
      templateId: globalOf('Template', template?.id ?? ''),
    };

    const first = await send(boris, 'startConversation', { ...input, idempotencyKey: 'start' });
    const again = await send(boris, 'startConversation', { ...input, idempotencyKey: 'start' });
    const second = await send(boris, 'startConversation', input);
    await reached(boris, second.message?.id ?? '', 'READ');

    expect(first).toMatchObject({ errors: [], replayed: false, message: { status: 'PENDING', kind: 'TEMPLATE' } });
    expect(again).toMatchObject({ replayed: true, message: { id: first.message?.id } });
    const entries = server.sandbox.ledger({ to: '+420608111222' });
    expect(entries.map(({ payload }) => payload.template)).toEqual([
      { name: 'dobry_den', language: { code: 'cs' } },
      { name: 'dobry_den', language: { code: 'cs' } },
    ]);
    const rows = await server.sql(
      `SELECT c.window_announced, p.phone_number FROM conversation c JOIN participant p ON p.id = c.participant_id
       WHERE p.wa_id = '420608111222'`,
    );
    expect(rows).toEqual([{ window_announced: 'NEVER_OPENED', phone_number: '+420608111222' }]);
  });

  it('is made by a token that only writes, which is not shown it and needs one scope more to go on', async () => {
    await (await server.as('alena')).request('mutation { syncTemplates { added } }');
    const [template] = await server.sql<{ id: string }>(`SELECT id FROM template WHERE name = 'dobry_den'`);
    const [number] = await server.sql<{ id: string }>('SELECT id FROM business_number WHERE slot = 1');
    const writer = server.withToken(await scopedToken(server, ['WRITE_MESSAGES']));
    const both = server.withToken(await scopedToken(server, ['WRITE_MESSAGES', 'READ_CONVERSATIONS']));
    const { conversationId } = await beginConversation(server);
    const input = {
      businessNumberId: globalOf('BusinessNumber', number?.id ?? ''),
      phoneNumber: '+420608111333',
      templateId: globalOf('Template', template?.id ?? ''),
    };

    expect(await send(writer, 'startConversation', input)).toMatchObject({ errors: [], message: null });
    await eventually(async () => server.sandbox.ledger({ to: '+420608111333' }).length === 1);
    expect(await send(writer, 'replyToConversation', { conversationId, text: 'Ano' })).toMatchObject({
      message: null,
      errors: [{ code: 'FORBIDDEN', message: 'This token lacks READ_CONVERSATIONS.' }],
    });
    expect((await send(both, 'replyToConversation', { conversationId, text: 'Ano' })).errors).toEqual([]);
  });
});
