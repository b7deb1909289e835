import { randomBytes } from 'node:crypto';
import { gql } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/events.ts';
import { batchOf, statusOf, textMessage } from './support/payloads.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ settings: { LOG_LEVEL: 'fatal' } });
});

afterAll(() => server[Symbol.asyncDispose]());

const LOG = gql`
  query Log($first: Int!, $after: String, $states: [WebhookDeliveryState!]) {
    webhookDeliveries(first: $first, after: $after, states: $states) {
      totalCount
      nodes {
        id
        receivedAt
        state
        attempts
        itemCount
        error
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;
type Delivery = { id: string; state: string; attempts: number; itemCount: number; error: string | null };
type Log = {
  webhookDeliveries: {
    totalCount: number;
    nodes: Delivery[];
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

const REPLAY = gql`
  mutation Replay($input: ReplayWebhookDeliveriesInput!) {
    replayWebhookDeliveries(input: $input) {
      matched
      queued
      errors {
        __typename
        code
        path
      }
    }
  }
`;
type Replayed = {
  replayWebhookDeliveries: { matched: number; queued: number; errors: { __typename: string; code: string }[] };
};

async function log(variables: Record<string, unknown> = { first: 20 }): Promise<Log['webhookDeliveries']> {
  return (await (await server.as('alena')).request<Log>(LOG, variables)).webhookDeliveries;
}

async function replay(input: Record<string, unknown>): Promise<Replayed['replayWebhookDeliveries']> {
  return (await (await server.as('alena')).request<Replayed>(REPLAY, { input })).replayWebhookDeliveries;
}

const waiting = () => server.sql(`SELECT FROM webhook_delivery WHERE state = 'RECEIVED'`);

async function settled(): Promise<void> {
  await eventually(async () => (await waiting()).length === 0, 30_000);
}

const post = (...elements: Record<string, unknown>[]) => server.postWebhook(batchOf(number1.phoneNumberId, elements));

describe('the delivery log', () => {
  it('keeps every signed POST with what became of it, newest first, page by page', async () => {
    await post(textMessage({ id: 'wamid.log-1' }), textMessage({ id: 'wamid.log-2' }));
    await server.postWebhook(batchOf('999999999999999', [textMessage()]));
    await server.postWebhook('{"object": "whatsapp_business_account", "entry": [');
    await server.postWebhook({ object: 'instagram', entry: [] });
    // An id that no index of PostgreSQL can hold.
    await post(textMessage({ id: randomBytes(6_000).toString('base64') }), textMessage({ id: 'wamid.log-3' }));

    const first = await log({ first: 3 });
    const second = await log({ first: 3, after: first.pageInfo.endCursor });

    expect([...first.nodes, ...second.nodes].map(({ state, itemCount, error }) => [state, itemCount, error])).toEqual([
      ['PARTIALLY_PROCESSED', 2, '1 of 2 items could not be applied'],
      ['IGNORED', 0, null],
      ['REJECTED', 0, 'the body is not JSON'],
      ['IGNORED', 1, '1 of 1 items are of no number that is configured'],
      ['PROCESSED', 2, null],
    ]);
    expect(second.pageInfo.hasNextPage).toBe(false);
    expect(await server.sql(`SELECT FROM message WHERE provider_id = 'wamid.log-3'`)).toHaveLength(1);
    expect(await log({ first: 5, states: ['REJECTED', 'PROCESSED'] })).toMatchObject({ totalCount: 2 });
  });

  it('says what was not understood beside what was', async () => {
    await post(textMessage({ id: 'wamid.log-4' }), { type: 'text', text: { body: 'x' } });
    await server.postWebhook({
      object: 'whatsapp_business_account',
      entry: [{ id: '1', changes: [{ field: 'things_of_2030', value: { things: [{ id: 1 }, { id: 2 }] } }] }],
    });

    const { nodes } = await log({ first: 2 });

    expect(nodes.map(({ state, itemCount, error }) => [state, itemCount, error])).toEqual([
      ['IGNORED', 2, '2 of 2 items were not understood: of a list that is not known'],
      ['PROCESSED', 2, '1 of 2 items were not understood: a message without an id'],
    ]);
  });

  it('is for administrators', async () => {
    const boris = await server.as('boris');

    await expect(boris.request(LOG, { first: 1 })).rejects.toThrow('FORBIDDEN');
    const refused = await boris.request<Replayed>(REPLAY, { input: { states: ['FAILED'] } });

    expect(refused.replayWebhookDeliveries).toMatchObject({
      matched: 0,
      errors: [{ __typename: 'ForbiddenError', code: 'FORBIDDEN' }],
    });
  });

  it('notes when Meta was heard of last', async () => {
    const [settings] = await server.sql<{ at: Date | null }>('SELECT last_webhook_at AS at FROM settings');

    expect(settings?.at).toBeInstanceOf(Date);
  });
});

describe('a replay', () => {
  it('counts only, where it is a dry run', async () => {
    const all = (await log()).totalCount;

    const counted = await replay({ receivedFrom: '2020-01-01T00:00:00Z', dryRun: true });

    expect(counted).toEqual({ matched: all - 1, queued: 0, errors: [] });
    expect(await waiting()).toHaveLength(0);
  });

  it('of everything changes nothing that is right already', async () => {
    const at = new Date(Date.now() - 60_000);
    const from = '420601300001';
    const part = (more: Record<string, unknown>) => ({ ...textMessage({ from, at }), text: undefined, ...more });
    await post(
      textMessage({ from, id: 'wamid.again-1', at }),
      textMessage({ from, id: 'wamid.again-2', at }),
      part({ type: 'reaction', reaction: { message_id: 'wamid.again-1', emoji: '👍' } }),
      part({
        type: 'edit',
        edit: { original_message_id: 'wamid.again-1', message: { type: 'text', text: { body: 'nový' } } },
      }),
      part({ type: 'revoke', revoke: { original_message_id: 'wamid.again-2' } }),
      part({ type: 'image', image: { id: '12345', mime_type: 'image/png' } }),
      part({ type: 'system', system: { type: 'user_changed_number', wa_id: '420601300002', body: 'Změna' } }),
    );
    await server.postWebhook({
      object: 'whatsapp_business_account',
      entry: [
        {
          id: '100000000000001',
          time: Math.floor(at.getTime() / 1000),
          changes: [
            {
              field: 'account_update',
              value: { event: 'ACCOUNT_VIOLATION', violation_info: { violation_type: 'SPAM' } },
            },
            {
              field: 'calls',
              value: {
                metadata: { phone_number_id: number1.phoneNumberId, display_phone_number: '420777000111' },
                calls: [
                  {
                    id: 'c',
                    from: '420601300003',
                    to: '420777000111',
                    event: 'connect',
                    timestamp: String(Math.floor(at.getTime() / 1000)),
                  },
                ],
              },
            },
          ],
        },
      ],
    });
    await server.postWebhook(
      batchOf(number1.phoneNumberId, [], [statusOf({ id: 'wamid.nobody', status: 'sent', at })]),
    );
    await eventually(async () => (await server.sql(`SELECT FROM attachment WHERE state = 'FETCHING'`)).length === 0);
    const before = await everything(server);

    const replayed = await replay({ receivedFrom: '2020-01-01T00:00:00Z' });
    await settled();

    expect(replayed.queued).toBe(replayed.matched);
    expect(await everything(server)).toEqual(before);
    expect(
      (await log()).nodes.filter(({ state }) => state !== 'REJECTED').every(({ attempts }) => attempts === 2),
    ).toBe(true);
    const audited = await server.sql(`SELECT detail FROM audit_entry WHERE action = 'DELIVERIES_REPLAYED'`);
    expect(audited).toEqual([{ detail: `${replayed.queued} of ${replayed.matched}` }]);
  });

  it('applies what came for a number that was not configured then', async () => {
    await server.postWebhook(batchOf('100000000000099', [textMessage({ id: 'wamid.number-later' })]));
    const [newest] = (await log({ first: 1 })).nodes;
    expect(newest?.state).toBe('IGNORED');
    await server.sql(
      `INSERT INTO business_number (id, slot, phone_number_id, phone_number) VALUES (gen_random_uuid(), NULL, '100000000000099', '+420777000999')`,
    );
    await new Promise((resolve) => setTimeout(resolve, 600));

    expect(await replay({ ids: [newest?.id] })).toEqual({ matched: 1, queued: 1, errors: [] });
    await settled();

    expect(await server.sql(`SELECT FROM message WHERE provider_id = 'wamid.number-later'`)).toHaveLength(1);
    expect((await log({ first: 1 })).nodes[0]).toMatchObject({ state: 'PROCESSED', attempts: 2 });
  });

  it.each([
    [{}, ['input']],
    [{ receivedFrom: '2026-01-02T00:00:00Z', receivedTo: '2026-01-01T00:00:00Z' }, ['input', 'receivedTo']],
    [{ ids: ['bm90IGFuIGlk'] }, ['input', 'ids']],
  ])('of %j is refused', async (input, path) => {
    expect(await replay(input)).toMatchObject({ matched: 0, queued: 0, errors: [{ path }] });
  });
});

describe('while the module is off', () => {
  it('deliveries are kept and answered 200, and applied once it is on again, in their order', async () => {
    await server.sql('UPDATE settings SET enabled = false');
    await new Promise((resolve) => setTimeout(resolve, 600));

    const from = '420601400001';
    const answers = [
      await post(textMessage({ from, id: 'wamid.off-1', text: 'první' })),
      await post(textMessage({ from, id: 'wamid.off-2', text: 'druhá' })),
    ];

    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
    expect(await server.sql(`SELECT FROM message WHERE provider_id LIKE 'wamid.off-%'`)).toHaveLength(0);
    expect(await waiting()).toHaveLength(2);
    await server.sql('UPDATE settings SET enabled = true');
    await settled();
    expect(
      await server.sql(`SELECT preview, sequence FROM message WHERE provider_id LIKE 'wamid.off-%' ORDER BY sequence`),
    ).toEqual([
      { preview: 'první', sequence: 1 },
      { preview: 'druhá', sequence: 2 },
    ]);
  });
});

/** Everything that a webhook can change, without the delivery log itself. */
async function everything(server: TestServer): Promise<unknown> {
  const tables = [
    'participant',
    'conversation',
    'message',
    'status_entry',
    'reaction',
    'attachment',
    'parked_item',
    'account_event',
    'channel_problem',
    'template',
    'event',
  ];
  const dumps = tables.map(async (table) => [
    table,
    await server.sql(
      // Operators come and go at their own times.
      `SELECT to_jsonb(t) - '{received_at,seq}'::text[] AS row FROM ${table} t
       WHERE to_jsonb(t) ->> 'type' IS DISTINCT FROM 'OPERATOR_PRESENCE_CHANGED' ORDER BY to_jsonb(t)::text`,
    ),
  ]);
  return Object.fromEntries(await Promise.all(dumps));
}
