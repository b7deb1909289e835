import { isInterfaceType, isNullableType, isObjectType, type GraphQLField, type GraphQLObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_TOKEN_PREFIX, hashApiToken } from '../src/services/api-token-secret.ts';
import { ChatPermission, TokenScope } from '../src/generated/prisma/enums.ts';
import { globalId } from '../src/schema/global-id.ts';
import { schema } from '../src/schema/schema.ts';
import { signIn } from '../src/sign-in.ts';
import { collect } from './support/events.ts';
import { makeOneOfEach, marks, type OneOfEach } from './support/one-of-each.ts';
import { startTestServer, type TestServer } from './support/server.ts';
import { fieldText, operationOn, selectionOf, usesFile } from './support/walk.ts';

let server: TestServer;
let unlicensed: TestServer;
let rows: OneOfEach;

beforeAll(async () => {
  server = await startTestServer();
  rows = await makeOneOfEach(server);
  unlicensed = await startTestServer({ settings: { CHAT_LICENSED: 'false' } });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await unlicensed[Symbol.asyncDispose]();
});

const fieldsOf = (type: GraphQLObjectType | null | undefined) => Object.values(type?.getFields() ?? {});

/** A root field that must always answer is not nullable; `node` hides what may not be seen and refuses nobody. */
const guarded = fieldsOf(schema.getQueryType()).filter(
  (field) => isNullableType(field.type) && !['node', 'nodes'].includes(field.name),
);
/** Everybody may end their own log-in. */
const mutations = fieldsOf(schema.getMutationType()).filter((field) => field.name !== 'signOut');
const subscriptions = fieldsOf(schema.getSubscriptionType());
const node = schema.getType('Node');
const nodeTypes = isInterfaceType(node) ? schema.getPossibleTypes(node).filter(isObjectType) : [];
const named = <T extends { name: string }>(things: readonly T[]) => things.map((thing) => [thing.name, thing] as const);

type Answer = {
  data?: Record<string, unknown> | null;
  errors?: { message: string; extensions: { code: string } }[];
};
type Refused = { __typename: string; code: string; message: string; required?: string };

/** What belongs to people, or the scope that is missing. */
const REFUSAL = /^You may not do this\.$|^This token lacks READ_[A-Z_]+\.$/;

describe('without a credential', () => {
  it.each(named([...fieldsOf(schema.getQueryType()), ...fieldsOf(schema.getMutationType())]))(
    '%s is refused',
    async (_name, field) => {
      const kind = schema.getQueryType()?.getFields()[field.name] === field ? 'query' : 'mutation';
      const answer = await ask(server, null, operationOn(kind, field, selectionOf(field)));

      expect(answer).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
      expect(answer.data ?? null).toBeNull();
    },
  );

  it.each(['', 'Bearer', API_TOKEN_PREFIX])('a socket with the credential %j is closed with 4403', async (token) => {
    const socket = server.socket(token);
    const closed = new Promise<unknown>((resolve) => socket.on('closed', resolve));
    const live = collect(socket, 'subscription { events { __typename } }');

    expect(await closed).toMatchObject({ code: 4403 });
    expect(live.all).toEqual([]);
  });
});

