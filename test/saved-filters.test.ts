import { gql, type GraphQLClient } from 'graphql-request';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { globalId } from '../src/schema/global-id.ts';
import { storeConversations, storedConversation } from './support/stored-conversations.ts';
import { startTestServer, type TestServer } from './support/server.ts';

const FIELDS = `id name color visibility filter search searchColumns sortField sortDirection position problems
  conversationCount schemaVersion version owner { login } sharedWith { login }`;

const CREATE = gql`
  mutation Create($input: CreateSavedFilterInput!) {
    createSavedFilter(input: $input) {
      savedFilter { ${FIELDS} }
      errors { __typename code path }
    }
  }
`;

const UPDATE = gql`
  mutation Update($input: UpdateSavedFilterInput!) {
    updateSavedFilter(input: $input) {
      savedFilter { ${FIELDS} }
      errors { __typename code path ... on StaleStateError { currentVersion } }
    }
  }
`;

const DELETE = gql`
  mutation Delete($input: DeleteSavedFilterInput!) {
    deleteSavedFilter(input: $input) {
      deletedId
      errors {
        code
      }
    }
  }
`;

const ALL = gql`query All { savedFilters { ${FIELDS} } }`;

const LIST = gql`
  query List($filter: ConversationFilterInput, $savedFilterId: ID) {
    conversations(first: 100, filter: $filter, savedFilterId: $savedFilterId) {
      totalCount
      nodes {
        number
      }
    }
  }
`;

type Saved = {
  id: string;
  name: string;
  filter: object;
  problems: string[];
  conversationCount: number;
  version: number;
};
type Refused = { __typename: string; code: string; path: string[] | null; currentVersion?: number };
type Change = { savedFilter: Saved | null; errors: Refused[] };
type Listed = { conversations: { totalCount: number; nodes: { number: number }[] } };

let server: TestServer;
let alena: GraphQLClient;
let boris: GraphQLClient;
let operators: Record<string, string>;

beforeAll(async () => {
  server = await startTestServer();
  [alena, boris] = await Promise.all([server.as('alena'), server.as('boris')]);
  const rows = await server.sql<{ id: string; login: string }>('SELECT id, login FROM operator');
  operators = Object.fromEntries(rows.map(({ id, login }) => [login, id]));
  const [number] = await server.sql<{ id: string }>('SELECT id FROM business_number WHERE slot = 1');
  const dayMs = 86_400_000;
  await storeConversations(server, [
    storedConversation({ number: 1, businessNumberId: number?.id, name: 'Jana', beaconSince: new Date() }),
    storedConversation({ number: 2, businessNumberId: number?.id, name: 'Petr', lastRepliedById: operators.boris }),
    storedConversation({
      number: 3,
      businessNumberId: number?.id,
      name: 'Ivan',
      lastMessageAt: new Date(Date.now() - 3 * dayMs),
      lastRepliedById: operators.alena,
    }),
  ]);
});

afterAll(() => server[Symbol.asyncDispose]());

async function create(input: object, client = alena): Promise<Change> {
  return (await client.request<{ createSavedFilter: Change }>(CREATE, { input })).createSavedFilter;
}

async function made(input: object, client = alena): Promise<Saved> {
  const { savedFilter, errors } = await create(input, client);
  if (!savedFilter) throw new Error(`it was not created: ${JSON.stringify(errors)}`);
  return savedFilter;
}

async function update(input: object, client = alena): Promise<Change> {
  return (await client.request<{ updateSavedFilter: Change }>(UPDATE, { input })).updateSavedFilter;
}

async function seenBy(client: GraphQLClient): Promise<Saved[]> {
  return (await client.request<{ savedFilters: Saved[] }>(ALL)).savedFilters;
}

async function numbersOf(variables: object, client = alena): Promise<number[]> {
  const { conversations } = await client.request<Listed>(LIST, variables);
  return conversations.nodes.map((node) => node.number).toSorted();
}

