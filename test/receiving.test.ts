import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conversationWith, type ShownConversation } from './support/conversations.ts';
import { batchOf, statusOf, textMessage, type Element } from './support/payloads.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ settings: { LOG_LEVEL: 'error' } });
});

afterAll(() => server[Symbol.asyncDispose]());

let customers = 0;

/** A customer of one test alone. */
function newCustomer() {
  customers += 1;
  const from = String(420_610_000_000 + customers);
  return { from, shown: async () => conversationWith(await server.as('cyril'), `Customer ${from}`) };
}

async function post(...elements: Element[]): Promise<void> {
  expect((await server.postWebhook(batchOf(number1.phoneNumberId, elements))).status).toBe(200);
}

/** A change of another field than `messages`, with its elements under their own key. */
async function postField(field: string, value: Record<string, unknown>): Promise<void> {
  const metadata = { display_phone_number: '420777000111', phone_number_id: number1.phoneNumberId };
  const changes = [{ field, value: { messaging_product: 'whatsapp', metadata, ...value } }];
  const body = { object: 'whatsapp_business_account', entry: [{ id: '100000000000001', changes }] };
  expect((await server.postWebhook(body)).status).toBe(200);
}

/** Whatever is in `more`, with the rest of a message around it. */
function message(from: string, more: Element): Element {
  const { text: _, ...rest } = textMessage({ from });
  return { ...rest, ...more };
}

const seconds = (at: Date) => String(Math.floor(at.getTime() / 1000));
const last = (conversation: ShownConversation) => conversation.messages.nodes.at(-1);
const eventsOf = async (type: string) =>
  (await server.sql<{ n: number }>('SELECT count(*)::int AS n FROM event WHERE type = $1', [type]))[0]?.n ?? 0;

