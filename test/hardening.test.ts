import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GraphQLClient } from 'graphql-request';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subjectOf } from '../src/demo-data.ts';
import { loadEnv } from '../src/env.ts';
import { open, seal } from '../src/services/secrets.ts';
import { signIn } from '../src/sign-in.ts';
import { createTestDatabase, runSql } from './support/database.ts';
import { collect } from './support/events.ts';
import { bodyOf, changeOf, textMessage } from './support/raw-bodies.ts';
import { sharedSettings, startServerProcess } from './support/process.ts';
import { beginConversation } from './support/sends.ts';
import { number1, postSigned, startTestServer, type TestServer } from './support/server.ts';
import { transports } from './support/transports.ts';

/** Rows in the shape that the test names. */
const sqlOf =
  ({ url }: { url: string }) =>
  async <Row>(statement: string, values?: unknown[]): Promise<Row[]> =>
    (await runSql(url, statement, values)) as Row[];

const root = fileURLToPath(new URL('..', import.meta.url));

describe('secrets and what people write', () => {
  const secrets = {
    JWT_SECRET: 'KANAREK-jwt-secret-at-least-32-long',
    META_APP_SECRET: 'KANAREK-app-secret',
    META_ACCESS_TOKEN: 'KANAREK-environment-token',
    META_WEBHOOK_TOKEN: 'KANAREK-webhook-token',
  };
  const written = ['KANAREK-text', 'KANAREK-name', '420601777333', 'KANAREK-settings-token', 'KANAREK-variable'];

  it('reach neither log, error nor event, whatever goes wrong, and secrets reach no table', async () => {
    await using database = await createTestDatabase();
    await using server = await startServerProcess({ ...secrets, DATABASE_URL: database.url, LOG_LEVEL: 'trace' });
    const env = loadEnv({ ...sharedSettings, ...secrets, DATA_DIR: '.cache' });
    const credential = await signIn(env, { subject: subjectOf('alena'), login: 'alena' });
    const alena = new GraphQLClient(`${server.url}/graphql`, {
      headers: { authorization: `Bearer ${credential}` },
      errorPolicy: 'all',
    });
    const socket = createClient({
      url: `${server.url.replace('http', 'ws')}/graphql`,
      connectionParams: { authorization: `Bearer ${credential}` },
      retryAttempts: 0,
    });
    const events = collect(socket, 'subscription { events { __typename eventId cursor } }');
    await events.take(1);
    const told: unknown[] = [];

    const metadata = { display_phone_number: number1.phoneNumber, phone_number_id: number1.phoneNumberId };
    const value = {
      metadata,
      contacts: [{ wa_id: '420601777333', profile: { name: 'KANAREK-name' } }],
      messages: [
        textMessage('wamid.kanarek', 'KANAREK-text', { from: '420601777333' }),
        { from: '420601777333', id: 'wamid.broken', timestamp: 'KANAREK-text', type: 'text', text: 'KANAREK-text' },
      ],
    };
    const secret = secrets.META_APP_SECRET;
    const good = JSON.stringify(bodyOf(changeOf(value)));
    for (const [body, by] of [
      [good, secret],
      [good, 'another secret'],
      [`${good}KANAREK-text`, secret],
    ] as const)
      told.push(await (await postSigned(server.url, body, {}, by)).text());

    const reply = `mutation ($text: String!, $key: String!, $id: ID!) {
      replyToConversation(input: { conversationId: $id, text: $text, idempotencyKey: $key }) { errors { code message } } }`;
    const { conversations } = await alena.request<{ conversations: { nodes: { id: string }[] } }>(
      '{ conversations(first: 1) { nodes { id } } }',
    );
    const id = conversations.nodes[0]?.id;
    const settings = `mutation ($token: String!) { updateChatSettings(input: { expectedVersion: 1, accessToken: $token }) {
      chatModule { settings { accessToken { isSet hint } } } errors { code message } } }`;
    const failing: [string, object][] = [
      [reply, { id, text: 'KANAREK-text', key: 'one' }],
      [reply, { id: 'KANAREK-variable', text: 'KANAREK-text', key: 'two' }],
      [reply, { id, text: 'KANAREK-text'.repeat(1_000), key: 'three' }],
      [reply, { id, text: 42, key: ['KANAREK-variable'] }],
      [settings, { token: 'KANAREK-settings-token' }],
      ['{ conversations(first: 1, after: "KANAREK-variable") { nodes { id } } }', {}],
      ['{ conversations(first: 1 KANAREK', {}],
    ];
    for (const [query, variables] of failing) {
      const response = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      told.push(await response.text());
    }
    for (const authorization of ['Bearer KANAREK-variable', 'Bearer cdesk_live_KANAREK-variable', 'KANAREK-variable'])
      told.push(
        await (
          await fetch(`${server.url}/graphql?query={serverTime}&x=KANAREK-variable`, { headers: { authorization } })
        ).text(),
      );
    await sqlOf(database)(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()',
    );
    told.push(JSON.stringify(await alena.rawRequest(reply, { id, text: 'KANAREK-text', key: 'four' }).catch(String)));
    server.process.kill('SIGTERM');
    await server.ended;

    expect(told[0]).toBe('OK');
    expect(told.join()).toContain(`"isSet":true`);
    const output = server.output();
    expect(output).toContain('"level":"trace"');
    for (const canary of [...written, ...Object.values(secrets), credential]) {
      expect(output).not.toContain(canary);
      expect(JSON.stringify(events.all)).not.toContain(canary);
    }
    for (const canary of [...Object.values(secrets), credential, 'KANAREK-settings-token'])
      expect(told.join('\n')).not.toContain(canary);
    const tables = await sqlOf(database)<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    const rowsOf = async (names: string[]) =>
      JSON.stringify(await Promise.all(names.map((name) => sqlOf(database)(`SELECT t::text AS row FROM ${name} t`))));
    const everything = await rowsOf(tables.map(({ name }) => name));
    const log = await rowsOf(['event']);
    for (const canary of [...Object.values(secrets), credential, 'KANAREK-settings-token'])
      expect(everything).not.toContain(canary);
    expect(everything).toContain('KANAREK-text');
    for (const canary of written) expect(log).not.toContain(canary);
  });
});

