import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { globalId } from '../src/schema/global-id.ts';
import { batchOf, textMessage } from './support/payloads.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;
let ids: string[];

beforeAll(async () => {
  server = await startTestServer();
  const messages = Array.from({ length: 22 }, (_, index) => textMessage({ from: `42060100${1000 + index}` }));
  await server.postWebhook(batchOf(number1.phoneNumberId, messages));
  const rows = await server.sql<{ id: string }>('SELECT id FROM conversation ORDER BY number');
  ids = rows.map(({ id }) => globalId('Conversation', id));
});

afterAll(() => server[Symbol.asyncDispose]());

const VIEWER = `viewer {
  conversationList { columns { column visible position locked } searchColumns summaryPanelOpen }
  operatorList { columns { column visible position locked } }
  openConversations { id }
}`;
const ERRORS = 'errors { __typename code path ... on ValidationError { rule } ... on LimitError { limit } }';
const LIST = `mutation List($input: UpdateConversationListInput!) { updateConversationList(input: $input) { ${VIEWER} ${ERRORS} } }`;
const OPERATORS = `mutation Operators($input: UpdateOperatorListInput!) { updateOperatorList(input: $input) { ${VIEWER} ${ERRORS} } }`;
const OPEN = `mutation Open($ids: [ID!]!) { setOpenConversations(input: { conversationIds: $ids }) { ${VIEWER} ${ERRORS} } }`;

type Columns = { columns: { column: string; visible: boolean; position: number; locked: boolean }[] };
type Viewer = {
  conversationList: Columns & { searchColumns: string[]; summaryPanelOpen: boolean };
  operatorList: Columns;
  openConversations: { id: string }[];
};
type Payload = { viewer: Viewer | null; errors: { __typename: string; path: string[]; rule?: string }[] };

async function change(document: string, variables: Record<string, unknown>, login: 'alena' | 'boris' = 'alena') {
  const answer = await (await server.as(login)).request<Record<string, Payload>>(document, variables);
  const [payload] = Object.values(answer);
  if (!payload) throw new Error('no payload came');
  return payload;
}

const show = async (login: 'alena' | 'boris' = 'alena') =>
  (await (await server.as(login)).request<{ viewer: Viewer }>(`{ ${VIEWER} }`)).viewer;

const namesOf = ({ columns }: Columns) => columns.map(({ column, visible }) => `${visible ? '' : '-'}${column}`);

const ALL = [
  'NUMBER',
  'SOURCE',
  'BUSINESS_NUMBER',
  'OPERATOR',
  'PARTICIPANT',
  'MESSAGE_STATUS',
  'LAST_MESSAGE',
  'LAST_MESSAGE_AT',
  'BEACON',
  'MESSAGE_DIRECTION',
  'CREATED_AT',
];

describe('the columns of a table', () => {
  beforeEach(async () => {
    await change(LIST, { input: { columns: [], searchColumns: null, summaryPanelOpen: null } });
    await change(OPERATORS, { input: { columns: [] } });
  });

  it('are all there at first, the number locked', async () => {
    const { conversationList, operatorList } = await show();

    expect(namesOf(conversationList)).toEqual(ALL);
    expect(conversationList.columns.filter(({ locked }) => locked)).toEqual([
      { column: 'NUMBER', visible: true, position: 0, locked: true },
    ]);
    expect(namesOf(operatorList)).toEqual([
      'NUMBER',
      'DISPLAY_NAME',
      'LOGIN',
      'PERMISSIONS',
      'LOGIN_STATE',
      'LAST_SEEN_AT',
    ]);
  });

  it('stand in the order in which they are listed, the others after them as they stood', async () => {
    const columns = [
      { column: 'BEACON', visible: true },
      { column: 'NUMBER', visible: true },
      { column: 'SOURCE', visible: false },
    ];
    const { viewer } = await change(LIST, { input: { columns } });
    const again = await change(LIST, { input: { columns: [{ column: 'CREATED_AT', visible: true }] } });

    const rest = ALL.filter((name) => !['BEACON', 'NUMBER', 'SOURCE', 'CREATED_AT'].includes(name));
    expect(viewer && namesOf(viewer.conversationList)).toEqual(['BEACON', 'NUMBER', '-SOURCE', ...rest, 'CREATED_AT']);
    expect(again.viewer && namesOf(again.viewer.conversationList)).toEqual([
      'CREATED_AT',
      'BEACON',
      'NUMBER',
      '-SOURCE',
      ...rest,
    ]);
    expect(namesOf((await show('boris')).conversationList)).toEqual(ALL);
  });

  it('are as at first after an empty list', async () => {
    await change(LIST, { input: { columns: [{ column: 'BEACON', visible: false }] } });
    const { viewer } = await change(LIST, { input: { columns: [] } });

    expect(viewer && namesOf(viewer.conversationList)).toEqual(ALL);
  });

  it('that came with a later release are hidden at the end, and forgotten ones are left out', async () => {
    await server.sql(
      `UPDATE list_preferences SET conversation_columns = '[{"column":"NUMBER","visible":true},{"column":"GONE","visible":true}]'`,
    );

    expect(namesOf((await show()).conversationList)).toEqual(['NUMBER', ...ALL.slice(1).map((name) => `-${name}`)]);
  });

  it('cannot be listed twice, and the number cannot be hidden', async () => {
    const before = await show();
    const columns = [
      { column: 'NUMBER', visible: false },
      { column: 'LOGIN', visible: true },
      { column: 'LOGIN', visible: false },
    ];
    const { errors, viewer } = await change(OPERATORS, { input: { columns } });

    expect(viewer).toBeNull();
    expect(errors.map(({ path, rule }) => [path.join('.'), rule])).toEqual([
      ['input.columns.0', 'LOCKED'],
      ['input.columns.2', 'DUPLICATE'],
    ]);
    expect(await show()).toEqual(before);
  });

  it('that nobody knows are refused', async () => {
    const alena = await server.as('alena');
    const answer: unknown = await alena
      .request(LIST, { input: { columns: [{ column: 'SHOE_SIZE', visible: true }] } })
      .catch((error: unknown) => error);

    expect(answer).toMatchObject({ response: { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] } });
  });
});