describe('every kind of message', () => {
  it.each<[string, Element, { kind: string; preview?: string; content: object }]>([
    ['text', { type: 'text', text: { body: 'Dobrý den 👩‍👩‍👧‍👦' } }, { kind: 'TEXT', content: { text: 'Dobrý den 👩‍👩‍👧‍👦' } }],
    [
      'image',
      { type: 'image', image: { caption: 'Účet' } },
      { kind: 'IMAGE', preview: 'Účet', content: { caption: 'Účet' } },
    ],
    ['video', { type: 'video', video: {} }, { kind: 'VIDEO', preview: 'Video', content: { caption: null } }],
    ['audio', { type: 'audio', audio: { voice: false } }, { kind: 'AUDIO', content: { __typename: 'MediaContent' } }],
    [
      'voice note',
      { type: 'audio', audio: { voice: true } },
      { kind: 'VOICE', content: { __typename: 'MediaContent' } },
    ],
    [
      'document',
      { type: 'document', document: { filename: 'Smlouva.pdf' } },
      {
        kind: 'DOCUMENT',
        preview: 'Smlouva.pdf',
        content: { attachment: { fileName: 'Smlouva.pdf', state: 'FAILED' } },
      },
    ],
    [
      'sticker',
      { type: 'sticker', sticker: { animated: true } },
      { kind: 'STICKER', content: { __typename: 'MediaContent' } },
    ],
    [
      'location',
      { type: 'location', location: { latitude: '50.08', longitude: 14.42, name: 'Praha' } },
      { kind: 'LOCATION', preview: 'Praha', content: { latitude: 50.08, longitude: 14.42, name: 'Praha' } },
    ],
    [
      'contacts',
      { type: 'contacts', contacts: [{ name: { formatted_name: 'Jan Novák' }, phones: [{ phone: '+420 777 1' }] }] },
      { kind: 'CONTACTS', content: { contacts: [{ name: 'Jan Novák', phoneNumbers: ['+420 777 1'] }] } },
    ],
    [
      'template button',
      { type: 'button', button: { payload: 'yes', text: 'Ano' }, context: { from: '1', id: 'wamid.never-here' } },
      { kind: 'INTERACTIVE_REPLY', content: { replyId: 'yes', title: 'Ano' } },
    ],
    [
      'button reply',
      { type: 'interactive', interactive: { type: 'button_reply', button_reply: { id: 'b1', title: 'První' } } },
      { kind: 'INTERACTIVE_REPLY', content: { replyId: 'b1', title: 'První', description: null } },
    ],
    [
      'list reply',
      {
        type: 'interactive',
        interactive: { type: 'list_reply', list_reply: { id: 'l', title: 'T', description: 'D' } },
      },
      { kind: 'INTERACTIVE_REPLY', content: { replyId: 'l', title: 'T', description: 'D' } },
    ],
    [
      'form',
      {
        type: 'interactive',
        interactive: {
          type: 'nfm_reply',
          nfm_reply: { name: 'flow', body: 'Sent', response_json: '{"datum":"1. 1."}' },
        },
      },
      { kind: 'INTERACTIVE_REPLY', content: { title: 'Sent', description: 'datum: 1. 1.' } },
    ],
    [
      'order',
      { type: 'order', order: { catalog_id: 'c', product_items: [{ product_retailer_id: 'sku', quantity: '2' }] } },
      { kind: 'INTERACTIVE_REPLY', preview: 'Order: 2 × sku', content: { replyId: 'c' } },
    ],
    [
      'unsupported',
      {
        type: 'unsupported',
        unsupported: { type: 'poll_creation' },
        errors: [{ code: 131051, title: 'Unsupported', error_data: { details: 'Not supported' } }],
      },
      { kind: 'UNSUPPORTED', content: { providerType: 'unsupported.poll_creation', reason: 'Not supported' } },
    ],
    [
      'a type from the future',
      { type: 'hologram', hologram: { id: 1 } },
      { kind: 'UNSUPPORTED', content: { providerType: 'hologram', reason: null } },
    ],
    ['no type at all', { type: undefined }, { kind: 'UNSUPPORTED', content: { providerType: 'unknown' } }],
    [
      'a type that every object inherits',
      { type: '__proto__' },
      { kind: 'UNSUPPORTED', content: { providerType: '__proto__' } },
    ],
  ])('%s', async (_name, more, expected) => {
    const { from, shown } = newCustomer();

    await post(message(from, more));

    const conversation = await shown();
    expect(last(conversation)).toMatchObject({ direction: 'INCOMING', origin: 'CUSTOMER', status: null, ...expected });
    expect(conversation).toMatchObject({
      unreadCount: 1,
      beacon: { on: true, reason: 'CUSTOMER_MESSAGE' },
      window: { state: 'OPEN', openedBy: 'CUSTOMER_MESSAGE' },
    });
  });

  it('keeps its text to the letter, whatever stands in it', async () => {
    const { from, shown } = newCustomer();
    const texts = [
      'NULL',
      'null',
      '{a,"b"}',
      '\\',
      '\\" \\\\"',
      ' space, comma ',
      'one\ntwo\ttabs',
      "it's $1",
      '}{,',
      '\u00a0',
    ];
    await post(...texts.map((text) => textMessage({ from, text })));
    const { messages } = await shown();
    expect(messages.nodes.map(({ content }) => content.text)).toEqual(texts);
  });

  it('request_welcome is a notice: it asks for nothing', async () => {
    const { from, shown } = newCustomer();

    await post(message(from, { type: 'request_welcome' }));

    expect(await shown()).toMatchObject({
      unreadCount: 0,
      beacon: { on: false },
      window: { state: 'NEVER_OPENED' },
      lastMessage: null,
      messages: { nodes: [{ kind: 'SYSTEM', content: { __typename: 'SystemContent' } }] },
    });
  });

  it('is marked as forwarded, and tells the advertisement it came from', async () => {
    const { from, shown } = newCustomer();

    await post(
      message(from, {
        text: { body: 'z reklamy' },
        context: { frequently_forwarded: true },
        referral: { headline: 'Sleva', ctwa_clid: 'click', source_type: 'ad' },
      }),
    );

    expect(last(await shown())).toMatchObject({ forwarded: true, referral: { headline: 'Sleva', clickId: 'click' } });
  });

  it('shows the message that it quotes, also where that one comes later, and never somebody else’s', async () => {
    const { from, shown } = newCustomer();
    const other = newCustomer();
    await post(message(other.from, { id: 'wamid.foreign', text: { body: 'cizí' } }));

    await post(
      message(from, { text: { body: 'odpověď' }, context: { from, id: 'wamid.quoted-later' } }),
      message(from, { text: { body: 'cizí citace' }, context: { from, id: 'wamid.foreign' } }),
      message(from, { text: { body: 'nikdy nebyla' }, context: { from, id: 'wamid.never-stored' } }),
    );
    await post(message(from, { id: 'wamid.quoted-later', text: { body: 'otázka' } }));

    const { messages } = await shown();
    expect(messages.nodes.map(({ preview, quoted }) => [preview, quoted?.preview ?? null])).toEqual([
      ['odpověď', 'otázka'],
      ['cizí citace', null],
      ['nikdy nebyla', null],
      ['otázka', null],
    ]);
  });
});

