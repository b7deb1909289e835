import type { GraphQLClient } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { files } from './support/sample-files.ts';
import { beginConversation, globalOf, messageOf, reached, rowOf, send } from './support/sends.ts';
import { eventually } from './support/events.ts';
import { startTestServer, type TestServer } from './support/server.ts';
import { uploadFile } from './support/upload.ts';

let server: TestServer;
let boris: GraphQLClient;

beforeAll(async () => {
  server = await startTestServer();
  boris = await server.as('boris');
  await boris.request('mutation { syncTemplates { added errors { message } } }');
});
afterAll(() => server[Symbol.asyncDispose]());

async function templateId(name: string, language = 'cs'): Promise<string> {
  const [row] = await server.sql<{ id: string }>('SELECT id FROM template WHERE name = $1 AND language = $2', [
    name,
    language,
  ]);
  return globalOf('Template', row?.id ?? '');
}

const text = (key: string, value: string) => ({ key, value });
const yesterday = () => ({ at: new Date(Date.now() - 30 * 3_600_000) });

describe('a template', () => {
  it('goes out while the window is closed, with every value, and opens nothing', async () => {
    const begun = await beginConversation(server, yesterday());
    const parameters = [
      text('header.1', '12. 5.'),
      text('body.1', 'Jano'),
      text('body.2', '12. 5. 2026'),
      text('body.3', '14:30'),
      text('button.1.payload', 'jindy'),
    ];

    const { message, errors } = await send(boris, 'sendTemplate', {
      conversationId: begun.conversationId,
      templateId: await templateId('potvrzeni_terminu'),
      parameters,
    });
    await reached(boris, message?.id ?? '', 'READ');

    expect(errors).toEqual([]);
    expect(message).toMatchObject({
      kind: 'TEMPLATE',
      content: {
        templateName: 'potvrzeni_terminu',
        language: 'cs',
        renderedHeader: 'Termín 12. 5.',
        renderedBody: expect.stringContaining(
          'Dobrý den, Jano, potvrzujeme návštěvu technika dne 12. 5. 2026 v 14:30.',
        ),
        template: { name: 'potvrzeni_terminu' },
        parameters: parameters.map((one) => ({ ...one, attachment: null })),
      },
    });
    expect(server.sandbox.ledger({ to: begun.from })[0]?.payload.template).toEqual({
      name: 'potvrzeni_terminu',
      language: { code: 'cs' },
      components: [
        { type: 'header', parameters: [{ type: 'text', text: '12. 5.' }] },
        { type: 'body', parameters: ['Jano', '12. 5. 2026', '14:30'].map((value) => ({ type: 'text', text: value })) },
        { type: 'button', sub_type: 'quick_reply', index: '1', parameters: [{ type: 'payload', payload: 'jindy' }] },
      ],
    });
    const reply = await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'x' });
    expect(reply.errors).toMatchObject([{ code: 'WINDOW_CLOSED' }]);
  });

  it('tells Meta what its values mean, and shows their text', async () => {
    const begun = await beginConversation(server);

    const { message, errors } = await send(boris, 'sendTemplate', {
      conversationId: begun.conversationId,
      templateId: await templateId('potvrzeni_terminu'),
      parameters: [
        text('header.1', '12. 5.'),
        { ...text('body.1', '1 200,50 Kč'), currency: { code: 'CZK', amount: 1_200.5 } },
        { ...text('body.2', '12. 5. 2026'), dateTime: { year: 2026, month: 5, dayOfMonth: 12 } },
        { ...text('body.3', '14:30'), dateTime: { hour: 14, minute: 30 } },
      ],
    });
    await reached(boris, message?.id ?? '', 'READ');

    expect(errors).toEqual([]);
    expect(message?.content?.renderedBody).toContain(
      '1 200,50 Kč, potvrzujeme návštěvu technika dne 12. 5. 2026 v 14:30',
    );
    const [entry] = server.sandbox.ledger({ to: begun.from });
    expect(entry?.payload).toMatchObject({
      template: {
        components: [
          {},
          {
            type: 'body',
            parameters: [
              { type: 'currency', currency: { fallback_value: '1 200,50 Kč', code: 'CZK', amount_1000: 1_200_500 } },
              {
                type: 'date_time',
                date_time: {
                  fallback_value: '12. 5. 2026',
                  calendar: 'GREGORIAN',
                  year: 2026,
                  month: 5,
                  day_of_month: 12,
                },
              },
              { type: 'date_time', date_time: { fallback_value: '14:30', hour: 14, minute: 30 } },
            ],
          },
        ],
      },
    });
  });

  it('carries a file in its header, which Meta gets first', async () => {
    const begun = await beginConversation(server);
    const attachmentId = await uploadFile(server, files.png, 'balík.png');

    const { message, errors } = await send(boris, 'sendTemplate', {
      conversationId: begun.conversationId,
      templateId: await templateId('order_shipped', 'en_US'),
      parameters: [
        { key: 'header.media', attachmentId },
        text('body.first_name', 'Anna'),
        text('body.order_number', '860198'),
        text('body.delivery_date', 'Friday'),
        text('button.0.1', '860198'),
      ],
    });
    await reached(boris, message?.id ?? '', 'READ');

    expect(errors).toEqual([]);
    const [entry] = server.sandbox.ledger({ to: begun.from });
    const { components } = (entry?.payload.template ?? {}) as { components?: unknown[] };
    expect(components).toEqual([
      { type: 'header', parameters: [{ type: 'image', image: { id: expect.stringMatching(/^\d+$/) } }] },
      expect.objectContaining({ type: 'body' }),
      { type: 'button', sub_type: 'url', index: '0', parameters: [{ type: 'text', text: '860198' }] },
    ]);
    expect(message?.content).toMatchObject({
      renderedHeader: null,
      parameters: expect.arrayContaining([{ key: 'header.media', value: null, attachment: { id: attachmentId } }]),
    });
  });

  it('tells of everything that is wrong with its values at once; nothing is queued and nothing is sent', async () => {
    const begun = await beginConversation(server);
    const foreign = await uploadFile(server, files.png, 'a.png', 'alena');

    const { message, errors } = await send(boris, 'sendTemplate', {
      conversationId: begun.conversationId,
      templateId: await templateId('order_shipped', 'en_US'),
      parameters: [
        { key: 'header.media', attachmentId: foreign },
        text('body.first_name', 'An\nna'),
        text('body.order_number', 'Hi {{1}}'),
        text('body.order', '1'),
        text('body.first_name', 'Anna'),
      ],
    });

    expect(message).toBeNull();
    expect(errors).toMatchObject([
      {
        __typename: 'TemplateParameterError',
        code: 'TEMPLATE_PARAMETERS',
        missing: ['body.delivery_date', 'button.0.1'],
        unexpected: ['body.order'],
        invalid: ['header.media', 'body.first_name', 'body.order_number', 'body.first_name'],
      },
    ]);
    const rows = await server.sql('SELECT 1 FROM message WHERE conversation_id = $1', [rowOf(begun.conversationId)]);
    expect(rows).toHaveLength(1);
    expect(server.sandbox.ledger({ to: begun.from })).toEqual([]);
  });

  it('without its header’s file, or with another kind of file, is refused', async () => {
    const begun = await beginConversation(server);
    const sendIt = async (parameters: object[]) =>
      send(boris, 'sendTemplate', {
        conversationId: begun.conversationId,
        templateId: await templateId('pripominka_platby'),
        parameters: [text('body.1', '1'), text('body.2', '2'), text('body.3', '3'), ...parameters],
      });

    const missing = await sendIt([]);
    const wrong = await sendIt([{ key: 'header.media', attachmentId: await uploadFile(server, files.png, 'a.pdf') }]);
    const asText = await sendIt([text('header.media', 'https://example.com/a.pdf')]);

    expect(missing.errors).toMatchObject([{ missing: ['header.media'], invalid: [] }]);
    expect([wrong, asText].map(({ errors }) => errors[0]?.invalid)).toEqual([['header.media'], ['header.media']]);
  });

  it.each([
    ['summer_sale', 'en_US', 'PAUSED'],
    ['vyherni_akce', 'cs', 'REJECTED'],
    ['order_shipped', 'cs', 'PENDING'],
  ])('%s that is %s %s cannot be sent', async (name, language, status) => {
    const begun = await beginConversation(server);

    const { errors } = await send(boris, 'sendTemplate', {
      conversationId: begun.conversationId,
      templateId: await templateId(name, language),
    });

    expect(errors).toMatchObject([{ __typename: 'TemplateNotUsableError', template: { name, status } }]);
  });

  it('that Meta has paused meanwhile fails, and the mirror learns of it', async () => {
    const begun = await beginConversation(server);
    server.sandbox.fail({ kind: 'error', code: 132015, to: begun.from, next: 1 });
    const syncs = async () => server.sql(`SELECT 1 FROM graphile_worker.jobs WHERE key = 'sync-templates'`);
    const before = await server.sql<{ at: Date }>('SELECT max(last_synced_at) AS at FROM template');

    const { message } = await send(boris, 'sendTemplate', {
      conversationId: begun.conversationId,
      templateId: await templateId('dobry_den'),
    });

    expect(await reached(boris, message?.id ?? '', 'FAILED')).toMatchObject({
      failure: { code: 132015, retryable: true },
    });
    await eventually(async () => {
      const [row] = await server.sql<{ at: Date }>('SELECT max(last_synced_at) AS at FROM template');
      return (await syncs()).length > 0 || (row?.at ?? 0) > (before[0]?.at ?? 0);
    }, 10_000);
  });

  it('keeps what was rendered when it is deleted at Meta, and comes first among those used last', async () => {
    const begun = await beginConversation(server);
    const { message } = await send(boris, 'sendTemplate', {
      conversationId: begun.conversationId,
      templateId: await templateId('hello_again', 'en_US'),
    });
    const { templates } = await boris.request<{ templates: { nodes: { name: string }[] } }>(
      '{ templates(first: 1) { nodes { name } } }',
    );

    server.sandbox.removeTemplate('hello_again', 'en_US');
    await boris.request('mutation { syncTemplates { removed } }');

    expect(templates.nodes).toEqual([{ name: 'hello_again' }]);
    expect(await messageOf(boris, message?.id ?? '')).toMatchObject({
      content: { renderedBody: expect.stringContaining('following up'), renderedFooter: 'Customer support' },
    });
  });
});

describe('sending templates', () => {
  it('is for those with the right; the same key is one message, other values under it a conflict', async () => {
    const begun = await beginConversation(server);
    const input = {
      conversationId: begun.conversationId,
      templateId: await templateId('stav_pozadavku'),
      parameters: [
        text('body.jmeno', 'Petr'),
        text('body.cislo', '1'),
        text('body.stav', 'hotovo'),
        text('button.0.1', '1'),
      ],
      idempotencyKey: 'one template',
    };

    const forbidden = await send(await server.as('cyril'), 'sendTemplate', input);
    const answers = await Promise.all([1, 2, 3].map(() => send(boris, 'sendTemplate', input)));
    const other = await send(boris, 'sendTemplate', { ...input, parameters: [] });
    await reached(boris, answers[0]?.message?.id ?? '', 'READ');

    expect(forbidden.errors).toMatchObject([{ code: 'FORBIDDEN' }]);
    expect(new Set(answers.map(({ message }) => message?.id)).size).toBe(1);
    expect(other.errors).toMatchObject([{ code: 'IDEMPOTENCY_CONFLICT' }]);
    expect(server.sandbox.ledger({ to: begun.from })).toHaveLength(1);
  });
});