describe('a saved filter', () => {
  it('can be sent back as it is given out, with the same result', async () => {
    const filter = {
      or: [
        { participant: { match: 'STARTS_WITH', value: 'já' } },
        { not: { lastMessageAt: { relative: 'TODAY', timeZone: 'Europe/Prague' } } },
        {
          createdAt: { lt: '2020-01-01T00:00:00.000Z' },
          lastRepliedByIds: [globalId('Operator', operators.boris ?? '')],
        },
      ],
      businessNumberIds: null,
    };
    const saved = await made({ name: 'Kolo', filter });

    expect(saved.filter).toEqual({ or: filter.or });
    expect(await numbersOf({ filter: saved.filter })).toEqual([1, 3]);
    expect(await numbersOf({ savedFilterId: saved.id })).toEqual([1, 3]);
    expect(saved.conversationCount).toBe(2);
    expect(await numbersOf({ savedFilterId: saved.id, filter: { beaconOn: true } })).toEqual([1]);
  });

  it('keeps search, columns, order and colour, and "me" is whoever reads it', async () => {
    const saved = await made({
      name: 'Moje',
      color: '#00aaFF',
      filter: { lastRepliedByMe: true },
      search: { query: '', columns: ['PARTICIPANT', 'NUMBER'] },
      orderBy: { field: 'NUMBER', direction: 'ASC' },
      visibility: 'SHARED',
    });

    expect(saved).toMatchObject({
      color: '#00aaFF',
      searchColumns: ['PARTICIPANT', 'NUMBER'],
      sortField: 'NUMBER',
      sortDirection: 'ASC',
      sharedWith: [],
    });
    expect(await numbersOf({ savedFilterId: saved.id })).toEqual([3]);
    expect(await numbersOf({ savedFilterId: saved.id }, boris)).toEqual([2]);
    const borisSees = (await seenBy(boris)).find(({ id }) => id === saved.id);
    expect(borisSees).toMatchObject({ owner: { login: 'alena' }, conversationCount: 1 });
  });

  it('is private until it is shared, and then read-only for others', async () => {
    const saved = await made({ name: 'Tajný', filter: {} });
    const target = { id: saved.id, expectedVersion: saved.version };

    expect((await seenBy(boris)).map(({ id }) => id)).not.toContain(saved.id);
    expect((await update({ ...target, name: 'x' }, boris)).errors).toMatchObject([
      { code: 'NOT_FOUND', path: ['input', 'id'] },
    ]);
    await expect(numbersOf({ savedFilterId: saved.id }, boris)).rejects.toThrow(/savedFilterId: there is no such/);
    const node = await boris
      .request<{ node: object | null }>('query ($id: ID!) { node(id: $id) { id } }', { id: saved.id })
      .catch(() => ({ node: null }));
    expect(node.node).toBeNull();

    const cyril = globalId('Operator', operators.cyril ?? '');
    const shared = await update({ ...target, visibility: 'SHARED', sharedWithOperatorIds: [cyril] });
    expect(shared.savedFilter).toMatchObject({ sharedWith: [{ login: 'cyril' }], version: 2 });
    expect((await seenBy(boris)).map(({ id }) => id)).not.toContain(saved.id);
    const everybody = await update({ id: saved.id, expectedVersion: 2, sharedWithOperatorIds: [] });
    expect(everybody.savedFilter).toMatchObject({ sharedWith: [], visibility: 'SHARED' });
    expect((await seenBy(boris)).map(({ id }) => id)).toContain(saved.id);
    expect((await update({ id: saved.id, expectedVersion: 3, name: 'x' }, boris)).errors).toMatchObject([
      { code: 'FORBIDDEN' },
    ]);

    const hidden = await update({ id: saved.id, expectedVersion: 3, visibility: 'PRIVATE' });
    expect(hidden.errors).toEqual([]);
    expect((await seenBy(boris)).map(({ id }) => id)).not.toContain(saved.id);
  });

  it('tells whoever changes an old version which one is current', async () => {
    const saved = await made({ name: 'Verze', filter: {}, color: '#000000' });

    const first = await update({ id: saved.id, expectedVersion: 1, name: 'Nová', color: null, position: 0 });
    const second = await update({ id: saved.id, expectedVersion: 1, name: 'Jiná' });

    expect(first.savedFilter).toMatchObject({ name: 'Nová', color: null, position: 0, version: 2 });
    expect(second).toMatchObject({ savedFilter: null, errors: [{ __typename: 'StaleStateError', currentVersion: 2 }] });
  });

  it('stands at the end at most, and more can be made after it', async () => {
    const saved = await made({ name: 'Poslední', filter: {} });

    for (const position of [-1, 1_000_001, 2_147_483_647])
      expect(await update({ id: saved.id, expectedVersion: 1, position })).toMatchObject({
        savedFilter: null,
        errors: [{ __typename: 'ValidationError', path: ['input', 'position'] }],
      });
    expect((await update({ id: saved.id, expectedVersion: 1, position: 1_000_000 })).errors).toEqual([]);
    const later = await made({ name: 'Ještě jeden', filter: {} });
    expect((await update({ id: later.id, expectedVersion: 1, name: 'Jinak' })).errors).toEqual([]);
  });

  it('names what no longer resolves and fails nothing', async () => {
    const gone = uuid();
    const saved = await made({ name: 'Odešli', filter: { lastRepliedByIds: [globalId('Operator', gone)] } });
    const left = await made({
      name: 'Cyril',
      filter: { lastRepliedByIds: [globalId('Operator', operators.cyril ?? '')] },
    });
    await server.sql(`UPDATE operator SET deactivated_at = now() WHERE login = 'cyril'`);

    const seen = await seenBy(alena);
    expect(seen.find(({ id }) => id === saved.id)).toMatchObject({
      problems: [/no longer exists/],
      conversationCount: 0,
    });
    expect(seen.find(({ id }) => id === left.id)).toMatchObject({ problems: [/deactivated/] });
    expect(await numbersOf({ savedFilterId: saved.id })).toEqual([]);
    await server.sql(`UPDATE operator SET deactivated_at = NULL WHERE login = 'cyril'`);
  });

  it('is given out as the newest change in a document left it', async () => {
    const { id } = await made({ name: 'Dvakrát', filter: {} });
    const fields = 'savedFilter { name version conversationCount }';

    const twice = await alena.request<Record<string, { savedFilter: object }>>(
      `mutation Twice($id: ID!) {
        one: updateSavedFilter(input: { id: $id, expectedVersion: 1, name: "Jednou" }) { ${fields} }
        two: updateSavedFilter(input: { id: $id, expectedVersion: 2, filter: { number: { eq: 1 } } }) { ${fields} }
      }`,
      { id },
    );

    expect(twice.one?.savedFilter).toEqual({ name: 'Jednou', version: 2, conversationCount: 3 });
    expect(twice.two?.savedFilter).toEqual({ name: 'Jednou', version: 3, conversationCount: 1 });
  });

  it('can be shared as before though a colleague has left, but with nobody more who has', async () => {
    const [boris, cyril] = [operators.boris, operators.cyril].map((id) => globalId('Operator', id ?? ''));
    const shared = { visibility: 'SHARED', sharedWithOperatorIds: [cyril] };
    const kept = await made({ name: 'S Cyrilem', filter: {}, ...shared });
    const other = await made({ name: 'Bez Cyrila', filter: {} });
    await server.sql(`UPDATE operator SET deactivated_at = now() WHERE login = 'cyril'`);

    const both = await update({ id: kept.id, expectedVersion: 1, sharedWithOperatorIds: [cyril, boris] });
    const added = await update({ id: other.id, expectedVersion: 1, ...shared });
    await server.sql(`UPDATE operator SET deactivated_at = NULL WHERE login = 'cyril'`);

    expect(both.errors).toEqual([]);
    expect(added.errors).toMatchObject([{ code: 'NOT_FOUND', path: ['input', 'sharedWithOperatorIds'] }]);
  });

  it('of an older form is read in the present one; of a later release it holds nothing', async () => {
    const saved = await made({ name: 'Stará', filter: {} });
    const old = { or: [{ participant: 'ivan' }, { number: { eq: 1 } }] };
    await server.sql('UPDATE saved_filter SET filter = $1, schema_version = 1 WHERE name = $2', [old, 'Stará']);

    const read = (await seenBy(alena)).find(({ id }) => id === saved.id);
    expect(read?.filter).toEqual({
      or: [{ participant: { match: 'CONTAINS', value: 'ivan' } }, { number: { eq: 1 } }],
    });
    expect(await numbersOf({ savedFilterId: saved.id })).toEqual([1, 3]);
    expect(await numbersOf({ filter: read?.filter })).toEqual([1, 3]);

    await server.sql('UPDATE saved_filter SET schema_version = 99 WHERE name = $1', ['Stará']);
    const later = (await seenBy(alena)).find(({ id }) => id === saved.id);
    expect(later).toMatchObject({ problems: [/another release/], conversationCount: 0 });
    expect(await numbersOf({ savedFilterId: saved.id })).toEqual([]);
  });

  it('is deleted by its owner alone', async () => {
    const saved = await made({ name: 'Pryč', filter: {}, visibility: 'SHARED' });
    const remove = (client: GraphQLClient) =>
      client.request<{ deleteSavedFilter: { deletedId: string | null; errors: Refused[] } }>(DELETE, {
        input: { id: saved.id },
      });

    expect((await remove(boris)).deleteSavedFilter.errors).toMatchObject([{ code: 'FORBIDDEN' }]);
    expect((await remove(alena)).deleteSavedFilter).toEqual({ deletedId: saved.id, errors: [] });
    expect((await remove(alena)).deleteSavedFilter.errors).toMatchObject([{ code: 'NOT_FOUND' }]);
  });
});