describe('a ghost', () => {
  const ghost = (from: string, id: string) =>
    message(from, {
      id,
      type: 'unsupported',
      text: undefined,
      errors: [{ code: 131060, title: 'This message is unavailable' }],
    });

  it('is replaced in place by the real message with its id, told by messageUpdated, and never comes back', async () => {
    const { from, shown } = newCustomer();
    await post(ghost(from, 'wamid.ghost-1'));
    const before = await shown();
    expect(last(before)).toMatchObject({ kind: 'UNSUPPORTED', failure: { code: 131060 } });
    const updated = await eventsOf('MESSAGE_UPDATED');

    await post(
      message(from, { id: 'wamid.ghost-1', text: { body: 'Skutečná' }, referral: { headline: 'Reklama' } }),
      ghost(from, 'wamid.ghost-1'),
    );

    const after = await shown();
    expect(last(after)).toMatchObject({
      id: last(before)?.id,
      kind: 'TEXT',
      preview: 'Skutečná',
      failure: null,
      referral: { headline: 'Reklama' },
    });
    expect(after).toMatchObject({ unreadCount: 1, lastMessage: { preview: 'Skutečná' } });
    expect(after.messages.nodes).toHaveLength(1);
    expect(await eventsOf('MESSAGE_UPDATED')).toBe(updated + 1);
  });

  it('that was edited meanwhile keeps the edit', async () => {
    const { from, shown } = newCustomer();
    const edit = message(from, {
      type: 'edit',
      text: undefined,
      edit: { original_message_id: 'wamid.ghost-2', message: { type: 'text', text: { body: 'Upravená' } } },
    });

    await post(ghost(from, 'wamid.ghost-2'), edit, message(from, { id: 'wamid.ghost-2', text: { body: 'Původní' } }));

    expect(last(await shown())).toMatchObject({ kind: 'TEXT', preview: 'Upravená', failure: null });
  });

  it('of an imported history is replaced by its file', async () => {
    const { from, shown } = newCustomer();
    const id = 'wamid.placeholder-1';
    const thread = {
      id: from,
      messages: [
        message(from, { id, type: 'media_placeholder', text: undefined, history_context: { status: 'READ' } }),
      ],
    };
    await postField('history', {
      history: [{ metadata: { phase: 0, chunk_order: 1, progress: 10 }, threads: [thread] }],
      contacts: [{ wa_id: from, profile: { name: `Customer ${from}` } }],
    });
    expect(last(await shown())).toMatchObject({ kind: 'UNSUPPORTED' });

    await postField('history', { messages: [message(from, { id, type: 'image', image: { caption: 'Ze zálohy' } })] });

    const conversation = await shown();
    expect(conversation.messages.nodes).toHaveLength(1);
    expect(last(conversation)).toMatchObject({ kind: 'IMAGE', preview: 'Ze zálohy' });
    expect(conversation).toMatchObject({ unreadCount: 0, beacon: { on: false }, window: { state: 'NEVER_OPENED' } });
  });
});

