import type { GraphQLClient } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileRequests } from './support/filed-requests.ts';
import { rowIdOf } from './support/ids.ts';
import { beginConversation, created, formChoices, type RequestAnswer } from './support/requests.ts';
import { scopedToken } from './support/scoped-token.ts';
import { number2, startTestServer, type TestServer } from './support/server.ts';
import { countStatements } from './support/statement-count.ts';

let server: TestServer;
let alena: GraphQLClient;
let choices: Record<string, string>;
const made: Record<string, RequestAnswer> = {};
let jana: Awaited<ReturnType<typeof beginConversation>>;
let janaElsewhere: string;

beforeAll(async () => {
  server = await startTestServer();
  alena = await server.as('alena');
  choices = await formChoices(alena);
  jana = await beginConversation(server, ['Dobrý den'], '+420601123456');
  const stranger = await beginConversation(server);
  await server.sandbox.customerWrites({
    phoneNumberId: number2.phoneNumberId,
    from: '+420601123456',
    name: 'Jana',
    text: 'Tady také',
  });
  const { conversations } = await alena.request<{ conversations: { nodes: { id: string }[] } }>(
    '{ conversations(first: 1) { nodes { id } } }',
  );
  janaElsewhere = conversations.nodes[0]?.id ?? '';
  const roses = choices['Květinářství Růže s.r.o.'];
  made.vase = await created(alena, {
    conversationId: jana.id,
    name: 'Rozbitá váza',
    companyId: roses,
    tagIds: [choices.VIP],
  });
  made.invoice = await created(alena, { conversationId: jana.id, name: 'Faktura 100% chybí' });
  made.elsewhere = await created(alena, { conversationId: janaElsewhere, name: 'Druhé číslo' });
  made.company = await created(alena, { conversationId: stranger.id, name: 'Kolega', companyId: roses });
  made.other = await created(alena, {
    conversationId: stranger.id,
    name: 'Cizí věc',
    templateId: choices.Reklamace,
    fields: [
      { key: 'order_number', value: '1' },
      { key: 'damage', value: 'jiné' },
    ],
    tagIds: [choices.fakturace],
  });
  await alena.request(
    'mutation U($input: UpdateRequestInput!) { updateRequest(input: $input) { errors { message } } }',
    { input: { requestId: made.other.id, expectedVersion: 1, statusKey: 'closed' } },
  );
});

afterAll(() => server[Symbol.asyncDispose]());

const names = (list: { nodes: { name: string }[] }) => list.nodes.map(({ name }) => name);

async function inConversation(args: string, id = jana.id, client = alena): Promise<string[]> {
  const query = `query R($id: ID!) { conversation(id: $id) { requests(first: 50, ${args}) { nodes { name } } } }`;
  const { conversation } = await client.request<{ conversation: { requests: { nodes: { name: string }[] } } }>(query, {
    id,
  });
  return names(conversation.requests);
}

async function everywhere(args: string, client = alena): Promise<string[]> {
  const query = `{ requests(first: 50${args}) { nodes { name } } }`;
  return names((await client.request<{ requests: { nodes: { name: string }[] } }>(query)).requests);
}

describe('the requests of a conversation', () => {
  it.each([
    ['CONVERSATION', ['Faktura 100% chybí', 'Rozbitá váza']],
    ['PARTICIPANT', ['Druhé číslo', 'Faktura 100% chybí', 'Rozbitá váza']],
    ['COMPANY', ['Kolega', 'Rozbitá váza']],
    ['ALL', ['Cizí věc', 'Kolega', 'Druhé číslo', 'Faktura 100% chybí', 'Rozbitá váza']],
  ])('with the scope %s', async (scope, expected) => {
    expect(await inConversation(`scope: ${scope}`)).toEqual(expected);
  });

  it.each([
    ['vaza', ['Rozbitá váza']],
    ['VÁZA rozb', ['Rozbitá váza']],
    ['100%', ['Faktura 100% chybí']],
    ['%', ['Faktura 100% chybí']],
    ['_', []],
    ['nic', []],
    [' ', ['Faktura 100% chybí', 'Rozbitá váza']],
  ])('found by "%s"', async (search, expected) => {
    expect(await inConversation(`search: ${JSON.stringify(search)}`)).toEqual(expected);
  });

  it('found by their code', async () => {
    expect(await inConversation(`search: "${made.vase?.code}", scope: ALL`)).toContain('Rozbitá váza');
  });
});

