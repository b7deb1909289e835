import { gql } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, eventually } from './support/events.ts';
import { startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const SYNC = 'mutation { syncTemplates { added changed removed errors { __typename code message } } }';
const LIST = gql`
  query List($first: Int = 50, $after: String, $filter: TemplateFilterInput) {
    templates(first: $first, after: $after, filter: $filter) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        id
        name
        language
        status
        kind
        category
        usable
        rejectionReason
        parameterFormat
        variables {
          key
          name
          component
          buttonIndex
          type
          required
          example
        }
        components {
          type
          format
          text
          buttons {
            index
            kind
            text
            url
          }
        }
      }
    }
  }
`;

type Listed = {
  templates: {
    totalCount: number;
    pageInfo: { hasNextPage: boolean; endCursor: string };
    nodes: {
      id: string;
      name: string;
      language: string;
      status: string;
      kind: string;
      usable: boolean;
      rejectionReason: string | null;
      variables: { key: string; type: string; required: boolean }[];
    }[];
  };
};
type Synced = { syncTemplates: { added: number; changed: number; removed: number; errors: { code: string }[] } };

const list = async (variables: object = {}) =>
  (await (await server.as('cyril')).request<Listed>(LIST, variables)).templates;
const sync = async () => (await (await server.as('boris')).request<Synced>(SYNC)).syncTemplates;
const find = async (name: string, language: string) =>
  (await list()).nodes.find((one) => one.name === name && one.language === language);

describe('the mirror of templates', () => {
  it('follows paging to the end and says what it found', async () => {
    const result = await sync();

    expect(result).toEqual({ added: server.sandbox.templates().length, changed: 0, removed: 0, errors: [] });
    expect((await list()).totalCount).toBe(server.sandbox.templates().length);
    expect(await sync()).toEqual({ added: 0, changed: 0, removed: 0, errors: [] });
  });

  it('derives kind, format and every variable from header, body and buttons', async () => {
    expect(await find('dobry_den', 'cs')).toMatchObject({
      kind: 'BASIC',
      parameterFormat: 'NONE',
      usable: true,
      variables: [],
    });
    expect(await find('potvrzeni_terminu', 'cs')).toMatchObject({
      kind: 'CUSTOMIZED',
      parameterFormat: 'POSITIONAL',
      variables: [
        { key: 'header.1', name: '1', component: 'HEADER', type: 'TEXT', required: true, example: '12. 5. 2026' },
        { key: 'body.1', example: 'Jana Nováková' },
        { key: 'body.2', example: '12. 5. 2026' },
        { key: 'body.3', example: '14:30' },
        { key: 'button.0.payload', buttonIndex: 0, required: false },
        { key: 'button.1.payload', buttonIndex: 1, required: false },
      ],
    });
    expect(await find('order_shipped', 'en_US')).toMatchObject({
      kind: 'CUSTOMIZED',
      parameterFormat: 'NAMED',
      variables: [
        { key: 'header.media', type: 'IMAGE', required: true },
        { key: 'body.first_name', example: 'Anna' },
        { key: 'body.order_number' },
        { key: 'body.delivery_date' },
        { key: 'button.0.1', type: 'URL_SUFFIX', component: 'BUTTONS', buttonIndex: 0, required: true },
      ],
      components: [
        { type: 'HEADER', format: 'IMAGE' },
        { type: 'BODY' },
        {
          type: 'BUTTONS',
          buttons: [
            { index: 0, kind: 'URL' },
            { index: 1, kind: 'PHONE_NUMBER' },
          ],
        },
      ],
    });
  });

  it('keeps the same name in several languages apart, and tells why one was rejected', async () => {
    expect((await find('order_shipped', 'cs'))?.status).toBe('PENDING');
    expect(await find('vyherni_akce', 'cs')).toMatchObject({
      status: 'REJECTED',
      usable: false,
      rejectionReason: 'INVALID_FORMAT',
    });
  });

  it('filters, and pages without losing or doubling one', async () => {
    const usable = await list({ filter: { usableOnly: true } });
    const czech = await list({ filter: { languages: ['cs'], name: { value: 'ORDER_' } } });
    const named = await list({ filter: { name: { match: 'STARTS_WITH', value: 'summer%' } } });

    expect(new Set(usable.nodes.map(({ status }) => status))).toEqual(new Set(['APPROVED']));
    expect(usable.totalCount).toBe(usable.nodes.length);
    expect(czech.nodes.map(({ name, language }) => `${name} ${language}`)).toEqual(['order_shipped cs']);
    expect(named.nodes).toEqual([]);
    const paged: string[] = [];
    let after: string | null = null;
    do {
      const page: Listed['templates'] = await list({ first: 2, after });
      paged.push(...page.nodes.map(({ id }) => id));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after);
    expect(paged).toEqual((await list()).nodes.map(({ id }) => id));
  });

  it('takes over a status from the webhook at once, with its event, whatever the spelling of the language', async () => {
    const socket = server.socket(await server.tokenOf('boris'));
    const live = collect<{ events: { __typename: string; status?: string; template?: { name: string } } }>(
      socket,
      'subscription { events { __typename ... on TemplateChanged { templateId status template { name usable } } } }',
    );
    await live.take(1);

    await server.sandbox.changeTemplate({ name: 'hello_again', language: 'en_US', status: 'PAUSED' });

    await eventually(async () => live.all.some(({ events }) => events.__typename === 'TemplateChanged'));
    expect(live.all.find(({ events }) => events.__typename === 'TemplateChanged')?.events).toMatchObject({
      status: 'PAUSED',
      template: { name: 'hello_again', usable: false },
    });
    await server.sandbox.changeTemplate({ name: 'hello_again', language: 'en_US', status: 'REINSTATED' });
    expect((await find('hello_again', 'en_US'))?.status).toBe('APPROVED');
    await socket.dispose();
  });

  it('deletes nothing on a listing that breaks off, and says that it did', async () => {
    server.sandbox.fail({ kind: 'error', code: 4, on: 'templates', next: 1 });

    const result = await sync();

    expect(result).toMatchObject({ removed: 0, errors: [{ code: 'PROVIDER' }] });
    expect((await list({ filter: { statuses: ['DELETED'] } })).totalCount).toBe(0);
  });

  it('keeps what is gone at Meta as DELETED, and fetches what a webhook names for the first time', async () => {
    const [gone] = server.sandbox.removeTemplate('summer_sale', 'en_US');
    if (!gone) throw new Error('the sample is missing');

    expect(await sync()).toMatchObject({ added: 0, removed: 1 });
    expect((await find('summer_sale', 'en_US'))?.status).toBe('DELETED');
    server.sandbox.addTemplate({ ...gone, id: '2901000000000099', name: 'autumn_sale' });
    await server.sandbox.changeTemplate({ name: 'autumn_sale', language: 'en_US', status: 'APPROVED' });
    const found = await eventually(() => find('autumn_sale', 'en_US'), 15_000);
    expect(found).toMatchObject({ status: 'APPROVED', usable: true });
  });

  it('is not for everyone to refresh', async () => {
    const { syncTemplates } = await (await server.as('cyril')).request<Synced>(SYNC);

    expect(syncTemplates.errors).toMatchObject([{ code: 'FORBIDDEN' }]);
  });
});

describe('a template', () => {
  const PREVIEW = gql`
    query Preview($id: ID!, $parameters: [TemplateParameterInput!], $conversation: ID!) {
      node(id: $id) {
        ... on Template {
          preview(parameters: $parameters) {
            header
            body
            footer
            missing
          }
          variables {
            key
            suggestedValue(conversationId: $conversation)
          }
        }
      }
    }
  `;

  it('shows how it will read in one pass, what is missing, and what its values probably are', async () => {
    await server.sandbox.customerWrites({
      phoneNumberId: '100000000000011',
      from: '+420601123456',
      name: 'Jana Veselá',
      text: 'Dobrý den',
    });
    const boris = await server.as('boris');
    const { conversations } = await boris.request<{ conversations: { nodes: { id: string }[] } }>(
      '{ conversations(first: 1) { nodes { id } } }',
    );
    const template = await find('potvrzeni_terminu', 'cs');

    const { node } = await boris.request<{
      node: { preview: object; variables: { key: string; suggestedValue: string | null }[] };
    }>(PREVIEW, {
      id: template?.id,
      conversation: conversations.nodes[0]?.id,
      parameters: [
        { key: 'body.1', value: '{{2}}' },
        { key: ' body.2 ', value: '1. 12.' },
      ],
    });

    expect(node.preview).toEqual({
      header: 'Termín {{1}}',
      body: 'Dobrý den, {{2}}, potvrzujeme návštěvu technika dne 1. 12. v {{3}}. Pokud se Vám termín nehodí, odpovězte na tuto zprávu.',
      footer: null,
      missing: ['header.1', 'body.3'],
    });
    const suggested = new Map(node.variables.map((one) => [one.key, one.suggestedValue]));
    expect(suggested.get('body.1')).toBe('Jana Veselá');
    expect(suggested.get('body.2')).toMatch(/^\d{1,2}\. \d{1,2}\. \d{4}$/);
    expect(suggested.get('body.3')).toBeNull();
  });
});