describe('what changes a message', () => {
  const edit = (from: string, target: string, text: string, told: { id?: string; at?: Date } = {}) =>
    message(from, {
      ...(told.id && { id: told.id }),
      ...(told.at && { timestamp: seconds(told.at) }),
      type: 'edit',
      text: undefined,
      edit: { original_message_id: target, message: { type: 'text', text: { body: text } } },
    });
  const revoke = (from: string, target: string) =>
    message(from, { type: 'revoke', text: undefined, revoke: { original_message_id: target } });
  const reaction = (from: string, target: string, emoji: string | undefined, at?: Date) =>
    message(from, {
      type: 'reaction',
      text: undefined,
      ...(at && { timestamp: seconds(at) }),
      reaction: { message_id: target, ...(emoji !== undefined && { emoji }) },
    });

  it('an edit replaces the text and nothing else; the newest holds', async () => {
    const { from, shown } = newCustomer();
    const begin = Date.now() - 60 * 60_000;
    const at = (minutes: number) => new Date(begin + minutes * 60_000);
    await post(textMessage({ from, id: 'wamid.edited-1', text: 'Prvni', at: at(0) }));
    const first = await shown();

    await post(edit(from, 'wamid.edited-1', 'Druhá', { id: 'e2', at: at(5) }));
    await post(edit(from, 'wamid.edited-1', 'První', { id: 'e1', at: at(3) }));
    await post(edit(from, 'wamid.edited-1', 'Druhá', { id: 'e2', at: at(5) }));

    const after = await shown();
    expect(last(after)).toMatchObject({
      preview: 'Druhá',
      editedAt: new Date(Number(seconds(at(5))) * 1000).toISOString(),
    });
    expect([after.beacon, after.unreadCount, after.window.expiresAt]).toEqual([
      first.beacon,
      first.unreadCount,
      first.window.expiresAt,
    ]);
    expect(after.lastMessage?.preview).toBe('Druhá');
  });

  it('an edit or withdrawal by somebody else than the author is refused', async () => {
    const { from, shown } = newCustomer();
    await post(textMessage({ from, id: 'wamid.mine', text: 'Moje' }));

    await postField('smb_message_echoes', {
      message_echoes: [
        { ...edit('420777000111', 'wamid.mine', 'Podvrh'), to: from },
        { ...revoke('420777000111', 'wamid.mine'), to: from },
      ],
    });

    expect(last(await shown())).toMatchObject({ preview: 'Moje', editedAt: null, deletedByCustomerAt: null });
  });

  it('withdrawing the only unanswered message puts the beacon out, the other ones do not', async () => {
    const { from, shown } = newCustomer();
    await post(textMessage({ from, id: 'wamid.w1' }), textMessage({ from, id: 'wamid.w2' }));

    await post(revoke(from, 'wamid.w1'));
    expect((await shown()).beacon).toMatchObject({ on: true });
    await post(revoke(from, 'wamid.w2'), revoke(from, 'wamid.w2'));

    const conversation = await shown();
    expect(conversation.beacon).toMatchObject({ on: false, reason: 'TRIGGER_WITHDRAWN' });
    expect(last(conversation)?.deletedByCustomerAt).not.toBeNull();
  });

  it('a reaction hangs on its message, the newest holds, and removing leaves none', async () => {
    const { from, shown } = newCustomer();
    const begin = Date.now() - 60 * 60_000;
    const at = (minutes: number) => new Date(begin + minutes * 60_000);
    await post(textMessage({ from, id: 'wamid.r1', at: at(0) }));
    const before = await shown();

    await post(reaction(from, 'wamid.r1', '❤️', at(2)), reaction(from, 'wamid.r1', '👍', at(1)));
    expect(last(await shown())?.reactions).toEqual([{ emoji: '❤️', byCustomer: true }]);
    await post(reaction(from, 'wamid.r1', undefined, at(3)), reaction(from, 'wamid.r1', '❤️', at(2)));

    const after = await shown();
    expect(last(after)?.reactions).toEqual([]);
    expect([after.unreadCount, after.beacon, after.lastMessageAt, after.window.expiresAt]).toEqual([
      before.unreadCount,
      before.beacon,
      before.lastMessageAt,
      before.window.expiresAt,
    ]);
  });

  it('waits for its message where it comes first, also where two processes miss each other, and is given up after a day', async () => {
    const { from, shown } = newCustomer();
    await post(
      edit(from, 'wamid.later', 'Opraveno'),
      reaction(from, 'wamid.later', '🙏'),
      reaction(from, 'wamid.nobody-knows', '👻'),
    );
    await post(textMessage({ from, id: 'wamid.later', text: 'Pozdě' }));

    expect(last(await shown())).toMatchObject({ preview: 'Opraveno', reactions: [{ emoji: '🙏', byCustomer: true }] });
    await post(textMessage({ from, id: 'wamid.unseen' }));
    await server.sql(
      `INSERT INTO parked_item (id, key, target_provider_id, item) VALUES (gen_random_uuid(), 'unseen', 'wamid.unseen', $1)`,
      [
        {
          type: 'revoke',
          phoneNumberId: number1.phoneNumberId,
          providerId: 'r',
          from: 'customer',
          participant: { waId: from, userId: null, profileName: null },
          targetProviderId: 'wamid.unseen',
          at: null,
        },
      ],
    );
    await expect.poll(async () => last(await shown())?.deletedByCustomerAt, { timeout: 30_000 }).not.toBeNull();
    await server.sql(
      `UPDATE parked_item SET received_at = now() - interval '24 hours 1 minute' WHERE target_provider_id = 'wamid.nobody-knows'`,
    );
    await expect
      .poll(() => server.sql(`SELECT FROM parked_item WHERE target_provider_id = 'wamid.nobody-knows'`), {
        timeout: 30_000,
      })
      .toHaveLength(0);
  });
});