describe('the search box and the panel', () => {
  it('look at every column until some are chosen, hidden ones among them', async () => {
    const first = await show();
    await change(LIST, { input: { columns: [{ column: 'PARTICIPANT', visible: false }] } });
    const { viewer } = await change(LIST, { input: { searchColumns: ['PARTICIPANT', 'MESSAGES', 'PARTICIPANT'] } });
    const reset = await change(LIST, { input: { searchColumns: null } });

    expect(first.conversationList.searchColumns).toHaveLength(7);
    expect(viewer?.conversationList.searchColumns).toEqual(['PARTICIPANT', 'MESSAGES']);
    expect(viewer?.conversationList.columns.find(({ column }) => column === 'PARTICIPANT')?.visible).toBe(false);
    expect(reset.viewer?.conversationList.searchColumns).toHaveLength(7);
  });

  it('need one column at least', async () => {
    const { errors, viewer } = await change(LIST, { input: { searchColumns: [] } });

    expect(viewer).toBeNull();
    expect(errors).toMatchObject([{ rule: 'EMPTY', path: ['input', 'searchColumns'] }]);
  });

  it('remember whether the panel is open', async () => {
    const closed = await change(LIST, { input: { summaryPanelOpen: false } });
    const untouched = await change(LIST, { input: { searchColumns: ['NUMBER'] } });

    expect([closed, untouched].map(({ viewer }) => viewer?.conversationList.summaryPanelOpen)).toEqual([false, false]);
    expect((await show('boris')).conversationList.summaryPanelOpen).toBe(true);
  });
});

describe('the open tabs', () => {
  it('keep their order, each once, and only what may be seen', async () => {
    const wanted = [ids[2], ids[0], ids[2], globalId('Conversation', '00000000-0000-7000-8000-000000000000'), ids[1]];
    const { viewer } = await change(OPEN, { ids: wanted });

    expect(viewer?.openConversations).toEqual([{ id: ids[2] }, { id: ids[0] }, { id: ids[1] }]);
    expect((await show('boris')).openConversations).toEqual([]);
  });

  it('are at most 20', async () => {
    const many = await change(OPEN, { ids });
    const twenty = await change(OPEN, { ids: [...ids.slice(0, 20), ...ids.slice(0, 20)] });

    expect(many).toMatchObject({ viewer: null, errors: [{ __typename: 'LimitError', limit: 20 }] });
    expect(twenty.viewer?.openConversations).toHaveLength(20);
  });

  it('cannot be something else', async () => {
    const { errors } = await change(OPEN, {
      ids: [ids[0], globalId('Operator', '00000000-0000-7000-8000-000000000000')],
    });

    expect(errors).toMatchObject([{ __typename: 'NotFoundError', path: ['input', 'conversationIds', '1'] }]);
  });

  it('drop out when the right is gone', async () => {
    await change(OPEN, { ids: [ids[0]] }, 'boris');
    await server.sql(`UPDATE operator SET permissions = '{REPLY}' WHERE login = 'boris'`);

    expect((await show('boris')).openConversations).toEqual([]);
  });
});

describe('a token', () => {
  it('has the tables as they are at first, no tabs, and changes nothing', async () => {
    const dashboard = server.withToken(server.dashboardToken);
    const { viewer } = await dashboard.request<{ viewer: Viewer }>(`{ ${VIEWER} }`);
    const refused = await dashboard.request<{ updateConversationList: Payload }>(LIST, {
      input: { summaryPanelOpen: false },
    });

    expect(namesOf(viewer.conversationList)).toEqual(ALL);
    expect(viewer.openConversations).toEqual([]);
    expect(refused.updateConversationList).toMatchObject({ viewer: null, errors: [{ __typename: 'ForbiddenError' }] });
  });
});
