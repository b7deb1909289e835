import { gql } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { conversationWith, shownConversations } from './support/conversations.ts';
import { collect, eventually } from './support/events.ts';
import { reached, rowOf, send } from './support/sends.ts';
import { number1, number2, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ settings: { LOG_LEVEL: 'error' } });
});

afterAll(() => server[Symbol.asyncDispose]());

type Who = { number?: string; userId?: string; name?: string };

let wamids = 0;

/** A text of a customer who shows the given ids, as Meta would send it. */
function wrote(who: Who, text: string, at = new Date()): Record<string, unknown> {
  wamids += 1;
  const message = {
    ...(who.number && { from: who.number }),
    ...(who.userId && { from_user_id: who.userId }),
    id: `wamid.identity-${wamids}`,
    timestamp: String(Math.floor(at.getTime() / 1000)),
    type: 'text',
    text: { body: text },
  };
  const contact = {
    profile: who.name === undefined ? {} : { name: who.name },
    ...(who.number && { wa_id: who.number }),
    ...(who.userId && { user_id: who.userId }),
  };
  return { contacts: [contact], messages: [message] };
}

function notice(from: string, system: Record<string, unknown>, at = new Date()): Record<string, unknown> {
  wamids += 1;
  const timestamp = String(Math.floor(at.getTime() / 1000));
  return { messages: [{ from, id: `wamid.notice-${wamids}`, timestamp, type: 'system', system }] };
}

function body(...values: Record<string, unknown>[]) {
  const changes = values.map((value) => ({
    field: 'messages',
    value: {
      messaging_product: 'whatsapp',
      metadata: { display_phone_number: '420777000111', phone_number_id: value.on ?? number1.phoneNumberId },
      ...value,
    },
  }));
  return { object: 'whatsapp_business_account', entry: [{ id: '100000000000001', changes }] };
}

async function post(...values: Record<string, unknown>[]): Promise<void> {
  expect((await server.postWebhook(body(...values))).status).toBe(200);
}

const named = async (name: string) => conversationWith(await server.as('cyril'), name);
const previews = (conversation: { messages: { nodes: { preview: string }[] } }) =>
  conversation.messages.nodes.map((message) => message.preview);