describe('the phone app', () => {
  const echo = (to: string, more: Element = {}) => ({
    ...message('420777000111', { text: { body: 'Z telefonu' }, ...more }),
    to,
  });

  it('answers: the beacon goes out, the messages are read, nobody is named, and the window stays as it was', async () => {
    const { from, shown } = newCustomer();
    await post(textMessage({ from }));
    const before = await shown();

    await postField('smb_message_echoes', { message_echoes: [echo(from)] });

    const after = await shown();
    expect(last(after)).toMatchObject({ direction: 'OUTGOING', origin: 'PHONE_APP_ECHO', status: 'SENT' });
    expect(after).toMatchObject({ unreadCount: 0, beacon: { on: false, reason: 'OPERATOR_REPLIED' } });
    expect(after.window).toEqual(before.window);
  });

  it('writes first: a conversation begins, and no window', async () => {
    const { from } = newCustomer();

    await postField('smb_message_echoes', { message_echoes: [echo(from, { id: 'wamid.echo-first' })] });
    await post({ ...statusOf({ id: 'x', status: 'sent' }), type: 'unsupported', id: undefined });

    const conversation = await conversationWith(await server.as('cyril'), `+${from}`);
    expect(conversation).toMatchObject({ window: { state: 'NEVER_OPENED' }, beacon: { on: false } });
  });

  it('has statuses like any other message', async () => {
    const { from } = newCustomer();
    await postField('smb_message_echoes', { message_echoes: [echo(from, { id: 'wamid.echo-status' })] });

    await postField('messages', { statuses: [statusOf({ id: 'wamid.echo-status', status: 'read' })] });

    expect(last(await conversationWith(await server.as('cyril'), `+${from}`))?.status).toBe('READ');
  });
});

