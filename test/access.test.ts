import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { SignJWT, UnsecuredJWT, exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashApiToken } from '../src/services/api-token-secret.ts';
import { globalId } from '../src/schema/global-id.ts';
import { collect, eventually } from './support/events.ts';
import { answerJson, startAnswering } from './support/http-answers.ts';
import { patience } from './support/patience.ts';
import { rowOf } from './support/sends.ts';
import { startTestServer, type TestServer } from './support/server.ts';

const CLOSE_MS = 5_000;

let server: TestServer;
let other: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  other = await startTestServer({ databaseUrl: server.databaseUrl });
});

afterAll(async () => {
  await other[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

type Asked = { data?: Record<string, unknown>; errors?: { message: string; extensions: { code: string } }[] };

async function ask(
  token: string,
  query: string,
  variables = {},
  at: TestServer = server,
): Promise<Asked & { status: number }> {
  const response = await fetch(`${at.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  return { status: response.status, ...((await response.json()) as Asked) };
}

const VIEWER = '{ viewer { permissions operator { id login displayName } } }';

/** What a program that is not ours may sign. */
function sign(claims: Record<string, unknown>, secret = server.env.jwtSecret ?? ''): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ sub: 'someone', iat: now, exp: now + 600, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret));
}

describe('a log-in', () => {
  const now = () => Math.floor(Date.now() / 1000);

  it.each<[string, () => Promise<string> | string]>([
    ['that has expired', () => sign({ exp: now() - 60 })],
    ['that holds only later', () => sign({ nbf: now() + 600 })],
    ['that was issued in the future', () => sign({ iat: now() + 600, exp: now() + 900 })],
    ['without an expiry', () => sign({ exp: undefined })],
    ['without a subject', () => sign({ sub: undefined })],
    ['with an empty subject', () => sign({ sub: '' })],
    ['signed with another secret', () => sign({}, 'another secret of 32 characters and more')],
    ['that is not signed', () => new UnsecuredJWT({ sub: 'someone', exp: now() + 600 }).encode()],
    ['whose signature was cut off', async () => (await sign({})).replace(/[^.]*$/, '')],
    ['whose claims were changed', async () => tampered(await sign({}))],
    ['signed with a key pair where a secret is expected', () => signedByKeyPair()],
    ['of more than 8 kB', () => sign({ filler: 'x'.repeat(9_000) })],
    ['that is no JWT', () => 'abc.def.ghi'],
    ['of one character', () => 'x'],
  ])('%s is refused, always with the same sentence', async (_what, make) => {
    const answer = await ask(await make(), VIEWER);

    expect(answer).toMatchObject({
      status: 401,
      errors: [{ message: 'Sign in: a valid token is required.', extensions: { code: 'UNAUTHENTICATED' } }],
    });
    expect(JSON.stringify(answer)).not.toMatch(/at .*\.ts|jose|JWT/);
  });

  it('within the leeway of clocks is taken', async () => {
    expect(await ask(await sign({ exp: now() - 2, nbf: now() + 2 }), VIEWER)).toMatchObject({ status: 200 });
  });

  it('of a new subject makes an operator, and a later one changes it', async () => {
    const sub = randomUUID();
    const rights = ['REPLY', 'READ_CONVERSATIONS', 'RIGHT_OF_ANOTHER_PROGRAM'];
    const first = await ask(
      await sign({ sub, name: 'Nová', preferred_username: 'nova', permissions: rights, iat: now() - 20 }),
      VIEWER,
    );
    const second = await ask(
      await sign({ sub, name: 'Nováková', permissions: ['READ_CONVERSATIONS'], iat: now() - 10 }),
      VIEWER,
    );

    expect(first.data).toMatchObject({
      viewer: { permissions: ['READ_CONVERSATIONS', 'REPLY'], operator: { login: 'nova', displayName: 'Nová' } },
    });
    expect(second.data).toMatchObject({
      viewer: { permissions: ['READ_CONVERSATIONS'], operator: { login: 'nova', displayName: 'Nováková' } },
    });
  });

  it('that is older brings no rights back, though it still holds', async () => {
    const sub = randomUUID();
    const older = await sign({ sub, permissions: ['MANAGE_SETTINGS'], iat: now() - 20 });
    await ask(older, VIEWER);
    await ask(await sign({ sub, permissions: [], iat: now() - 10 }), VIEWER);

    expect((await ask(older, VIEWER)).data).toMatchObject({ viewer: { permissions: [] } });
  });

  it('two of a new subject at once make one operator', async () => {
    const sub = randomUUID();
    const answers = await Promise.all([1, 2, 3, 4].map(async () => ask(await sign({ sub }), VIEWER)));

    expect(new Set(answers.map(({ data }) => JSON.stringify(data))).size).toBe(1);
    expect(answers[0]?.data).toMatchObject({ viewer: { operator: { login: sub } } });
  });

  it('is checked for issuer and audience, and its claims are where the settings say', async () => {
    await using strict = await startTestServer({
      settings: {
        JWT_ISSUER: 'https://cdesk.example',
        JWT_AUDIENCE: 'chats',
        JWT_NAME_CLAIM: 'https://cdesk.example/name',
        JWT_PERMISSIONS_CLAIM: 'realm_access.roles',
      },
    });
    const good = {
      iss: 'https://cdesk.example',
      aud: ['chats', 'other'],
      'https://cdesk.example/name': 'Cizí',
      realm_access: { roles: 'REPLY READ_CONVERSATIONS' },
    };
    const statuses = await Promise.all(
      [good, { ...good, iss: 'https://evil.example' }, { ...good, aud: 'other' }].map(async (claims) => {
        const answer = await ask(await sign(claims), VIEWER, {}, strict);
        return [answer.status, answer.data ?? null];
      }),
    );

    expect(statuses).toEqual([
      [
        200,
        {
          viewer: {
            permissions: ['READ_CONVERSATIONS', 'REPLY'],
            operator: expect.objectContaining({ displayName: 'Cizí' }),
          },
        },
      ],
      [401, null],
      [401, null],
    ]);
  });

  it('is checked against a key set, which a secret of ours cannot replace', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
    await using keys = await startAnswering((_request, response) => answerJson(response, 200, { keys: [jwk] }));
    await using keyed = await startTestServer({ settings: { JWT_SECRET: '', JWT_JWKS_URL: `${keys.url}/jwks` } });
    const claims = () => ({ sub: 'keyed', permissions: ['REPLY'], iat: now(), exp: now() + 600 });
    const signed = await new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(privateKey);
    const publicText = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const confused = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .sign(new TextEncoder().encode(publicText));

    expect(await ask(signed, VIEWER, {}, keyed)).toMatchObject({
      status: 200,
      data: { viewer: { permissions: ['REPLY'] } },
    });
    expect(await ask(confused, VIEWER, {}, keyed)).toMatchObject({ status: 401 });
    expect(await ask(await sign({}), VIEWER, {}, keyed)).toMatchObject({ status: 401 });
  });

  it('is not called wrong where the key set cannot be fetched', async () => {
    await using keyed = await startTestServer({
      settings: { JWT_SECRET: '', JWT_JWKS_URL: 'http://127.0.0.1:9/jwks', LOG_LEVEL: 'silent' },
    });
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const token = await new SignJWT({ sub: 'keyed', exp: now() + 600 })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(privateKey);

    expect(await ask(token, VIEWER, {}, keyed)).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL' } }] });
  });

  function tampered(jwt: string): string {
    const [head, , signature] = jwt.split('.');
    const claims = Buffer.from(JSON.stringify({ sub: 'demo:alena', exp: now() + 600 })).toString('base64url');
    return [head, claims, signature].join('.');
  }

  async function signedByKeyPair(): Promise<string> {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return new SignJWT({ sub: 'someone', exp: now() + 600 }).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
  }
});

const CREATE = `mutation Create($input: CreateApiTokenInput!) { createApiToken(input: $input) {
  secret apiToken { id name scopes hint expiresAt revokedAt lastUsedAt businessNumbers { id } createdBy { login } }
  errors { __typename code path ... on ValidationError { rule } } } }`;
const REVOKE = `mutation Revoke($id: ID!) { revokeApiToken(input: { id: $id }) {
  apiToken { id revokedAt } errors { __typename code path } } }`;
type Created = {
  createApiToken: {
    secret: string | null;
    apiToken: { id: string; hint: string; scopes: string[] } | null;
    errors: { __typename: string; code: string; rule?: string; path: string[] }[];
  };
};

async function create(input: Record<string, unknown>): Promise<Created['createApiToken']> {
  const alena = await server.as('alena');
  const full = { input: { name: 'Wall', scopes: ['READ_EVENTS', 'READ_CONVERSATIONS'], ...input } };
  return (await alena.request<Created>(CREATE, full)).createApiToken;
}

async function revoke(id: string | undefined): Promise<unknown> {
  return (await server.as('alena')).request(REVOKE, { id });
}

describe('a token for a dashboard', () => {
  it('is shown once and kept as a hash', async () => {
    const { secret, apiToken } = await create({ name: ' Wall ', scopes: ['READ_EVENTS', 'READ_EVENTS'] });
    const alena = await server.as('alena');
    const { apiTokens } = await alena.request<{ apiTokens: { id: string }[] }>(
      '{ apiTokens { id name scopes hint createdAt lastUsedAt expiresAt revokedAt businessNumbers { id } createdBy { login } } }',
    );

    expect(secret).toMatch(/^cdesk_live_[\w-]{43}$/);
    expect(apiToken).toMatchObject({
      name: 'Wall',
      scopes: ['READ_EVENTS'],
      hint: secret?.slice(-4),
      businessNumbers: null,
    });
    expect(apiTokens.find(({ id }) => id === apiToken?.id)).toMatchObject({ createdBy: { login: 'alena' } });
    const [row] = await server.sql('SELECT * FROM api_token WHERE hash = $1', [hashApiToken(secret ?? '')]);
    expect(JSON.stringify([row, apiTokens])).not.toContain(secret);
    expect(await ask(secret ?? '', '{ viewer { tokenScopes operator { id } } }')).toMatchObject({
      data: { viewer: { tokenScopes: ['READ_EVENTS'], operator: null } },
    });
  });

  it.each([
    ['no name', { name: '  ' }, [['name', 'EMPTY']]],
    ['a long name', { name: 'x'.repeat(61) }, [['name', 'TOO_LONG']]],
    ['no scope', { scopes: [] }, [['scopes', 'EMPTY']]],
    ['an expiry in the past', { expiresAt: '2020-01-01T00:00:00Z' }, [['expiresAt', 'IN_THE_PAST']]],
    ['an empty list of numbers', { businessNumberIds: [] }, [['businessNumberIds', 'EMPTY']]],
    [
      'several faults',
      { name: '', scopes: [], expiresAt: '2020-01-01T00:00:00Z' },
      [
        ['name', 'EMPTY'],
        ['scopes', 'EMPTY'],
        ['expiresAt', 'IN_THE_PAST'],
      ],
    ],
  ])('with %s is refused', async (_what, input, problems) => {
    const { secret, errors } = await create(input);

    expect(secret).toBeNull();
    expect(errors.map(({ path, rule }) => [path[1], rule])).toEqual(problems);
  });

  it('with a number that does not exist or a scope that is unknown is refused', async () => {
    const unknown = await create({ businessNumberIds: [globalId('BusinessNumber', randomUUID())] });
    const misspelt = await ask(await server.tokenOf('alena'), CREATE, {
      input: { name: 'x', scopes: ['READ_EVERYTHING'] },
    });

    expect(unknown.errors).toMatchObject([{ __typename: 'NotFoundError', path: ['input', 'businessNumberIds'] }]);
    expect(misspelt).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });

  it.each([
    ['a wrong secret', () => `cdesk_live_${'A'.repeat(43)}`],
    ['only the prefix', () => 'cdesk_live_'],
    ['the hash', () => `cdesk_live_${createHmac('sha256', 'x').update('x').digest('hex')}`],
  ])('is refused with %s', async (_what, secret) => {
    expect(await ask(secret(), VIEWER)).toMatchObject({
      status: 401,
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  it('that is unknown, expired or revoked opens no socket, and one sentence says why', async () => {
    const { secret: expired, apiToken: ended } = await create({});
    const { secret: revoked, apiToken } = await create({});
    await server.sql(`UPDATE api_token SET expires_at = now() WHERE id = $1`, [rowOf(ended?.id ?? '')]);
    await revoke(apiToken?.id);

    for (const token of [`cdesk_live_${'A'.repeat(43)}`, expired ?? '', revoked ?? ''])
      expect(await closing(other, token)).toMatchObject({
        code: 4403,
        reason: 'Forbidden: the token is missing, unknown, expired or revoked',
      });
  });

  it('ends when it expires, with its socket', async () => {
    const { secret } = await create({ expiresAt: new Date(Date.now() + 1_500).toISOString() });
    const closed = closing(server, secret ?? '');
    expect(await ask(secret ?? '', VIEWER)).toMatchObject({ status: 200 });

    expect(await closed).toMatchObject({ code: 4403 });
    expect(await ask(secret ?? '', VIEWER)).toMatchObject({ status: 401 });
  });

  it('that is revoked on one process loses its sockets and event streams on the other within 5 seconds', async () => {
    const { secret, apiToken } = await create({});
    const closed = closing(other, secret ?? '');
    const stream = await streamOf(other, secret ?? '');
    const revokedAt = Date.now();
    expect(await revoke(apiToken?.id)).toMatchObject({ revokeApiToken: { errors: [] } });

    expect(await closed).toMatchObject({ code: 4403 });
    expect(Date.now() - revokedAt).toBeLessThan(patience(CLOSE_MS));
    expect(await stream.said).toContain('UNAUTHENTICATED');
    expect(await ask(secret ?? '', VIEWER, {}, other)).toMatchObject({ status: 401 });
  });

  it('that is revoked while a request is still coming in is refused with it', async () => {
    const { secret, apiToken } = await create({});
    const body = JSON.stringify({ query: VIEWER });
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const asking = request(`${server.url}/graphql`, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${secret}` },
    });
    asking.write(body.slice(0, -1));
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await revoke(apiToken?.id);
    asking.end(body.slice(-1));

    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(401);
  });

  it('can be revoked again without a change, and one that does not exist is said so', async () => {
    const { apiToken } = await create({});
    const once = await revoke(apiToken?.id);
    const twice = await revoke(apiToken?.id);

    expect(twice).toEqual(once);
    expect(await revoke(globalId('ApiToken', randomUUID()))).toMatchObject({
      revokeApiToken: { apiToken: null, errors: [{ __typename: 'NotFoundError', path: ['input', 'id'] }] },
    });
    const audited = await server.sql('SELECT action FROM audit_entry WHERE subject_id = $1 ORDER BY at, id', [
      `ApiToken:${
        Buffer.from(apiToken?.id ?? '', 'base64')
          .toString()
          .split(':')[1]
      }`,
    ]);
    expect(audited).toEqual([{ action: 'TOKEN_CREATED' }, { action: 'TOKEN_REVOKED' }]);
  });

  it('says when it was used last, without a write for every request', async () => {
    const { secret, apiToken } = await create({});
    const before = await writesTo('api_token');
    await Promise.all(Array.from({ length: 100 }, () => ask(secret ?? '', VIEWER)));
    const alena = await server.as('alena');
    await eventually(async () => {
      const { apiTokens } = await alena.request<{ apiTokens: { id: string; lastUsedAt: string | null }[] }>(
        '{ apiTokens { id lastUsedAt } }',
      );
      return apiTokens.find(({ id }) => id === apiToken?.id)?.lastUsedAt;
    }, patience(15_000));

    expect((await writesTo('api_token')) - before).toBeLessThan(10);
  });

  async function writesTo(table: string): Promise<number> {
    const [row] = await server.sql<{ n: number }>(
      `SELECT n_tup_upd::int AS n FROM pg_stat_user_tables WHERE relname = $1`,
      [table],
    );
    return row?.n ?? 0;
  }
});