describe('a customer', () => {
  it('is one person under every spelling of a number in Brazil, Mexico and Argentina', async () => {
    await post(wrote({ number: '5511987654321', name: 'Brasil' }, '1'), wrote({ number: '551187654321' }, '2'));
    await post(wrote({ number: '5215512345678', name: 'México' }, '1'));
    await post(wrote({ number: '525512345678' }, '2'));
    await post(wrote({ number: '5491123456789', name: 'Argentina' }, '1'), wrote({ number: '541123456789' }, '2'));

    for (const name of ['Brasil', 'México', 'Argentina']) expect(previews(await named(name))).toEqual(['1', '2']);
  });

  it('may have no number, and gets it once Meta tells it', async () => {
    await post(wrote({ userId: 'CZ.only1', name: 'Beze Čísla' }, 'Bez čísla'));
    expect(await named('Beze Čísla')).toMatchObject({
      participant: { phoneNumber: null, businessScopedUserId: 'CZ.only1' },
      window: { state: 'OPEN' },
    });

    await post(wrote({ number: '420601110001', userId: 'CZ.only1', name: 'Beze Čísla' }, 'S číslem'));

    const conversation = await named('Beze Čísla');
    expect(previews(conversation)).toEqual(['Bez čísla', 'S číslem']);
    expect(conversation.participant.phoneNumber).toBe('+420601110001');
  });

  it('keeps the name where one is missing, and takes a new one', async () => {
    await post(wrote({ number: '420601110002', name: 'Eva Stará' }, '1'));
    await post(wrote({ number: '420601110002' }, '2'), wrote({ number: '420601110002', name: ' ' }, '3'));
    expect(previews(await named('Eva Stará'))).toHaveLength(3);

    await post(wrote({ number: '420601110002', name: 'Eva Nová 💍' }, '4'));

    expect(previews(await named('Eva Nová 💍'))).toHaveLength(4);
  });

  it('is not renamed back by a message that is told again', async () => {
    const first = wrote({ number: '420601110003', name: 'Před' }, '1');
    await post(first);
    await post(wrote({ number: '420601110003', name: 'Po' }, '2'));

    await post(first);

    expect(previews(await named('Po'))).toEqual(['1', '2']);
  });

  it('keeps the conversation with another number', async () => {
    await post(wrote({ number: '420601110004', name: 'Stěhovavý' }, 'ze starého'));
    await post(
      notice('420601110004', { type: 'user_changed_number', body: 'User changed', wa_id: '420601110005' }),
      wrote({ number: '420601110005', name: 'Stěhovavý' }, 'z nového'),
    );

    const conversation = await named('Stěhovavý');
    expect(previews(conversation)).toEqual(['ze starého', 'User changed', 'z nového']);
    expect(conversation.participant).toMatchObject({
      phoneNumber: '+420601110005',
      previousPhoneNumbers: ['+420601110004'],
    });
    expect(conversation.unreadCount).toBe(2);
  });

  it.each<[string, string, boolean]>([
    ['in one delivery', '42060300011', true],
    ['in two', '42060300012', false],
  ])('keeps it with two other numbers that are told in the wrong order, %s', async (how, prefix, atOnce) => {
    const [first, second, third] = [`${prefix}1`, `${prefix}2`, `${prefix}3`];
    const secondsAgo = (seconds: number) => new Date(Date.now() - seconds * 1000);
    const changed = (from: string, to: string, at: Date) =>
      notice(from, { type: 'user_changed_number', wa_id: to, body: `${from} → ${to}` }, at);
    const name = `Dvakrát ${how}`;
    await post(wrote({ number: first, name }, 'od prvního', secondsAgo(60)));

    const notices = [changed(second, third, secondsAgo(20)), changed(first, second, secondsAgo(40))];
    if (atOnce) await post(...notices);
    else for (const one of notices) await post(one);
    await post(wrote({ number: third, name }, 'od třetího'), wrote({ number: second }, 'od druhého', secondsAgo(30)));

    const conversation = await named(name);
    expect(conversation.participant.phoneNumber).toBe(`+${third}`);
    expect(previews(conversation).filter((text) => text.startsWith('od'))).toEqual([
      'od prvního',
      'od druhého',
      'od třetího',
    ]);
    const all = await shownConversations(await server.as('cyril'));
    expect(all.filter(({ participant }) => participant.phoneNumber?.startsWith(`+${prefix}`))).toHaveLength(1);
  });

  it('keeps the conversation with another user id', async () => {
    await post(wrote({ userId: 'CZ.before', name: 'Uživatel' }, 'před'));
    await post({
      messages: [
        {
          id: 'wamid.user-id-change',
          timestamp: String(Math.floor(Date.now() / 1000)),
          type: 'system',
          system: { type: 'user_changed_user_id', user_id: 'CZ.after', previous_user_id: 'CZ.before' },
        },
      ],
    });
    await post(wrote({ userId: 'CZ.after', name: 'Uživatel' }, 'po'));

    expect((await named('Uživatel')).participant.businessScopedUserId).toBe('CZ.after');
    expect(previews(await named('Uživatel'))).toHaveLength(3);
  });

  it('wrote with the old number before it changed, even if that comes late or is the first that is heard of them', async () => {
    const before = new Date(Date.now() - 60_000);
    await post(wrote({ number: '420601110021', name: 'Pozdní' }, 'první'));
    await post(notice('420601110021', { type: 'user_changed_number', body: 'Změna', wa_id: '420601110022' }));
    await post(wrote({ number: '420601110021', name: 'Staré jméno' }, 'opožděná', before));
    await post(notice('420601110023', { type: 'user_changed_number', body: 'Změna', wa_id: '420601110024' }));
    await post(wrote({ number: '420601110023', name: 'Neznámý' }, 'opožděná', before));
    await post(wrote({ number: '420601110024', name: 'Neznámý' }, 'nová'));
    await post(
      notice('420601110025', { type: 'user_changed_number', body: 'Změna', wa_id: '420601110026' }),
      wrote({ number: '420601110025' }, 'spolu', before),
      wrote({ number: '420601110026', name: 'Pospolu' }, 'nová'),
    );

    expect(previews(await named('Pozdní'))).toEqual(['opožděná', 'první', 'Změna']);
    expect(previews(await named('Neznámý'))).toEqual(['opožděná', 'Změna', 'nová']);
    expect(previews(await named('Pospolu'))).toEqual(['spolu', 'Změna', 'nová']);
    const strangers = await server.sql(
      `SELECT FROM participant WHERE wa_id IN ('420601110021', '420601110023', '420601110025')`,
    );
    expect(strangers).toHaveLength(0);
  });

  it('is not moved back by a late message with the number of before', async () => {
    const before = new Date(Date.now() - 60_000);
    await post(wrote({ number: '420601110031', userId: 'CZ.steady', name: 'Stálý' }, '1'));
    await post(wrote({ number: '420601110032', userId: 'CZ.steady', name: 'Stálý' }, '2'));

    await post(wrote({ number: '420601110031', userId: 'CZ.steady' }, 'opožděná', before));

    const conversation = await named('Stálý');
    expect(previews(conversation)).toEqual(['opožděná', '1', '2']);
    expect(conversation.participant.phoneNumber).toBe('+420601110032');
  });

  it('who takes over a number that somebody gave up is not mixed with them, even if the notice is told again', async () => {
    const change = notice('420601110006', { type: 'user_changed_number', body: 'Změna', wa_id: '420601110007' });
    await post(wrote({ number: '420601110006', userId: 'CZ.first', name: 'První' }, 'první'));
    await post(change);
    await post(wrote({ number: '420601110006', userId: 'CZ.second', name: 'Druhý' }, 'druhý'));

    await post(change);

    expect(previews(await named('První'))).toEqual(['první', 'Změna']);
    expect(previews(await named('Druhý'))).toEqual(['druhý']);
  });
});