describe('a status', () => {
  const begin = Math.floor(Date.now() / 1000) * 1000;
  const minutes = (n: number) => new Date(begin + n * 60_000);
  const failure = [
    {
      code: 131026,
      title: 'Message undeliverable',
      message: 'Message undeliverable',
      error_data: { details: 'The customer has an old version.' },
    },
  ];

  /** A customer asked, and the phone app answered: the answer has the given id. */
  async function answered(id: string, askedAt = new Date()) {
    const { from, shown } = newCustomer();
    await post(textMessage({ from, text: 'otázka', at: askedAt }));
    await postField('smb_message_echoes', {
      message_echoes: [{ ...message('420777000111', { id, text: { body: 'odpověď' } }), to: from }],
    });
    const tell = (status: string, at: Date, errors?: unknown[]) =>
      postField('messages', { statuses: [statusOf({ id, status, at, ...(errors && { errors }) })] });
    return { from, shown, tell };
  }

  it.each<[string, string[], string, string[]]>([
    ['read, then delivered, then sent', ['read', 'delivered', 'sent'], 'READ', ['SENT', 'DELIVERED', 'READ']],
    ['read alone: delivered is inferred', ['read'], 'READ', ['DELIVERED*', 'READ']],
    ['played counts as read', ['played'], 'READ', ['DELIVERED*', 'READ']],
    ['failed after delivered is only history', ['delivered', 'failed'], 'DELIVERED', ['FAILED', 'DELIVERED']],
    ['delivered after failed wins', ['failed', 'delivered'], 'DELIVERED', ['FAILED', 'DELIVERED']],
    ['sent after failed changes nothing', ['failed', 'sent'], 'FAILED', ['FAILED', 'SENT']],
    ['a word that nobody knows changes nothing', ['in_orbit'], 'SENT', []],
  ])('%s', async (fact, words, status, history) => {
    const { shown, tell } = await answered(`wamid.status ${fact}`);
    const ranks = ['failed', 'sent', 'delivered', 'read'];

    for (const word of words) await tell(word, minutes(ranks.indexOf(word === 'played' ? 'read' : word)));
    const once = await shown();
    for (const word of words) await tell(word, minutes(ranks.indexOf(word === 'played' ? 'read' : word)));

    expect(last(once)?.status).toBe(status);
    expect(last(once)?.statusHistory.map((entry) => entry.status + (entry.inferred ? '*' : ''))).toEqual(history);
    expect(last(await shown())).toEqual(last(once));
  });

  it('of a failure keeps the whole reason, lights the beacon again, and a late delivery puts it out', async () => {
    const { shown, tell } = await answered('wamid.status-failure');
    expect((await shown()).beacon.on).toBe(false);

    await tell('failed', minutes(1), failure);
    const failed = await shown();
    await tell('delivered', minutes(2));
    const delivered = await shown();

    expect(last(failed)?.failure).toMatchObject({
      code: 131026,
      title: 'Message undeliverable',
      detail: 'The customer has an old version.',
    });
    expect(failed.beacon).toMatchObject({ on: true, reason: 'REPLY_FAILED' });
    expect(last(delivered)?.failure).toBeNull();
    expect(delivered.beacon).toMatchObject({ on: false });
  });

  it.each([
    ['errors', undefined],
    ['an error in them', []],
  ])('of failure without %s is a failure all the same', async (what, errors) => {
    const { shown, tell } = await answered(`wamid.status without ${what}`);

    await tell('failed', minutes(1), errors);

    expect(last(await shown())).toMatchObject({
      status: 'FAILED',
      failure: { code: null, title: 'Unknown error', detail: 'WhatsApp gave no reason.' },
    });
  });

  it('that the window is closed (131047) closes it, whatever our clock says', async () => {
    const { shown, tell } = await answered('wamid.status-window');
    expect((await shown()).window.state).toBe('OPEN');

    await tell('failed', minutes(1), [{ code: 131047, title: 'Re-engagement message' }]);

    expect((await shown()).window.state).toBe('CLOSED');
  });

  it('that the window was closed, told late, leaves open what the customer opened since', async () => {
    const { from, shown, tell } = await answered('wamid.status-window-late', minutes(-60));
    await post(textMessage({ from, text: 'Ještě něco', at: minutes(0) }));
    const { window } = await shown();

    await tell('failed', minutes(-1), [{ code: 131047, title: 'Re-engagement message' }]);

    expect((await shown()).messages.nodes.map(({ status }) => status)).toContain('FAILED');
    expect((await shown()).window).toEqual(window);
  });

  it('that comes before its message is applied with it', async () => {
    const { from } = newCustomer();
    await postField('messages', { statuses: [statusOf({ id: 'wamid.status-first', status: 'read', at: minutes(0) })] });

    await postField('smb_message_echoes', {
      message_echoes: [{ ...message('420777000111', { id: 'wamid.status-first', text: { body: 'x' } }), to: from }],
    });

    expect(last(await conversationWith(await server.as('cyril'), `+${from}`))?.status).toBe('READ');
  });
});