describe('a change of the encryption key', () => {
  const [before, after] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

  it('is made by one command, after which the earlier key is not needed', async () => {
    await using database = await createTestDatabase();
    await sqlOf(database)('UPDATE settings SET access_token_sealed = $1, app_secret_sealed = $2', [
      seal([before], 'access_token', 'the token'),
      seal([before], 'app_secret', 'the secret'),
    ]);
    const run = (settings: Record<string, string>) =>
      promisify(execFile)(process.execPath, ['scripts/rotate-keys.ts'], {
        cwd: root,
        env: { PATH: process.env.PATH, ...sharedSettings, DATABASE_URL: database.url, DATA_DIR: '.cache', ...settings },
      });
    const keys = { ENCRYPTION_KEY: after.toString('base64'), ENCRYPTION_KEY_PREVIOUS: before.toString('base64') };

    const first = await run(keys);
    const second = await run({ ENCRYPTION_KEY: after.toString('base64') });
    const lost = await failed(run({ ENCRYPTION_KEY: Buffer.alloc(32, 3).toString('base64') }));
    const short = await failed(run({ ENCRYPTION_KEY: 'short' }));

    expect(first.stdout).toContain('Sealed with the new key: access_token, app_secret');
    expect(second.stdout).toContain('already');
    expect(lost).toBe(
      'the secret in access_token was sealed with a key that is not configured: set ENCRYPTION_KEY_PREVIOUS to it\n',
    );
    expect(short).toMatch(/^The environment cannot be used:\n- ENCRYPTION_KEY .+\n$/);
    const [row] = await sqlOf(database)<{ token: string }>('SELECT access_token_sealed AS token FROM settings');
    expect(open([after], 'access_token', row?.token ?? '')).toBe('the token');
    expect(await sqlOf(database)(`SELECT detail FROM audit_entry WHERE action = 'SECRETS_RESEALED'`)).toEqual([
      { detail: 'access_token, app_secret' },
    ]);
  });
});