describe('a query', () => {
  it.each(named(guarded))('%s refuses an operator without any right', async (name, field) => {
    const answer = await ask(server, await tokenWith([]), operationOn('query', field, selectionOf(field)));

    expect(answer).toMatchObject({ data: { [name]: null }, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    expect(answer.errors).toHaveLength(1);
  });

  it.each(named(guarded))('%s refuses a token whose scopes only write', async (name, field) => {
    const token = await apiToken(['WRITE_MESSAGES', 'WRITE_REQUESTS']);
    const answer = await ask(server, token, operationOn('query', field, selectionOf(field)));

    expect(answer).toMatchObject({ data: { [name]: null }, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  it.each(named(guarded))('%s is not refused to an operator with every right', async (_name, field) => {
    const answer = await ask(server, await server.tokenOf('alena'), operationOn('query', field, selectionOf(field)));

    expect(answer.errors?.map(({ extensions }) => extensions.code) ?? []).not.toContain('FORBIDDEN');
    expect(answer.errors?.map(({ extensions }) => extensions.code) ?? []).not.toContain('INTERNAL');
  });

  it.each(named(guarded))('%s is refused to everybody without a licence', async (name, field) => {
    const token = await unlicensed.tokenOf('alena');
    const answer = await ask(unlicensed, token, operationOn('query', field, selectionOf(field)));

    expect(answer).toMatchObject({ data: { [name]: null }, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });
});

describe('a mutation', () => {
  const ofOneRight = mutations.filter(({ name }) => name !== 'uploadAttachment');

  it.each(named(ofOneRight))('%s needs one right, and that one is enough', async (_name, field) => {
    const [refusal] = await refusalsOf(field, await tokenWith([]));
    expect(refusal).toMatchObject({ __typename: 'ForbiddenError', code: 'FORBIDDEN' });
    const required = ChatPermission[refusal?.required as ChatPermission];
    expect(required).toBeDefined();

    const others = Object.values(ChatPermission).filter((permission) => permission !== required);
    expect(await refusalsOf(field, await tokenWith(others))).toMatchObject([
      { __typename: 'ForbiddenError', required },
    ]);
    expect(await refusalsOf(field, await tokenWith([required]))).toEqual([]);
  });

  it('uploadAttachment needs any of the rights that a file can be used with', async () => {
    const [field] = mutations.filter(({ name }) => name === 'uploadAttachment');
    if (!field) throw new Error('there is no such mutation');
    const enough = ['REPLY', 'SEND_TEMPLATES', 'CREATE_REQUESTS', 'EDIT_REQUESTS'] as const;
    const others = Object.values(ChatPermission).filter((permission) => !enough.some((one) => one === permission));

    expect(await refusalsOf(field, await tokenWith(others))).toMatchObject([{ required: 'REPLY' }]);
    for (const permission of enough) expect(await refusalsOf(field, await tokenWith([permission]))).toEqual([]);
  });

  it.each(named(mutations))('%s refuses a token whose scopes only read', async (_name, field) => {
    const reading = Object.values(TokenScope).filter((scope) => scope.startsWith('READ_'));

    expect(await refusalsOf(field, await apiToken(reading))).toMatchObject([{ __typename: 'ForbiddenError' }]);
  });

  const needNoReading = ['startConversation', 'syncTemplates', 'uploadAttachment'];
  const needReading = mutations.filter(({ name }) => !needNoReading.includes(name));

  it.each(named(needReading))('%s tells a token whose scopes only write what it lacks', async (_name, field) => {
    const refusals = await refusalsOf(field, await apiToken(['WRITE_MESSAGES', 'WRITE_REQUESTS']));

    expect(refusals.map(({ message }) => message)).toEqual([expect.stringMatching(REFUSAL)]);
  });

  it.each(named(mutations))('%s says that there is no licence', async (_name, field) => {
    expect(await errorsOf(unlicensed, field, await unlicensed.tokenOf('alena'))).toMatchObject([
      { __typename: 'ModuleUnavailableError', code: 'MODULE_NOT_LICENSED' },
    ]);
  });

  async function refusalsOf(field: GraphQLField<unknown, unknown>, token: string): Promise<Refused[]> {
    return (await errorsOf(server, field, token)).filter((error) => error.__typename === 'ForbiddenError');
  }

  async function errorsOf(at: TestServer, field: GraphQLField<unknown, unknown>, token: string): Promise<Refused[]> {
    const selection = '{ __typename errors { __typename code message ... on ForbiddenError { required } } }';
    const operation = operationOn('mutation', field, selection);
    const answer = usesFile(field) ? await upload(at, token, operation) : await ask(at, token, operation);
    const payload = answer.data?.[field.name] as { errors: Refused[] } | undefined;
    if (!payload) throw new Error(`${field.name} answered ${JSON.stringify(answer)}`);
    return payload.errors;
  }
});

describe('a subscription', () => {
  it.each(named(subscriptions))('%s refuses an operator without any right', async (_name, field) => {
    expect(await firstErrorOf(server, field, await tokenWith([]))).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
  });

  it.each(named(subscriptions))('%s refuses a token whose scopes only write', async (_name, field) => {
    const token = await apiToken(['WRITE_MESSAGES', 'WRITE_REQUESTS']);
    expect(await firstErrorOf(server, field, token)).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });

  it.each(named(subscriptions))('%s says that there is no licence', async (_name, field) => {
    const token = await unlicensed.tokenOf('alena');
    expect(await firstErrorOf(unlicensed, field, token)).toMatchObject([
      { extensions: { code: 'MODULE_NOT_LICENSED' } },
    ]);
  });

  async function firstErrorOf(at: TestServer, field: GraphQLField<unknown, unknown>, token: string): Promise<unknown> {
    const { query, variables } = operationOn('subscription', field, selectionOf(field));
    const socket = at.socket(token);
    const live = collect(socket, query, variables);
    await live.ended;
    await socket.dispose();
    expect(live.all).toEqual([]);
    return live.errors.flat();
  }
});

describe('a node', () => {
  const BY_ID = { query: 'query Node($id: ID!) { node(id: $id) { __typename id } nodes(ids: [$id]) { id } }' };
  const idOf = (type: string) => globalId(type, rows[type] ?? `there is no row of ${type}: add one to one-of-each.ts`);

  it.each(named(nodeTypes))('%s does not exist for an operator without any right', async (name) => {
    const answer = await ask(server, await tokenWith([]), { ...BY_ID, variables: { id: idOf(name) } });

    expect(answer).toEqual({ data: { node: null, nodes: [null] } });
  });

  it.each(named(nodeTypes))('%s does not exist for a token whose scopes only write', async (name) => {
    const token = await apiToken(['WRITE_MESSAGES', 'WRITE_REQUESTS']);
    const answer = await ask(server, token, { ...BY_ID, variables: { id: idOf(name) } });

    expect(answer).toEqual({ data: { node: null, nodes: [null] } });
  });

  it.each(named(nodeTypes))('%s is found by an operator with every right', async (name) => {
    const id = idOf(name);
    const answer = await ask(server, await server.tokenOf('alena'), { ...BY_ID, variables: { id } });

    expect(answer).toEqual({ data: { node: { __typename: name, id }, nodes: [{ id }] } });
  });

  it.each(['', 'x', 'Tm90aGluZzp4', globalId('Conversation', 'x'), globalId('Query', '1')])(
    'of the id %j is null',
    async (id) => {
      const answer = await ask(server, await server.tokenOf('alena'), { ...BY_ID, variables: { id } });

      expect(answer).toEqual({ data: { node: null, nodes: [null] } });
    },
  );

  it('of another business number does not exist for a token that is limited to one', async () => {
    const [other] = await server.sql<{ id: string }>('SELECT id FROM business_number WHERE id <> $1', [
      rows.BusinessNumber,
    ]);
    const reading = Object.values(TokenScope).filter((scope) => scope.startsWith('READ_'));
    const limited = await apiToken(reading, [other?.id ?? '']);
    const ids = ['Conversation', 'Message', 'Participant', 'Attachment', 'BusinessNumber'].map(idOf);

    const query = { query: 'query Nodes($ids: [ID!]!) { nodes(ids: $ids) { id } }', variables: { ids } };
    expect(await ask(server, limited, query)).toEqual({ data: { nodes: ids.map(() => null) } });
    expect(await ask(server, await apiToken(reading), query)).toEqual({ data: { nodes: ids.map((id) => ({ id })) } });
  });
});

describe('a token', () => {
  const READING = Object.values(TokenScope).filter((scope) => scope.startsWith('READ_'));

  it.each(Object.entries(marks))('without %s never meets what it masks', async (scope, mark) => {
    const token = await apiToken(READING.filter((each) => each !== scope));

    expect(await placesOf(mark, token)).toEqual([]);
  });

  it.each(Object.entries(marks))('with %s meets it where there is a field for it', async (_scope, mark) => {
    const places = await placesOf(mark, await apiToken(READING));

    expect(places.length > 0 ? [] : nodesThatHold(mark)).toEqual([]);
  });

  /** Masked texts stand in these types; while none of them is built there is nothing to meet. */
  function nodesThatHold(mark: string): string[] {
    const holders: Record<string, string[]> = {
      'body-mark': ['Message'],
      'contact-mark': ['Participant'],
      'request-mark': ['Request'],
      'note-mark': ['DiscussionPost'],
    };
    return (holders[mark] ?? []).filter((name) => schema.getType(name) !== undefined);
  }

  /** Asks every node and every query for every field, and what lies behind it, and says where the mark came out. */
  async function placesOf(mark: string, token: string): Promise<string[]> {
    const query = schema.getQueryType();
    const lists = query ? fieldsOf(query).filter(({ name }) => !['node', 'nodes'].includes(name)) : [];
    const places = await Promise.all([
      ...lists.map((field) => placeOf(mark, token, { id: '' }, (depth) => fieldText(schema, field, depth))),
      ...nodeTypes.flatMap((type) => {
        const id = globalId(type.name, rows[type.name] ?? '');
        const inNode = (text: string) => `node(id: $id) { ... on ${type.name} { ${text} } }`;
        return fieldsOf(type).map((field) =>
          placeOf(mark, token, { id }, (depth) => inNode(fieldText(schema, field, depth - 1))),
        );
      }),
    ]);
    return places.filter((place) => place !== null);
  }

  /** As deep as the limits let anybody ask. */
  async function placeOf(
    mark: string,
    token: string,
    { id }: { id: string },
    textAt: (depth: number) => string,
  ): Promise<string | null> {
    for (let depth = 3; depth > 0; depth -= 1) {
      const head = id === '' ? 'query' : 'query Ask($id: ID!)';
      const answer = await ask(server, token, { query: `${head} { ${textAt(depth)} }`, variables: { id } });
      const codes = answer.errors?.map(({ extensions }) => extensions.code) ?? [];
      // Refused as a whole: it is too large.
      if (answer.data === undefined) continue;
      expect(codes).not.toContain('INTERNAL');
      return JSON.stringify(answer).includes(mark) ? textAt(1).slice(0, 80) : null;
    }
    throw new Error(`even one step is too much: ${textAt(1)}`);
  }
});

async function ask(
  at: TestServer,
  token: string | null,
  operation: { query: string; variables?: Record<string, unknown> },
): Promise<Answer> {
  const response = await fetch(`${at.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(operation),
  });
  return (await response.json()) as Answer;
}

/** A file travels as a part of a multipart form. */
async function upload(
  at: TestServer,
  token: string,
  operation: { query: string; variables: Record<string, unknown> },
): Promise<Answer> {
  const form = new FormData();
  form.set('operations', JSON.stringify(operation));
  form.set('map', JSON.stringify({ 0: ['variables.input.file'] }));
  form.set('0', new Blob(['text'], { type: 'text/plain' }), 'a.txt');
  const headers = { authorization: `Bearer ${token}`, 'x-requested-with': 'test', 'graphql-require-preflight': 'true' };
  const response = await fetch(`${at.url}/graphql`, { method: 'POST', headers, body: form });
  return (await response.json()) as Answer;
}

/** A log-in with exactly these rights. */
function tokenWith(permissions: ChatPermission[]): Promise<string> {
  const login = `only-${permissions.map((name) => Object.keys(ChatPermission).indexOf(name)).join('-') || 'nothing'}`;
  return signIn(server.env, { subject: login, login, permissions });
}

let count = 0;

async function apiToken(scopes: TokenScope[], businessNumberIds: string[] = []): Promise<string> {
  const secret = `${API_TOKEN_PREFIX}walk-${(count += 1)}`;
  await server.sql(
    `INSERT INTO api_token (id, name, hash, hint, scopes, business_number_ids, created_by_id)
     VALUES (gen_random_uuid(), 'walk', $1, 'walk', $2, $3, $4)`,
    [hashApiToken(secret), scopes, businessNumberIds, rows.Operator],
  );
  return secret;
}