describe('an imported history', () => {
  it('shows what was written, with its statuses, and moves neither beacon, unread figure nor window', async () => {
    const { from, shown } = newCustomer();
    const now = Date.now();
    const at = (hours: number) => new Date(now - hours * 3_600_000);
    const theirs = message(from, {
      text: { body: 'Kdysi' },
      timestamp: seconds(at(30)),
      history_context: { status: 'READ' },
    });
    const ours = {
      ...message('420777000111', {
        text: { body: 'My' },
        timestamp: seconds(at(29)),
        history_context: { status: 'DELIVERED' },
      }),
      to: from,
    };

    await post(textMessage({ from, text: 'Dnes' }));
    await postField('history', {
      history: [
        { metadata: { phase: 1, chunk_order: 1, progress: 100 }, threads: [{ id: from, messages: [theirs, ours] }] },
      ],
    });

    const conversation = await shown();
    expect(conversation.messages.nodes.map(({ preview, status }) => [preview, status])).toEqual([
      ['Kdysi', null],
      ['My', 'DELIVERED'],
      ['Dnes', null],
    ]);
    expect(conversation).toMatchObject({
      unreadCount: 1,
      beacon: { on: true },
      lastMessage: { preview: 'Dnes' },
      createdAt: new Date(Number(seconds(at(30))) * 1000).toISOString(),
    });
  });

  it('that the owner does not share is news of the account', async () => {
    await postField('history', {
      history: [{ errors: [{ code: 2593109, title: 'History sync is turned off', message: 'Declined' }] }],
    });

    expect(await server.sql(`SELECT severity FROM account_event WHERE field = 'errors' AND event = '2593109'`)).toEqual(
      [{ severity: 'warning' }],
    );
  });
});

describe('a call', () => {
  const call = (from: string, to: string, more: Element = {}) => ({
    id: `wacid.${from}`,
    from,
    to,
    event: 'connect',
    timestamp: seconds(new Date()),
    ...more,
  });

  it('of the customer opens the window, also with nothing written', async () => {
    const { from } = newCustomer();

    await postField('calls', { calls: [call(from, '420777000111', { direction: 'USER_INITIATED' })] });

    expect(await conversationWith(await server.as('cyril'), `+${from}`)).toMatchObject({
      window: { state: 'OPEN', openedBy: 'CUSTOMER_CALL' },
      beacon: { on: false },
      unreadCount: 0,
      lastMessage: null,
    });
  });

  it('of the business opens nothing', async () => {
    const { from } = newCustomer();

    await postField('calls', { calls: [call('420777000111', from, { direction: 'BUSINESS_INITIATED' })] });

    await expect(conversationWith(await server.as('cyril'), `+${from}`)).rejects.toThrow('0 conversations');
  });
});

it('who stops marketing is remembered, and an older word that comes late changes nothing', async () => {
  const { from } = newCustomer();
  const preference = (value: string, at: Date) => ({
    contacts: [{ wa_id: from, profile: { name: 'x' } }],
    user_preferences: [{ wa_id: from, category: 'marketing_messages', value, timestamp: Number(seconds(at)) }],
  });
  const stopped = () =>
    server
      .sql<{ stopped: boolean }>(
        'SELECT marketing_stopped_at IS NOT NULL AS stopped FROM participant WHERE wa_id = $1',
        [from],
      )
      .then(([row]) => row?.stopped);

  await postField('user_preferences', preference('stop', new Date(Date.now() - 60_000)));
  expect(await stopped()).toBe(true);
  await postField('user_preferences', preference('resume', new Date()));
  await postField('user_preferences', preference('stop', new Date(Date.now() - 60_000)));

  expect(await stopped()).toBe(false);
});

it('a group is a conversation of its own, without a window', async () => {
  const { from, shown } = newCustomer();
  await post(textMessage({ from, text: 'soukromě' }));

  await post(message(from, { text: { body: 've skupině' }, group_id: 'group-123456' }));

  expect((await shown()).messages.nodes).toHaveLength(1);
  const group = await conversationWith(await server.as('cyril'), 'Group 123456');
  expect(group).toMatchObject({ window: { state: 'NEVER_OPENED' }, unreadCount: 1, beacon: { on: true } });
  expect(await server.sql(`SELECT sender_name FROM message WHERE preview = 've skupině'`)).toEqual([
    { sender_name: `Customer ${from}` },
  ]);
});
