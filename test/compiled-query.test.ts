import {
  GraphQLBoolean,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  getOperationAST,
  parse,
  type ExecutionResult,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Context } from '../src/context.ts';
import { createRunner } from '../src/execution/compiled-query.ts';
import { globalId } from '../src/schema/global-id.ts';
import { schema } from '../src/schema/schema.ts';
import { eventually } from './support/events.ts';
import { makeOneOfEach } from './support/one-of-each.ts';
import { scopedToken } from './support/scoped-token.ts';
import { startTestServer, type TestServer } from './support/server.ts';
import { fieldText } from './support/walk.ts';

const TIMES = 4;

describe('an operation that comes again', () => {
  /** Two schemas alike, but for who answers. */
  function answering(who: 'interpreted' | 'compiled', isOpen = true): GraphQLSchema {
    const fails = { fails: { type: GraphQLBoolean, defaultValue: false } };
    const Row = new GraphQLObjectType<{ fails: boolean }>({
      name: 'Row',
      ...(who === 'interpreted' && { isTypeOf: refuseUnless(isOpen) }),
      fields: { text: { type: new GraphQLNonNull(GraphQLString), resolve: (row) => (row.fails ? null : 'text') } },
    });
    const row = { args: fails, resolve: (_: unknown, args: { fails: boolean }) => args };
    const query = new GraphQLObjectType({
      name: 'Query',
      fields: {
        who: { type: GraphQLString, resolve: () => who },
        sum: {
          type: GraphQLInt,
          args: { a: { type: GraphQLInt }, b: { type: GraphQLInt, defaultValue: 5 } },
          resolve: sum,
        },
        row: { type: Row, ...row },
        rows: { type: new GraphQLList(Row), args: fails, resolve: (_, args) => [{ fails: false }, args] },
        needed: { type: new GraphQLNonNull(Row), ...row },
      },
    });
    const mutation = new GraphQLObjectType({
      name: 'Mutation',
      fields: { who: { type: GraphQLString, resolve: () => who } },
    });
    return new GraphQLSchema({ query, mutation });
  }

  const sum = (_: unknown, { a, b }: { a?: number; b: number }) => (a === undefined ? -1 : a + b);
  const refuseUnless = (isOpen: boolean) => () => {
    if (!isOpen) throw new Error('refused');
    return true;
  };

  async function answers(
    text: string,
    variables: Record<string, unknown> = {},
    isOpen = true,
  ): Promise<ExecutionResult[]> {
    const run = createRunner(answering('interpreted', isOpen), () => answering('compiled'));
    const document = parse(text);
    const node = getOperationAST(document);
    if (!node) throw new Error('there is no operation');
    const given: ExecutionResult[] = [];
    // Nothing in these schemas looks at the context.
    for (let time = 0; time < TIMES; time++) given.push(await run({ document, node, variables }, {} as Context));
    return given.map(
      (answer) => structuredClone({ ...answer, errors: answer.errors?.map((error) => error.toJSON()) }) as never,
    );
  }

  const who = (given: ExecutionResult[]) => given.map(({ data }) => data?.who);

  it('is compiled the third time, with the same answer', async () => {
    const given = await answers('query ($a: Int) { who sum(a: $a) row { text } rows { text } needed { text } }', {
      a: 1,
    });

    expect(who(given)).toEqual(['interpreted', 'interpreted', 'compiled', 'compiled']);
    const rest = given.map(({ data }) => ({ ...data, who: null }));
    expect(rest).toEqual(Array.from({ length: TIMES }, () => rest[0]));
    expect(rest[0]).toMatchObject({ sum: 6, rows: [{ text: 'text' }, { text: 'text' }] });
  });

  it('compiled knows what is not given from what is null', async () => {
    const omitted = await answers('query ($a: Int, $b: Int) { who sum(a: $a, b: $b) }');
    const told = await answers('query ($a: Int = 3, $b: Int) { who sum(a: $a, b: $b) }', { b: 4 });

    expect([omitted.map(({ data }) => data?.sum), told.map(({ data }) => data?.sum)]).toEqual([
      [-1, -1, -1, -1],
      [7, 7, 7, 7],
    ]);
    expect(who(told).at(-1)).toBe('compiled');
  });

  it.each([
    ['an error in a row that may be null', '{ who row(fails: true) { text } }', { row: null }],
    ['an error in a list', '{ who rows(fails: true) { text } }', { rows: [{ text: 'text' }, null] }],
  ])('with %s is answered by graphql-js each time', async (_case, text, expected) => {
    const given = await answers(text);

    expect(given).toEqual(Array.from({ length: TIMES }, () => given[0]));
    expect(given[0]).toMatchObject({
      data: { who: 'interpreted', ...expected },
      errors: [{ path: expect.any(Array) }],
    });
  });

  it('loses everything to an error where nothing may be null, each time', async () => {
    const given = await answers('{ who needed(fails: true) { text } }');

    expect(given.map(({ data, errors }) => [data, errors?.length])).toEqual(
      Array.from({ length: TIMES }, () => [null, 1]),
    );
  });

  it.each([
    ['a mutation', 'mutation { who }', {}, true],
    ['one with a directive', 'query ($yes: Boolean!) { who @include(if: $yes) }', { yes: true }, true],
    ['one that introspects', '{ who __schema { queryType { name } } }', {}, true],
    ['one with a type that is refused', '{ who row { text } }', {}, false],
  ])('is never compiled where it is %s', async (_case, text, variables, isOpen) => {
    expect(who(await answers(text, variables, isOpen))).toEqual(Array.from({ length: TIMES }, () => 'interpreted'));
  });

  it('with variables that do not fit is refused by graphql-js each time', async () => {
    const given = await answers('query ($a: Int!) { who sum(a: $a) }', { a: 'x' });

    expect(given.map(({ errors }) => errors?.[0]?.message)).toEqual(
      Array.from({ length: TIMES }, () => expect.stringContaining('$a')),
    );
  });
});