describe('an operator', () => {
  const SET = `mutation Set($id: ID!, $active: Boolean!) { setOperatorActive(input: { operatorId: $id, active: $active }) {
    operator { login deactivatedAt loginState } errors { __typename code path ... on ValidationError { rule } } } }`;
  const LIST = '{ operators(first: 10) { totalCount nodes { login } } }';

  async function idOf(login: string): Promise<string> {
    const [row] = await server.sql<{ id: string }>('SELECT id FROM operator WHERE login = $1', [login]);
    return globalId('Operator', row?.id ?? '');
  }

  it('who is locked out is refused everywhere at once, and let in again', async () => {
    const cyril = await server.tokenOf('cyril');
    const closed = closing(other, cyril);
    const alena = await server.as('alena');
    const id = await idOf('cyril');
    expect(await alena.request(SET, { id, active: false })).toMatchObject({
      setOperatorActive: { operator: { loginState: 'LOGGED_OUT', deactivatedAt: expect.any(String) }, errors: [] },
    });

    expect(await closed).toMatchObject({ code: 4403 });
    expect(await ask(cyril, VIEWER, {}, other)).toMatchObject({ status: 401 });
    expect(await ask(await server.tokenOf('cyril'), VIEWER)).toMatchObject({ status: 401 });
    const { operators } = await alena.request<{ operators: { nodes: { login: string }[] } }>(LIST);
    expect(operators.nodes.map(({ login }) => login)).not.toContain('cyril');
    expect(await alena.request('query Node($id: ID!) { node(id: $id) { ... on Operator { login } } }', { id })).toEqual(
      {
        node: { login: 'cyril' },
      },
    );

    await alena.request(SET, { id, active: true });
    expect(await ask(cyril, VIEWER)).toMatchObject({ status: 200 });
  });

  it('is given out as the newest change in a document left them', async () => {
    const set = (active: boolean) =>
      `setOperatorActive(input: { operatorId: $id, active: ${String(active)} }) { operator { deactivatedAt } }`;

    const alena = await server.as('alena');
    const both = await alena.request(`mutation Both($id: ID!) { out: ${set(false)} in: ${set(true)} }`, {
      id: await idOf('cyril'),
    });

    expect(both).toEqual({
      out: { operator: { deactivatedAt: expect.any(String) } },
      in: { operator: { deactivatedAt: null } },
    });
  });

  it('cannot lock themselves out, nor somebody who does not exist', async () => {
    const alena = await server.as('alena');
    const own = await alena.request(SET, { id: await idOf('alena'), active: false });
    const nobody = await alena.request(SET, { id: globalId('Operator', randomUUID()), active: false });

    expect(own).toMatchObject({ setOperatorActive: { operator: null, errors: [{ rule: 'YOURSELF' }] } });
    expect(nobody).toMatchObject({ setOperatorActive: { errors: [{ __typename: 'NotFoundError' }] } });
  });

  it('who loses the right gets no event any more, and the socket goes on with what is left', async () => {
    const sub = randomUUID();
    const issued = Math.floor(Date.now() / 1000) - 20;
    const reader = await sign({ sub, permissions: ['READ_CONVERSATIONS'], iat: issued });
    const socket = other.socket(reader);
    const live = collect<unknown>(socket, 'subscription { events { __typename } }');
    await live.take(1);
    await ask(await sign({ sub, permissions: ['REPLY'], iat: issued + 5 }), VIEWER);

    await live.ended;
    expect(live.errors.flat()).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    const asked = collect<{ viewer: { permissions: string[] } }>(socket, '{ viewer { permissions } }');
    expect((await asked.take(1))[0]?.viewer.permissions).toEqual(['REPLY']);
    await socket.dispose();
  });

  it('who signs out ends every log-in of before, on every device and process', async () => {
    const sub = randomUUID();
    const issued = Math.floor(Date.now() / 1000) - 10;
    const devices = await Promise.all(
      [0, 1].map((n) => sign({ sub, iat: issued + n, permissions: ['READ_CONVERSATIONS'] })),
    );
    const closed = closing(other, devices[1] ?? '');
    const answer = await ask(devices[0] ?? '', 'mutation { signOut { viewer { permissions } errors { code } } }');

    expect(answer.data).toEqual({ signOut: { viewer: null, errors: [] } });
    expect(await closed).toMatchObject({ code: 4403 });
    for (const device of devices) expect(await ask(device, VIEWER, {}, other)).toMatchObject({ status: 401 });
    expect(await ask(await sign({ sub, iat: Math.floor(Date.now() / 1000) + 1 }), VIEWER)).toMatchObject({
      status: 200,
    });
  });

  it('signs out, a token does not', async () => {
    const { secret } = await create({});
    const answer = await ask(secret ?? '', 'mutation { signOut { viewer { permissions } errors { __typename } } }');

    expect(answer.data).toEqual({ signOut: { viewer: null, errors: [{ __typename: 'ForbiddenError' }] } });
  });

  it('has a list without filters, by number', async () => {
    const alena = await server.as('alena');
    const { __type } = await alena.request<{ __type: { fields: { name: string; args: { name: string }[] }[] } }>(
      '{ __type(name: "Query") { fields { name args { name } } } }',
    );
    const args = __type.fields.find(({ name }) => name === 'operators')?.args.map(({ name }) => name);

    expect(args?.toSorted()).toEqual(['after', 'before', 'first', 'last']);
  });
});