describe('the real message of a ghost', () => {
  /** As WhatsApp announces what it cannot show yet: without contacts, and with whatever id it has. */
  function ghostOf(real: Record<string, unknown>, who: Who): Record<string, unknown> {
    const [ghost] = wrote(who, '').messages as Record<string, unknown>[];
    const [{ id }] = real.messages as [{ id: string }];
    const errors = [{ code: 131060, title: 'This message is unavailable' }];
    return { messages: [{ ...ghost, id, type: 'unsupported', text: undefined, errors }] };
  }

  it('tells the name, the number and the user id that the ghost did not', async () => {
    const first = wrote({ number: '420601110041', userId: 'CZ.ghost1', name: 'Zjevený' }, 'první');
    const second = wrote({ number: '420601110042', userId: 'CZ.ghost2', name: 'Zjevená' }, 'druhá');
    await post(ghostOf(first, { number: '420601110041' }));
    await post(ghostOf(second, { userId: 'CZ.ghost2' }));

    await post(first, second);

    for (const [name, phoneNumber, businessScopedUserId] of [
      ['Zjevený', '+420601110041', 'CZ.ghost1'],
      ['Zjevená', '+420601110042', 'CZ.ghost2'],
    ] as const)
      expect((await named(name)).participant).toMatchObject({ phoneNumber, businessScopedUserId });
  });

  it('makes one of the ghost and whoever had the number already', async () => {
    const real = wrote({ number: '420601110043', userId: 'CZ.ghost3', name: 'Známá' }, 'skutečná');
    await post(wrote({ number: '420601110043', name: 'Známá' }, 'dřívější'));
    await post(ghostOf(real, { userId: 'CZ.ghost3' }));

    await post(real);
    await post(real);

    const conversation = await named('Známá');
    expect(previews(conversation)).toEqual(['dřívější', 'skutečná']);
    expect(conversation.participant.businessScopedUserId).toBe('CZ.ghost3');
    expect(await server.sql(`SELECT FROM participant WHERE user_id = 'CZ.ghost3'`)).toHaveLength(1);
  });
});

const FOUND = gql`
  query Found($id: ID!, $number: Int) {
    byId: conversation(id: $id) {
      id
    }
    byNumber: conversation(number: $number) {
      id
    }
    node(id: $id) {
      id
    }
  }
`;

const REPEATED = gql`
  mutation Repeated($id: ID!, $template: ID!) {
    reply: replyToConversation(input: { conversationId: $id, text: "Jednou", idempotencyKey: "repeat-1" }) {
      replayed
      conversation {
        id
      }
      errors {
        message
      }
    }
    template: sendTemplate(input: { conversationId: $id, templateId: $template, idempotencyKey: "repeat-2" }) {
      replayed
      conversation {
        id
      }
      errors {
        message
      }
    }
    request: createRequest(
      input: { conversationId: $id, name: "Jednou", description: "", idempotencyKey: "repeat-3" }
    ) {
      replayed
      errors {
        message
      }
    }
  }
`;