describe('requests everywhere', () => {
  it('are filtered by what is asked, and by all of it', async () => {
    const cases: [string, string[]][] = [
      [`filter: { closed: true }`, ['Cizí věc']],
      [`filter: { statusKeys: ["closed", "waiting"] }`, ['Cizí věc']],
      [`filter: { tagIds: ["${choices.VIP}", "${choices.fakturace}"] }`, ['Cizí věc', 'Rozbitá váza']],
      [`filter: { companyIds: ["${choices['Květinářství Růže s.r.o.']}"] }`, ['Kolega', 'Rozbitá váza']],
      [`filter: { templateIds: ["${choices.Reklamace}"] }`, ['Cizí věc']],
      [`filter: { assigneeIds: [] }`, []],
      [`filter: { createdAt: { relative: TODAY }, closed: true }`, ['Cizí věc']],
      [`filter: { createdAt: { relative: YESTERDAY } }`, []],
      [`filter: { createdAt: { lt: "2020-01-01T00:00:00Z" } }`, []],
      [`filter: { or: [{ closed: true }, { tagIds: ["${choices.VIP}"] }] }`, ['Cizí věc', 'Rozbitá váza']],
      [`filter: { and: [{ closed: false }, { tagIds: ["${choices.VIP}"] }] }`, ['Rozbitá váza']],
      [`filter: { or: [], closed: true }`, ['Cizí věc']],
      [`search: "vaza", filter: { closed: true }`, []],
    ];

    for (const [args, expected] of cases) expect([args, await everywhere(`, ${args}`)]).toEqual([args, expected]);
  });

  it('refuse filters that are too deep, too large, contradictory or of wrong ids', async () => {
    const deep = '{ and: [{ and: [{ and: [{ and: [{ and: [{ closed: true }] }] }] }] }] }';
    const large = `{ or: [${'{ closed: true }, '.repeat(51)}] }`;
    const both = '{ createdAt: { relative: TODAY, lt: "2020-01-01T00:00:00Z" } }';
    const wrong = `{ tagIds: ["${made.vase?.id}"] }`;

    for (const filter of [deep, large, both, wrong]) {
      const refused = await everywhere(`, filter: ${filter}`).catch((error: unknown) => error);
      expect(refused).toMatchObject({ response: { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] } });
    }
  });

  it('come page by page in both directions, also where they were made in the same instant', async () => {
    await server.sql(
      `UPDATE request SET created_at = (SELECT max(created_at) FROM request) WHERE code IN ($1, $2, $3)`,
      [made.elsewhere?.code, made.company?.code, made.other?.code],
    );
    const whole = await everywhere('');
    type Page = {
      requests: { edges: { cursor: string; node: { name: string } }[]; pageInfo: Record<string, unknown> };
    };
    const page = async (args: string) => {
      const { requests } = await alena.request<Page>(
        `{ requests(${args}) { edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage } } }`,
      );
      return {
        ...requests,
        names: requests.edges.map(({ node }) => node.name),
        cursors: requests.edges.map(({ cursor }) => cursor),
      };
    };

    const forward: string[] = [];
    for (let after = '', more = true; more;) {
      const { names, cursors, pageInfo } = await page(`first: 2${after}`);
      forward.push(...names);
      after = `, after: "${cursors.at(-1)}"`;
      more = pageInfo.hasNextPage === true;
    }
    const backward: string[] = [];
    for (let before = '', more = true; more;) {
      const { names, cursors, pageInfo } = await page(`last: 2${before}`);
      backward.unshift(...names);
      before = `, before: "${cursors[0]}"`;
      more = pageInfo.hasPreviousPage === true;
    }

    expect(forward).toEqual(whole);
    expect(backward).toEqual(whole);
    const made_up = Buffer.from(JSON.stringify(['requests', 'x', 'y'])).toString('base64url');
    for (const cursor of ['x', made_up, Buffer.from('["messages","a",1]').toString('base64url')]) {
      const refused = await page(`first: 2, after: "${cursor}"`).catch((error: unknown) => error);
      expect(refused).toMatchObject({ response: { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] } });
    }
  });

  it('of other numbers do not exist for a token that is limited to one', async () => {
    const [number] = await server.sql<{ id: string }>('SELECT id FROM business_number WHERE slot = 2');
    const scopes = ['READ_CONVERSATIONS', 'READ_REQUESTS', 'READ_MESSAGE_BODIES'] as const;
    const limited = server.withToken(await scopedToken(server, [...scopes], [number?.id ?? '']));

    expect(await everywhere('', limited)).toEqual(['Druhé číslo']);
    expect(await inConversation('scope: ALL', janaElsewhere, limited)).toEqual(['Druhé číslo']);
    expect(await limited.request('query R($id: ID!) { request(id: $id) { code } }', { id: made.vase?.id })).toEqual({
      request: null,
    });
  });
});

describe('the conversation in three sections', () => {
  const DETAIL = `query Detail($id: ID!, $first: Int!) {
    conversation(id: $id) {
      requests(first: $first) {
        totalCount asOf
        nodes { id code name description version status { key } company { name } contact { name } template { name fields { key } }
          assignee { displayName } createdBy { displayName } customFields { value } tags { name } attachments { id }
          linkedMessages(last: 3) { totalCount nodes { preview } } discussion(last: 2) { totalCount nodes { body author { displayName } } } }
      }
      messages(last: 100) {
        totalCount
        nodes { id preview content { __typename } requestLinks { code role linkedBy { displayName } request { id status { name } tags { name } } } }
      }
    }
    requestDraft(conversationId: $id) { name description contact { name } company { name } sourceMessage { id } }
  }`;

  it('takes no more statements for 50 requests with 100 messages and their links than for one', async () => {
    const { id } = await beginConversation(server, ['první'], '+420603333444');
    const conversation = rowIdOf(id);
    const counts: number[] = [];
    for (const size of [1, 10, 50]) {
      await fileRequests(server, conversation, size);
      const answer = await alena.request<Detail>(DETAIL, { id, first: size });
      const linked = answer.conversation.messages.nodes.filter(({ requestLinks }) => requestLinks.length > 0);
      expect([
        answer.conversation.requests.nodes.length,
        answer.conversation.messages.nodes.length,
        linked.length,
      ]).toEqual([size, size * 2, size]);
      counts.push(await fewest(() => alena.request(DETAIL, { id, first: size })));
    }

    expect(Math.max(...counts)).toBeLessThan(28);
    // Whether two parts of the answer ask for files and people in one statement or in two is a matter of who is first.
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(5);
  });

  /** What runs in the background now and then can only add to a count. */
  async function fewest(work: () => Promise<unknown>): Promise<number> {
    const counts: number[] = [];
    for (let run = 0; run < 5; run++) counts.push((await countStatements(work)).length);
    return Math.min(...counts);
  }

  type Detail = {
    conversation: { requests: { nodes: object[] }; messages: { nodes: { requestLinks: object[] }[] } };
  };
});