describe('asked again and again, the server answers the same', () => {
  let server: TestServer;
  let ids: Record<string, string>;
  let blind: string;

  beforeAll(async () => {
    server = await startTestServer({ settings: { ROLE: 'api' } });
    const rows = await makeOneOfEach(server);
    ids = Object.fromEntries(Object.entries(rows).map(([type, id]) => [type, globalId(type, id)]));
    blind = await scopedToken(server, ['READ_CONVERSATIONS']);
    // From the first request on the operator is online.
    await (await server.as('alena')).request('{ serverTime }');
    await eventually(async () => (await server.sql('SELECT FROM operator WHERE last_seen_at IS NOT NULL')).length > 0);
  });

  afterAll(() => server[Symbol.asyncDispose]());

  const MOVES =
    /"[^"]*(serverTime|asOf|lastSeenAt|lastUsedAt|requestId|url|expiresAt|head|dayEndsAt|cursor)":("[^"]*"|null)/gi;
  const queries = Object.values(schema.getQueryType()?.getFields() ?? {}).filter(({ name }) => !/^nodes?$/.test(name));

  async function same(query: string, variables: Record<string, unknown>, token: string): Promise<string> {
    const texts: string[] = [];
    for (let time = 0; time < TIMES; time++) {
      const response = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query, variables }),
      });
      texts.push((await response.text()).replaceAll(MOVES, '"$1":"…"'));
    }
    expect(texts).toEqual(Array.from({ length: TIMES }, () => texts[0]));
    return texts[0] ?? '';
  }

  it.each(queries.map((field) => [field.name, field] as const))(
    'to %s, to who may and to who may not',
    async (_name, field) => {
      const text = `{ ${fieldText(schema, field, 1)} }`;

      expect(await same(text, {}, await server.tokenOf('alena'))).toContain(field.name);
      expect(await same(text, {}, blind)).toMatch(/^\{"(data|errors)":/);
    },
  );

  it.each([
    [
      'a row with parts that are refused',
      'query ($id: ID!) { conversation(id: $id) { number requests(first: 2) { nodes { id } } lastMessage { content { __typename } } } }',
      'FORBIDDEN|"nodes":\\[\\]',
    ],
    [
      'an argument that is refused',
      'query ($id: ID!) { conversation(id: $id) { number messages(first: 0) { nodes { id } } } }',
      'BAD_USER_INPUT',
    ],
    [
      'a search that is refused',
      'query ($id: ID!) { conversation(id: $id) { number messages(first: 1, search: "x") { nodes { id } } } }',
      'FORBIDDEN',
    ],
    ['an id of another type', '{ conversation(id: "eA==") { number } }', 'BAD_USER_INPUT'],
    [
      'fragments and aliases',
      'query ($id: ID!) { a: conversation(id: $id) { ...F } b: conversation(id: $id) { n: number ...F } } fragment F on Conversation { number participant { displayName } }',
      'displayName',
    ],
    [
      'a union and an interface',
      'query ($id: ID!) { node(id: $id) { __typename ... on Conversation { lastMessage { content { ... on TextContent { text } } } } } }',
      '__typename',
    ],
    [
      'an input with variables inside',
      'query ($on: Boolean, $id: ID!) { conversation(id: $id) { number } conversations(first: 5, filter: { beaconOn: $on, hasUnread: $on }) { nodes { number } } }',
      'nodes',
    ],
  ])('with %s', async (_case, query, expected) => {
    const variables = { id: ids.Conversation };

    expect(await same(query, variables, blind)).toMatch(new RegExp(expected));
    await same(query, variables, await server.tokenOf('alena'));
  });
});