describe('live connections', () => {
  const SUBSCRIBE = { query: 'subscription { events { __typename } }' };
  const listen = (at: TestServer, token: string, stop: AbortSignal) =>
    fetch(`${at.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${token}` },
      body: JSON.stringify(SUBSCRIBE),
      signal: stop,
    });

  it.each(['MAX_SOCKETS_PER_VIEWER', 'MAX_SOCKETS_PER_ADDRESS'])(
    'are limited by %s over both transports together, and a closed one makes room',
    async (setting) => {
      await using limited = await startTestServer({ settings: { [setting]: '1' } });
      const alena = await limited.tokenOf('alena');
      const stop = new AbortController();
      const first = await listen(limited, alena, stop.signal);
      const second = await listen(limited, alena, AbortSignal.timeout(patience(5_000)));
      const socket = limited.socket(alena);
      const closed = new Promise<unknown>((resolve) => socket.on('closed', resolve));
      collect(socket, SUBSCRIBE.query).ended.catch(() => {});

      expect([first.status, second.status]).toEqual([200, 429]);
      expect(await second.json()).toMatchObject({ errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
      expect(await closed).toMatchObject({ code: setting === 'MAX_SOCKETS_PER_VIEWER' ? 4403 : 1006 });
      stop.abort();
      const again = new AbortController();
      await eventually(async () => (await listen(limited, alena, again.signal)).status === 200, patience(5_000));
      again.abort();
    },
  );
});

/** How a socket that listens is closed. */
async function closing(at: TestServer, token: string): Promise<unknown> {
  const socket = at.socket(token);
  const closed = new Promise<unknown>((resolve) => socket.on('closed', resolve));
  const live = collect(socket, 'subscription { events { __typename } }');
  live.ended.catch(() => {});
  return closed;
}

/** Everything that an event stream over HTTP says until it ends. */
async function streamOf(at: TestServer, token: string): Promise<{ said: Promise<string> }> {
  const response = await fetch(`${at.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: 'subscription { events { __typename } }' }),
  });
  return { said: response.text() };
}