/** What a command that fails says. */
async function failed(running: Promise<{ stderr: string }>): Promise<string> {
  const ended = await running.then(
    () => null,
    (error: { stderr: string }) => error.stderr,
  );
  if (ended === null) throw new Error('the command did not fail');
  return ended;
}

describe('a sealed secret', () => {
  it('opens for its own column alone', () => {
    const key = Buffer.alloc(32, 1);
    const sealed = seal([key], 'access_token', 'the token');

    expect(open([key], 'access_token', sealed)).toBe('the token');
    expect(() => open([key], 'app_secret', sealed)).toThrow('unable to authenticate');
  });
});

describe('foreign pages', () => {
  let server: TestServer;
  let credential: string;

  beforeAll(async () => {
    server = await startTestServer({ settings: { CORS_ORIGINS: 'https://desk.example' } });
    credential = await server.tokenOf('alena');
  });

  afterAll(() => server[Symbol.asyncDispose]());

  const ask = (headers: Record<string, string>, method = 'POST') =>
    fetch(`${server.url}/graphql`, {
      method,
      headers: { authorization: `Bearer ${credential}`, ...headers },
      ...(method === 'POST' && { body: JSON.stringify({ query: '{ serverTime }' }) }),
    });

  it.each(['application/json', 'text/event-stream'])('may not read answers (%s); listed ones may', async (accept) => {
    const json = { 'content-type': 'application/json', accept };
    const listed = await ask({ ...json, origin: 'https://desk.example' });
    const foreign = await ask({ ...json, origin: 'https://evil.example' });
    const preflight = await ask({ origin: 'https://evil.example', 'access-control-request-method': 'POST' }, 'OPTIONS');

    expect(listed.headers.get('access-control-allow-origin')).toBe('https://desk.example');
    expect(listed.headers.get('access-control-allow-credentials')).toBeNull();
    for (const response of [foreign, preflight]) expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded'])('cannot post a form (%s)', async (type) => {
    expect((await ask({ 'content-type': type })).status).toBe(415);
  });

  it('cannot change anything by GET, over HTTP or by an event source', async () => {
    const query = encodeURIComponent(
      'mutation { setChatModuleEnabled(input: { enabled: false }) { errors { code } } }',
    );
    const get = (headers: Record<string, string>) =>
      fetch(`${server.url}/graphql?query=${query}`, { headers: { authorization: `Bearer ${credential}`, ...headers } });

    expect((await get({})).status).toBe(405);
    expect((await get({ accept: 'text/event-stream' })).status).toBe(400);
    expect((await get({ 'content-type': 'text/x' })).status).toBe(415);
    expect(await server.sql('SELECT 1 FROM settings WHERE enabled')).toHaveLength(1);
  });

  it('cannot open a socket', async () => {
    const { WebSocket } = await import('ws');
    const refused = Promise.withResolvers<number>();
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      origin: 'https://evil.example',
    });
    socket.on('unexpected-response', (_request, response) => refused.resolve(response.statusCode ?? 0));
    socket.on('open', () => refused.resolve(101));

    expect(await refused.promise).toBe(403);
  });
});

describe('a text that no database holds', () => {
  const text = 'a\0b';
  const asked: [what: string, query: string, variables: object][] = [
    ['a code', 'query ($code: String) { request(code: $code) { id } }', { code: text }],
    [
      'part of a filter',
      'query ($filter: RequestFilterInput) { requests(first: 1, filter: $filter) { totalCount } }',
      { filter: { statusKeys: [text] } },
    ],
    [
      'a name',
      'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { errors { code } } }',
      { input: { name: text, scopes: ['READ_EVENTS'] } },
    ],
  ];

  it('is told to who sent it, whatever it is for', async () => {
    await using server = await startTestServer({ settings: { LOG_LEVEL: 'fatal' } });
    const token = await server.tokenOf('alena');
    for (const [what, query, variables] of asked) {
      const { errors } = await transports.http(server, token, { query, variables });
      expect({ what, code: errors?.[0]?.extensions.code }).toEqual({ what, code: 'BAD_USER_INPUT' });
    }
  });
});