describe('what cannot be saved is refused with its path', () => {
  it.each<[fact: string, input: object, error: object]>([
    ['no name', { name: ' ', filter: {} }, { code: 'VALIDATION', path: ['input', 'name'] }],
    ['a name of 61 characters', { name: 'x'.repeat(61), filter: {} }, { code: 'VALIDATION', path: ['input', 'name'] }],
    ['no colour', { name: 'a', filter: {}, color: 'red;' }, { code: 'VALIDATION', path: ['input', 'color'] }],
    [
      'an id of another type',
      { name: 'a', filter: { and: [{ lastRepliedByIds: [globalId('Message', uuid())] }] } },
      { code: 'VALIDATION', path: ['input', 'filter', 'and', '0', 'lastRepliedByIds'] },
    ],
    [
      'a search that is too long',
      { name: 'a', filter: {}, search: { query: 'x'.repeat(201) } },
      { code: 'VALIDATION', path: ['input', 'search', 'query'] },
    ],
    [
      'a private one that is shared',
      { name: 'a', filter: {}, sharedWithOperatorIds: [globalId('Operator', uuid())] },
      { code: 'VALIDATION', path: ['input', 'sharedWithOperatorIds'] },
    ],
    [
      'shared with nobody who exists',
      { name: 'a', filter: {}, visibility: 'SHARED', sharedWithOperatorIds: [globalId('Operator', uuid())] },
      { code: 'NOT_FOUND', path: ['input', 'sharedWithOperatorIds'] },
    ],
  ])('%s', async (_fact, input, error) => {
    expect(await create(input)).toMatchObject({ savedFilter: null, errors: [error] });
  });

  it('a second one of the same name, whatever its case', async () => {
    await made({ name: 'Ráno', filter: {} });

    expect(await create({ name: ' RÁNO ', filter: {} })).toMatchObject({
      savedFilter: null,
      errors: [{ __typename: 'LimitError', code: 'DUPLICATE', path: ['input', 'name'] }],
    });
    expect((await create({ name: 'Ráno', filter: {} }, boris)).errors).toEqual([]);
    await made({ name: 'Straße', filter: {} });
    expect((await create({ name: 'STRASSE', filter: {} })).errors).toMatchObject([{ code: 'DUPLICATE' }]);
  });

  it('the 51st, also where many are made at once', async () => {
    await server.sql(`DELETE FROM saved_filter WHERE owner_id = $1`, [operators.boris]);
    const answers = await Promise.all(
      Array.from({ length: 53 }, (_, index) => create({ name: `F${index}`, filter: {} }, boris)),
    );

    expect(answers.filter(({ errors }) => errors[0]?.code === 'LIMIT_EXCEEDED')).toHaveLength(3);
    expect(answers.filter(({ savedFilter }) => savedFilter)).toHaveLength(50);
    expect(await seenBy(boris)).toHaveLength(
      50 + (await seenBy(alena)).filter((row) => 'visibility' in row && row.visibility === 'SHARED').length,
    );
  });

  it('anything by an operator without the right or by a token', async () => {
    const input = { name: 'x', filter: {} };

    for (const client of [await server.as('cyril'), server.withToken(server.dashboardToken)])
      expect((await create(input, client)).errors).toMatchObject([{ code: 'FORBIDDEN' }]);
    await expect(seenBy(server.withToken(server.dashboardToken))).rejects.toThrow(/may not see/);
  });
});

it('stays in the list of its owner, however many are shared', async () => {
  const own = await made({ name: 'Moje vlastní', filter: {} });
  await server.sql(
    `INSERT INTO operator (id, number, subject, login, display_name)
     VALUES ('00000000-0000-7000-8000-000000000000', 90001, 'early', 'early', 'Early')`,
  );
  await server.sql(
    `INSERT INTO saved_filter (id, owner_id, name, name_key, visibility, filter, schema_version)
     SELECT gen_random_uuid(), '00000000-0000-7000-8000-000000000000', n, n, 'SHARED', '{}', 2 FROM generate_series(1, 501) n`,
  );

  const { savedFilters } = await alena.request<{ savedFilters: { id: string }[] }>('{ savedFilters { id } }');

  expect(savedFilters.map(({ id }) => id)).toContain(own.id);
});