describe('two that turn out to be one person', () => {
  it('show those who look at their one conversation to whoever has followed either', async () => {
    await post(wrote({ number: '420601220009', name: 'Sledovaná' }, 'A1'));
    await post(wrote({ userId: 'CZ.merge9', name: 'Sledovaný' }, 'B1'));
    const both = [await named('Sledovaná'), await named('Sledovaný')];
    const boris = server.socket(await server.tokenOf('boris'));
    const live = both.map(({ id }) =>
      collect<{ conversationPresence: unknown[] }>(
        boris,
        'subscription ($id: ID!) { conversationPresence(conversationId: $id) { operator { login } } }',
        { id },
      ),
    );
    for (const each of live) await each.take(1);

    await post(wrote({ number: '420601220009', userId: 'CZ.merge9', name: 'Jediná' }, 'C1'));
    const alena = await server.as('alena');
    for (const { id } of both)
      await alena.request(
        'mutation ($id: ID!) { setConversationPresence(input: { conversationId: $id, present: true }) { errors { code } } }',
        { id },
      );

    const looking = { conversationPresence: [{ operator: { login: 'alena' } }] };
    for (const each of live) await vi.waitFor(() => expect(each.all.at(-1)).toEqual(looking), 10_000);
  });

  it('become one conversation with every message, and the other id leads to it', async () => {
    const alena = await server.as('alena');
    const socket = server.socket(await server.tokenOf('alena'));
    const live = collect<{ events: Record<string, unknown> }>(
      socket,
      'subscription { events { __typename ... on ConversationChanged { conversationId changedFields mergedIntoId } } }',
    );
    await live.take(1);
    await post(wrote({ number: '420601220001', name: 'Číselná' }, 'A1'));
    await post(wrote({ userId: 'CZ.merge1', name: 'Jmenná' }, 'B1'));
    const byNumber = await named('Číselná');
    const byUserId = await named('Jmenná');
    const replied = await alena.request<{ replyToConversation: { errors: unknown[] } }>(
      gql`
        mutation Reply($id: ID!) {
          replyToConversation(input: { conversationId: $id, text: "Odpověď", idempotencyKey: "merge" }) {
            errors {
              message
            }
          }
        }
      `,
      { id: byNumber.id },
    );
    expect(replied.replyToConversation.errors).toEqual([]);
    await post(wrote({ userId: 'CZ.merge1' }, 'B2'));

    await post(wrote({ number: '420601220001', userId: 'CZ.merge1', name: 'Jedna' }, 'C1'));

    const merged = await named('Jedna');
    expect(previews(merged)).toEqual(['A1', 'B1', 'Odpověď', 'B2', 'C1']);
    expect(merged.messages.nodes.map((message) => message.sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(merged).toMatchObject({
      id: byNumber.id,
      participant: { phoneNumber: '+420601220001', businessScopedUserId: 'CZ.merge1' },
      beacon: { on: true },
      window: { state: 'OPEN' },
      lastMessage: { preview: 'C1' },
    });
    expect(merged.unreadCount).toBeGreaterThanOrEqual(3);
    const found = await alena.request<Record<'byId' | 'byNumber' | 'node', { id: string }>>(FOUND, {
      id: byUserId.id,
      number: byUserId.number,
    });
    expect([found.byId.id, found.byNumber.id, found.node.id]).toEqual([merged.id, merged.id, merged.id]);
    await eventually(async () =>
      live.all.some(({ events }) => events.conversationId === byUserId.id && events.mergedIntoId === merged.id),
    );
    const mark = (last: string) =>
      `markConversationRead(input: { conversationId: $old, upToMessageId: $${last} }) { conversation { unreadCount } }`;
    const [first, last] = [merged.messages.nodes[0], merged.messages.nodes.at(-1)];
    const marked = await alena.request<Record<string, { conversation: { unreadCount: number } }>>(
      `mutation Mark($old: ID!, $first: ID!, $last: ID!) { one: ${mark('first')} all: ${mark('last')} }`,
      { old: byUserId.id, first: first?.id, last: last?.id },
    );
    expect(marked.all?.conversation.unreadCount).toBe(0);
    const late = await alena.request<{ replyToConversation: { conversation: { id: string }; errors: unknown[] } }>(
      gql`
        mutation Reply($id: ID!) {
          replyToConversation(input: { conversationId: $id, text: "Do staré", idempotencyKey: "merge-2" }) {
            conversation {
              id
            }
            errors {
              message
            }
          }
        }
      `,
      { id: byUserId.id },
    );
    expect(late.replyToConversation).toEqual({ conversation: { id: merged.id }, errors: [] });
    await socket.dispose();
  });

  it('are followed on under either id, by those who followed before and by those who come after', async () => {
    const socket = server.socket(await server.tokenOf('alena'));
    const follow = (id: string) => ({
      all: collect<{ conversationEvents: { __typename: string } }>(
        socket,
        'subscription All($id: ID!) { conversationEvents(conversationId: $id) { __typename } }',
        { id },
      ),
      added: collect<{ messageAdded: { message: { preview: string } } }>(
        socket,
        'subscription Added($id: ID!) { messageAdded(conversationId: $id) { message { preview } } }',
        { id },
      ),
    });
    await post(wrote({ number: '420601225001', name: 'Druhá číselná' }, 'A1'));
    await post(wrote({ userId: 'CZ.follow1', name: 'Druhá jmenná' }, 'B1'));
    const gone = await named('Druhá jmenná');
    const before = follow(gone.id);
    await before.all.take(1);

    await post(wrote({ number: '420601225001', userId: 'CZ.follow1', name: 'Druhá jedna' }, 'C1'));
    expect((await named('Druhá jedna')).id).not.toBe(gone.id);
    await eventually(async () => before.all.all.some((one) => one.conversationEvents.__typename === 'MessageAdded'));
    const after = follow(gone.id);
    await after.all.take(1);
    await post(wrote({ userId: 'CZ.follow1' }, 'C2'));

    for (const { all, added } of [before, after]) {
      const last = async () => added.all.at(-1)?.messageAdded.message.preview === 'C2';
      await eventually(last);
      await eventually(async () => all.all.at(-1)?.conversationEvents.__typename === 'UnreadChanged');
    }
    expect(after.added.all).toHaveLength(1);
    await socket.dispose();
  });

  it('leave a repeat a repeat: what was sent to the id that is gone now gives the first result', async () => {
    await post(wrote({ number: '420601220031', name: 'Opakující' }, 'A1'));
    await post(wrote({ userId: 'CZ.repeat', name: 'Opakovaný' }, 'B1'));
    const gone = await named('Opakovaný');
    const alena = await server.as('alena');
    await alena.request('mutation { syncTemplates { added } }');
    const [template] = await server.sql<{ id: string }>(`SELECT id FROM template WHERE name = 'dobry_den'`);
    const sendAll = () =>
      alena.request<Record<'reply' | 'template' | 'request', { replayed: boolean; errors: unknown[] }>>(REPEATED, {
        id: gone.id,
        template: btoa(`Template:${template?.id}`),
      });
    const first = await sendAll();
    await post(wrote({ number: '420601220031', userId: 'CZ.repeat', name: 'Opakování' }, 'C1'));
    const merged = await named('Opakování');
    expect(merged.id).not.toBe(gone.id);

    const again = await sendAll();

    for (const sent of Object.values(first)) expect(sent).toMatchObject({ replayed: false, errors: [] });
    for (const sent of Object.values(again)) expect(sent).toMatchObject({ replayed: true, errors: [] });
    expect([again.reply, again.template]).toMatchObject([
      { conversation: { id: merged.id } },
      { conversation: { id: merged.id } },
    ]);
  });

  it('are told what became of a reply that was on its way meanwhile', async () => {
    const userId = 'CZ.onTheWay';
    await post(wrote({ number: '420601110077', name: 'Číslo' }, 'pod číslem'));
    await post(wrote({ userId, name: 'Jméno' }, 'pod jménem'));
    const { id } = await named('Jméno');
    server.sandbox.fail({ kind: 'slow', ms: 1_500, to: userId, next: 1 });
    server.sandbox.fail({ kind: 'error', code: 131026, to: userId, next: 1 });
    const boris = await server.as('boris');
    const sent = await send(boris, 'replyToConversation', { conversationId: id, text: 'Na cestě' });
    const messageId = sent.message?.id ?? '';
    const isOnItsWay = `SELECT FROM message WHERE id = $1 AND send_state = 'SENDING'`;
    await eventually(async () => (await server.sql(isOnItsWay, [rowOf(messageId)])).length === 1);

    await post(wrote({ number: '420601110077', userId, name: 'Oba' }, 'obojí'));

    expect(await reached(boris, messageId, 'FAILED')).toMatchObject({ failure: { code: 131026 } });
    expect(previews(await named('Oba'))).toEqual(['pod číslem', 'pod jménem', 'Na cestě', 'obojí']);
  });

  it('keep what was read, waived and made into requests', async () => {
    const boris = await server.as('boris');
    await post(wrote({ number: '420601330001', name: 'Přečtená' }, 'A1'), wrote({ number: '420601330001' }, 'A2'));
    await post(wrote({ userId: 'CZ.read', name: 'Nepřečtená' }, 'B1'));
    const [read, unread] = [await named('Přečtená'), await named('Nepřečtená')];
    const done = await boris.request<Record<'mark' | 'waive' | 'request', { errors: unknown[] }>>(
      gql`
        mutation Prepare($id: ID!, $last: ID!, $other: ID!) {
          mark: markConversationRead(input: { conversationId: $id, upToMessageId: $last, sendReadReceipt: false }) {
            errors {
              message
            }
          }
          waive: setNoReplyNeeded(input: { conversationId: $id, messageId: $last, value: true }) {
            errors {
              message
            }
          }
          request: createRequest(
            input: { conversationId: $other, name: "Požadavek", description: "", idempotencyKey: "merge-request" }
          ) {
            errors {
              message
            }
          }
        }
      `,
      { id: read.id, last: read.messages.nodes.at(-1)?.id, other: unread.id },
    );
    expect([done.mark.errors, done.waive.errors, done.request.errors]).toEqual([[], [], []]);

    await post(wrote({ number: '420601330001', userId: 'CZ.read', name: 'Spojená' }, 'C1'));

    const merged = await named('Spojená');
    expect(previews(merged)).toEqual(['A1', 'A2', 'B1', 'C1']);
    // A1 and A2 were read; B1 and C1 still ask, after the waived A2.
    expect(merged).toMatchObject({ unreadCount: 2, beacon: { on: true } });
    const [row] = await server.sql(
      `SELECT request_count, request_codes <> '' AS codes,
         (SELECT count(*)::int FROM request r WHERE r.conversation_id = c.id) AS requests
       FROM conversation c JOIN participant p ON p.id = c.participant_id WHERE p.user_id = 'CZ.read' AND c.merged_into_id IS NULL`,
    );
    expect(row).toEqual({ request_count: 1, codes: true, requests: 1 });
  });

  it('are recognised by a notice, also where the new number wrote before it came, on both business numbers', async () => {
    await post(wrote({ number: '420601220002', name: 'Starý' }, 'staré'));
    await post(wrote({ number: '420601220003', name: 'Nový' }, 'nové'), {
      ...wrote({ number: '420601220003', name: 'Nový' }, 'nové na druhé'),
      on: number2.phoneNumberId,
    });

    await post(notice('420601220002', { type: 'user_changed_number', body: 'Změna čísla', wa_id: '420601220003' }));

    const all = (await shownConversations(await server.as('cyril'))).filter(
      (row) => row.participant.phoneNumber === '+420601220003',
    );
    expect(all.map(previews).toSorted()).toEqual([['nové na druhé'], ['staré', 'nové', 'Změna čísla']]);
    expect(new Set(all.map((row) => row.participant.displayName))).toEqual(new Set(['Starý']));
  });

  it('are one from the start where one delivery tells everything', async () => {
    await post(
      wrote({ number: '420601220004', name: 'Vše' }, 'číslem'),
      wrote({ userId: 'CZ.all', name: 'Vše' }, 'jménem'),
      wrote({ number: '420601220004', userId: 'CZ.all', name: 'Vše' }, 'obojím'),
    );

    expect(previews(await named('Vše'))).toEqual(['číslem', 'jménem', 'obojím']);
  });

  it('stay two where the new number belongs to somebody with a user id of their own', async () => {
    await post(wrote({ number: '420601220005', name: 'Ten' }, 'ten'));
    await post(wrote({ number: '420601220006', userId: 'CZ.other', name: 'Jiný' }, 'jiný'));

    await post(
      notice('420601220005', {
        type: 'user_changed_number',
        body: 'Změna',
        wa_id: '420601220006',
        user_id: 'CZ.new',
      }),
    );

    expect(previews(await named('Jiný'))).toEqual(['jiný']);
    expect(previews(await named('Ten'))).toEqual(['ten', 'Změna']);
  });

  it('become one once, however many deliveries tell it at the same time', async () => {
    await post(wrote({ number: '420601220007', name: 'Souběh' }, 'A'));
    await post(wrote({ userId: 'CZ.race', name: 'Souběh 2' }, 'B'));

    await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        post(wrote({ number: '420601220007', userId: 'CZ.race', name: 'Souběh' }, `C${n}`)),
      ),
    );

    const merged = await named('Souběh');
    expect(merged.messages.nodes).toHaveLength(14);
    expect(new Set(merged.messages.nodes.map((message) => message.sequence)).size).toBe(14);
  });
});