describe('half a character, which no database holds', () => {
  const half = 'a\ud800b';
  const asked: [argument: string, query: string, variables: object][] = [
    ...[
      { name: half, filter: {} },
      { name: 'half', filter: { participant: { value: half } } },
      { name: 'half', filter: {}, search: { query: half } },
    ].map((input): [string, string, object] => [
      `input.${input.name === half ? 'name' : input.search ? 'search.query' : 'filter.participant.value'}`,
      'mutation ($input: CreateSavedFilterInput!) { createSavedFilter(input: $input) { errors { code } } }',
      { input },
    ]),
    [
      'input.idempotencyKey',
      'mutation ($input: ReplyToConversationInput!) { replyToConversation(input: $input) { errors { code } } }',
      { input: { conversationId: 'x', text: 'x', idempotencyKey: half } },
    ],
    [
      'input.name',
      'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { errors { code } } }',
      { input: { name: half, scopes: ['READ_EVENTS'] } },
    ],
    ['ids.1', 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: ['x', half] }],
  ];

  it('is refused wherever it stands, and a whole one is not', async () => {
    await using server = await startTestServer({ settings: { LOG_LEVEL: 'fatal' } });
    const token = await server.tokenOf('alena');
    for (const [argument, query, variables] of asked) {
      const { errors } = await transports.http(server, token, { query, variables });
      expect(errors?.[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT', argument });
      const whole = JSON.parse(JSON.stringify(variables).replaceAll('\\ud800', '\\ud83d\\ude00')) as object;
      expect((await transports.http(server, token, { query, variables: whole })).errors).toBeUndefined();
    }
    const literal = String.raw`query { request(code: "a\ud800b") { id } }`;
    const { errors } = await transports.http(server, token, { query: literal, variables: {} });
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });
});

describe('a cursor that somebody made up', () => {
  const id = '00000000-0000-0000-0000-000000000000';
  const lists: [order: string, second: unknown, query: (page: string) => string][] = [
    ...(['LAST_MESSAGE_AT', 'CREATED_AT', 'AWAITING_SINCE'] as const).map((field): [string, string, typeof node] => [
      `conversations:${field}:DESC`,
      id,
      (page) => `{ conversations(${page}, orderBy: { field: ${field}, direction: DESC }) { nodes { id } } }`,
    ]),
    ['messages', 1, (page) => node('Conversation', `messages(${page}) { nodes { id } }`)],
    ['linked-messages', 1, (page) => node('Request', `linkedMessages(${page}) { nodes { id } }`)],
    ['discussion', id, (page) => node('Request', `discussion(${page}) { nodes { id } }`)],
    ['requests', id, (page) => `{ requests(${page}) { nodes { id } } }`],
    ['auditLog', id, (page) => `{ auditLog(${page}) { nodes { id } } }`],
    ['webhookDeliveries', id, (page) => `{ webhookDeliveries(${page}) { nodes { id } } }`],
  ];
  const ids: Record<string, string> = {};
  const node = (type: string, fields = '') => `{ node(id: "${ids[type]}") { ... on ${type} { ${fields} } } }`;

  it('is refused by every list, whatever it holds', async () => {
    await using server = await startTestServer({ settings: { LOG_LEVEL: 'fatal' } });
    const token = await server.tokenOf('alena');
    const begun = await beginConversation(server);
    ids.Conversation = begun.conversationId;
    const input = { conversationId: begun.conversationId, name: 'x', description: 'x', idempotencyKey: 'x' };
    const create = `mutation ($input: CreateRequestInput!) { createRequest(input: $input) { request { id } } }`;
    const made = await (
      await server.as('alena')
    ).request<{ createRequest: { request: { id: string } } }>(create, {
      input,
    });
    ids.Request = made.createRequest.request.id;
    const ask = async (query: (page: string) => string, position: unknown[]) => {
      const after = Buffer.from(JSON.stringify(position)).toString('base64url');
      const { errors } = await transports.http(server, token, { query: query(`first: 1, after: "${after}"`) });
      return errors?.[0]?.extensions;
    };
    const refused = { code: 'BAD_USER_INPUT', argument: 'after' };
    for (const [order, second, query] of lists) {
      for (const at of ['2026-02-31T00:00:00.000Z', '0000-01-01T00:00:00.000Z', 'x', 7])
        expect([order, at, await ask(query, [order, at, second])]).toEqual([order, at, refused]);
      for (const at of ['2026-02-28T00:00:00.000Z', '0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'])
        expect([order, at, await ask(query, [order, at, second])]).toEqual([order, at, undefined]);
    }
    const templates = (page: string) => `{ templates(${page}) { nodes { id } } }`;
    expect(await ask(templates, ['templates', 0, 'a', 'cs', id])).toBeUndefined();
    for (const position of [
      ['x', 'a', 'cs', id],
      [0, 1, 'cs', id],
      [0, 'a', '\0', id],
      [0, 'a', 'cs', 'x'],
      [0, 'a'],
    ])
      expect(await ask(templates, ['templates', ...position])).toEqual(refused);
  });
});

describe('an instant', () => {
  const asked: [what: string, query: (at: string) => string][] = [
    ['requests', (at) => `{ requests(first: 1, filter: { createdAt: { gte: "${at}" } }) { totalCount } }`],
    ['conversations', (at) => `{ conversations(first: 1, filter: { createdAt: { lt: "${at}" } }) { totalCount } }`],
    [
      'a token',
      (at) => `mutation { createApiToken(input: { name: "x", scopes: [READ_EVENTS], expiresAt: "${at}" }) {
        apiToken { expiresAt } } }`,
    ],
  ];

  it('is one of the calendar and of the years 1 to 9999, in UTC, too', async () => {
    await using server = await startTestServer({ settings: { LOG_LEVEL: 'fatal' } });
    const token = await server.tokenOf('alena');
    const codeOf = async (query: string) =>
      (await transports.http(server, token, { query })).errors?.[0]?.extensions.code;
    for (const [what, query] of asked) {
      for (const at of [
        '9999-12-31T23:59:59-23:59',
        '0000-01-01T00:00:00Z',
        '0001-01-01T00:00:00+00:01',
        '2026-02-31T00:00:00Z',
        '2026-02-29T00:00:00+01:00',
        '2026-01-01T24:00:00Z',
        '2026-13-01T00:00:00Z',
      ])
        expect([what, at, await codeOf(query(at))]).toEqual([what, at, 'BAD_USER_INPUT']);
      for (const at of ['9999-12-31T23:59:59.999Z', '0001-01-01t00:00:00z', '2028-02-29T23:30:00-01:00'])
        expect([what, at, await codeOf(query(at))]).toEqual([what, at, undefined]);
    }
    expect(await codeOf('{ apiTokens { expiresAt } }')).toBeUndefined();
  });
});

describe('docs/security.md', () => {
  it('names only tests that are there', () => {
    const rows = readFileSync(`${root}/docs/security.md`, 'utf8').matchAll(
      /^\|(?!---| threat)[^|]*\|[^|]*\|([^|]*)\|$/gm,
    );
    const named = [...rows].flatMap(([, tests = '']) => [...tests.matchAll(/`([^`]+)`/g)].map(([, name]) => name));

    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !existsSync(`${root}/test/${name}.test.ts`))).toEqual([]);
  });
});

describe('dependencies', () => {
  it('are pinned to one version each', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as Record<
      string,
      Record<string, string>
    >;

    expect(Object.values({ ...dependencies, ...devDependencies }).filter((version) => !/^\d/.test(version))).toEqual(
      [],
    );
  });

  it('can be listed as a bill of materials', async () => {
    const { stdout } = await promisify(execFile)('npm', ['run', '-s', 'sbom'], {
      cwd: root,
      maxBuffer: 64 * 1024 ** 2,
    });
    const bill = JSON.parse(stdout) as { bomFormat: string; components: { name: string }[] };

    expect(bill.bomFormat).toBe('CycloneDX');
    expect(bill.components.map(({ name }) => name)).toEqual(expect.arrayContaining(['graphql', 'ws', 'pg']));
  }, 60_000);
});
