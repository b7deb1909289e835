import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getOperationAST, parse, print, separateOperations, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { costOf } from '../src/execution/complexity.ts';
import { traitsOf } from '../src/execution/document-limits.ts';
import { documentLimits, type DocumentLimits } from '../src/execution/limits.ts';
import { schema } from '../src/schema/schema.ts';
import { startRedisServer } from './support/redis.ts';
import { startTestServer, type TestServer } from './support/server.ts';
import { type Answer, transportNames, transports } from './support/transports.ts';

let server: TestServer;
let token: string;

beforeAll(async () => {
  server = await startTestServer({ settings: { REQUEST_TIMEOUT_MS: '1500' } });
  token = await server.tokenOf('alena');
});

afterAll(() => server[Symbol.asyncDispose]());

const conversationId = btoa('Conversation:01900000-0000-7000-8000-000000000000');

/** Each level spreads the next one twice: 2^20 fields from 1.5 kB. */
function fragmentBomb(levels: number): string {
  const fragments = Array.from(
    { length: levels },
    (_, level) =>
      `fragment f${level} on Conversation { a: id ${level < levels - 1 ? `...f${level + 1} ...f${level + 1}` : ''} }`,
  );
  return `{ conversations(first: 1) { nodes { ...f0 } } } ${fragments.join(' ')}`;
}

function times(count: number, part: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => part(index)).join(' ');
}

function nested(levels: number): string {
  return levels === 0 ? 'id' : `lastMessage { conversation { ${nested(levels - 1)} } }`;
}

const deepVariable = JSON.parse(`${'{"and":['.repeat(200)}{"beaconOn":true}${']}'.repeat(200)}`) as object;

const abusive: [name: string, asked: Record<string, unknown>, limit: string][] = [
  ['a thousand aliases', { query: `{ ${times(400, (index) => `a${index}: serverTime`)} }` }, 'aliases'],
  ['directives without end', { query: `{ serverTime ${'@include(if: true) '.repeat(100)} }` }, 'directives'],
  ['the same field three thousand times', { query: `{ ${'serverTime '.repeat(3_000)} }` }, 'tokens'],
  ['fields nested in circles', { query: `{ conversations(first: 1) { nodes { ${nested(12)} } } }` }, 'depth'],
  ['a fragment bomb', { query: fragmentBomb(20) }, 'fields'],
  [
    'pages within pages',
    { query: '{ conversations(first: 100) { nodes { messages(first: 100) { nodes { id } } } } }' },
    'complexity',
  ],
  ['a page of a billion', { query: '{ conversations(first: 1000000000) { nodes { id } } }' }, 'complexity'],
  [
    'a page of a billion by variable',
    { query: 'query ($n: Int) { conversations(first: $n) { nodes { id } } }', variables: { n: 1_000_000_000 } },
    'complexity',
  ],
  [
    'a list of ids without end',
    {
      query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Conversation { lastMessage { id } } } }',
      variables: { ids: Array(3_000).fill(conversationId) },
    },
    'complexity',
  ],
  ['variables nested without end', { query: '{ serverTime }', variables: { filter: deepVariable } }, 'variables'],
];

describe.each(transportNames)('over %s, before any work', (transport) => {
  it.each(abusive)('%s is refused', async (_name, asked, limit) => {
    const startedAt = process.cpuUsage();
    const answer = await transports[transport](server, token, asked);
    const used = process.cpuUsage(startedAt);

    expect(answer.data ?? null).toBeNull();
    expect(answer.errors).toMatchObject([{ extensions: { code: 'COMPLEXITY_LIMIT', limit } }]);
    // The server runs in this process. What blocks it takes seconds; this bound only tells the two apart.
    expect((used.user + used.system) / 1_000).toBeLessThan(1_500);
  });

  it('the same field two hundred times does not hold up the others', async () => {
    const startedAt = process.cpuUsage();
    const answer = await transports[transport](server, token, { query: `{ ${'viewer{permissions}'.repeat(200)} }` });
    const used = process.cpuUsage(startedAt);

    expect(answer.data).toMatchObject({ viewer: { permissions: expect.arrayContaining(['REPLY']) } });
    expect((used.user + used.system) / 1_000).toBeLessThan(1_500);
  });

  it('batches are refused', async () => {
    const answer: Answer = await transports[transport](server, token, [{ query: '{ serverTime }' }] as never);

    expect(answer.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });
});

/** What the screens of the module ask for, and a full dashboard: each operation with the fragments that it uses. */
const screens = Object.entries(
  separateOperations(parse(readFileSync(new URL('fixtures/operations.graphql', import.meta.url), 'utf8'))),
).map(([name, document]) => ({ name, text: print(document), kind: getOperationAST(document)?.operation }));

const idempotencyKey = 'a key';
const requestId = btoa('Request:01900000-0000-7000-8000-000000000000');
const templateId = btoa('Template:01900000-0000-7000-8000-000000000000');
const inputs: Record<string, Record<string, unknown>> = {
  Reply: { conversationId, idempotencyKey, text: 'Dobrý den' },
  SendTemplate: { conversationId, idempotencyKey, templateId, parameters: [] },
  StartConversation: {
    businessNumberId: templateId,
    phoneNumber: '+420601123456',
    idempotencyKey,
    templateId,
    parameters: [],
  },
  Retry: { messageId: templateId, idempotencyKey, acceptDuplicateRisk: false },
  MarkRead: { conversationId, upToMessageId: templateId, sendReadReceipt: false },
  CreateRequest: {
    conversationId,
    idempotencyKey,
    name: 'x',
    description: '',
    fields: [],
    tagIds: [],
    attachmentIds: [],
  },
  SaveSettings: { expectedVersion: 0 },
};

function variablesOf(name: string): Record<string, unknown> {
  const ids = Array(50).fill(conversationId);
  const search = /ConversationTable|ListChanges/.test(name) ? { query: 'novák' } : 'novák';
  const id = name === 'RequestDetail' ? requestId : conversationId;
  return { id, conversationId, ids, search, ...(inputs[name] && { input: inputs[name] }) };
}

describe('what the screens ask for', () => {
  it.each(screens)('$name is below half of every limit', ({ name, text }) => {
    const half: DocumentLimits = { ...documentLimits };
    for (const limit of typedKeys(half)) half[limit] = Math.floor(half[limit] / 2);
    const document = parse(text, { maxTokens: half.tokens });
    const node = getOperationAST(document);
    if (!node) throw new Error('the fixture holds no such operation');
    // Every screen names the cursor that it is at; what it looks like is of no account here.
    const variables = { ...variablesOf(name), after: 'x' };
    const limits = { ...half, complexity: server.env.maxComplexity / 2 };

    expect(text.length).toBeLessThan(half.length);
    expect(validate(schema, document)).toEqual([]);
    expect(traitsOf(document, half).refusal).toBeNull();
    expect(costOf(schema, { document, node, variables }, limits)).toBeGreaterThan(0);
  });

  it.each(screens.filter(({ kind }) => kind !== 'subscription'))('$name is answered', async ({ name, text }) => {
    const { data } = await transports.http(server, token, { query: '{ stream { head } }' });
    const variables = { ...variablesOf(name), ...(name === 'CatchUp' && { after: headOf(data) }) };
    const answer = await transports.http(server, token, { query: text, variables });

    expect(answer.errors).toBeUndefined();
  });
});

function headOf(data: unknown): string {
  return (data as { stream: { head: string } }).stream.head;
}

function typedKeys<T extends object>(value: T): (keyof T)[] {
  // Of an object that was written here, every key is known.
  return Object.keys(value) as (keyof T)[];
}

describe('over HTTP', () => {
  it('a body beyond 256 kB is answered 413, whether its length is told or not', async () => {
    const body = JSON.stringify({ query: '{ serverTime }', variables: { text: 'x'.repeat(300_000) } });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const told = await fetch(`${server.url}/graphql`, { method: 'POST', headers, body });
    const untold = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers,
      body: new Blob([body]).stream(),
      duplex: 'half',
    } as RequestInit);

    expect([told.status, untold.status]).toEqual([413, 413]);
    expect(await told.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT', limit: 'body' } }] });
  });

  it.each([
    ['a fraction', { first: 1.5 }],
    ['a number that no Int holds', { first: 1e30 }],
    ['a text', { first: 'ten' }],
    ['nothing', {}],
  ])('a variable that holds %s is the mistake of the caller', async (_what, variables) => {
    const body = JSON.stringify({
      query: 'query ($first: Int!) { conversations(first: $first) { totalCount } }',
      variables,
    });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const ask = (accept: string) =>
      fetch(`${server.url}/graphql`, { method: 'POST', headers: { ...headers, accept }, body });
    const answers = await Promise.all(
      ['application/json', 'application/graphql-response+json', 'text/event-stream'].map(ask),
    );

    expect(answers.map(({ status }) => status)).toEqual([200, 400, 400]);
    for (const answer of answers)
      expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });

  it.concurrent.each([
    ['headers that never end', 'POST /graphql HTTP/1.1\r\nhost: x\r\n'],
    [
      'a body that never ends',
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    ],
    ['a webhook that never ends', 'POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{'],
    [
      'a webhook that never ends and calls itself a form',
      'POST /webhooks/whatsapp HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=x\r\ncontent-length: 100\r\n\r\n{',
    ],
  ])(
    '%s: the connection is ended',
    async (_name, beginning) => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      socket.on('error', () => {});
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
      socket.write(beginning);

      await once(socket, 'close', { signal: AbortSignal.timeout(12_000) });

      expect(answer).toMatch(/^$|^HTTP\/1\.1 (408|401)/);
    },
    45_000,
  );
});

describe('a file that takes longer than an operation may', () => {
  it.each(['multipart/form-data', 'Multipart/Form-Data'])('is taken (%s)', async (type) => {
    const form = new FormData();
    const query = 'mutation ($file: File!) { uploadAttachment(input: { file: $file }) { attachment { byteSize } } }';
    form.set('operations', JSON.stringify({ query, variables: { file: null } }));
    form.set('map', '{"0":["variables.file"]}');
    form.set('0', new Blob(['slowly']), 'slowly.txt');
    const whole = new Response(form);
    const bytes = Buffer.from(await whole.clone().arrayBuffer());
    async function* trickle() {
      yield bytes.subarray(0, 100);
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      yield bytes.subarray(100);
    }

    const answer = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'graphql-require-preflight': '1',
        'content-type': (whole.headers.get('content-type') ?? '').replace('multipart/form-data', type),
      },
      body: Readable.toWeb(Readable.from(trickle())),
      duplex: 'half',
    } as RequestInit);

    expect(await answer.json()).toMatchObject({ data: { uploadAttachment: { attachment: { byteSize: 6 } } } });
  });
});

describe('the rate of operations', () => {
  const cheap = { query: '{ serverTime }' };
  const settings = { RATE_LIMIT_PER_MINUTE: '5', ADDRESS_RATE_LIMIT_PER_MINUTE: '100' };

  it('is counted per viewer over all transports and processes, and tells when to come back', async () => {
    await using redis = await startRedisServer();
    await using one = await startTestServer({ settings: { ...settings, REDIS_URL: redis.url } });
    await using other = await startTestServer({
      settings: { ...settings, REDIS_URL: redis.url },
      databaseUrl: one.databaseUrl,
    });
    const alena = await one.tokenOf('alena');

    // 1 point each while the limiter's connection opens: whoever counts, five is the end of it.
    for (const transport of transportNames) await transports[transport](one, alena, cheap);
    for (let left = 0; left < 5; left++) await transports.http(other, alena, cheap);
    const refused = await Promise.all(transportNames.map((transport) => transports[transport](other, alena, cheap)));
    const boris = await transports.http(one, await one.tokenOf('boris'), cheap);

    for (const { errors } of refused)
      expect(errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED', limit: 'operations' } }]);
    expect(boris.errors).toBeUndefined();
    const headers = { authorization: `Bearer ${alena}`, 'content-type': 'application/json' };
    const response = await fetch(`${other.url}/graphql`, { method: 'POST', headers, body: JSON.stringify(cheap) });
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it.each([
    ['cannot be read', { query: '{ conversations(' }],
    ['asks for what is not there', { query: '{ nothing }' }],
    ['asks for too much', { query: `{ ${times(100, (index) => `a${index}: serverTime`)} }` }],
    ['has variables that do not fit', { query: 'query ($id: ID!) { conversation(id: $id) { id } }' }],
  ])('counts an operation that %s, too, over every transport', async (_how, asked) => {
    await using limited = await startTestServer({ settings });
    const alena = await limited.tokenOf('alena');
    const ask = (transport: (typeof transportNames)[number]) => transports[transport](limited, alena, asked);

    for (let round = 0; round < 2; round++) for (const transport of transportNames) await ask(transport);
    const answers = await Promise.all(transportNames.map(ask));

    for (const { errors } of answers) expect(errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
  });

  it('counts what it takes to read a document that is not known', async () => {
    await using limited = await startTestServer({ settings: { ...settings, RATE_LIMIT_PER_MINUTE: '100' } });
    const alena = await limited.tokenOf('alena');
    const ask = (field: string) => transports.http(limited, alena, { query: `{ ${`${field} `.repeat(1_400)} }` });

    const known = [await ask('nothing'), await ask('nothing')];
    const another = await ask('nowhere');

    for (const { errors } of known) expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(another.errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED', limit: 'operations' } }]);
  });

  it('is still limited in each process while Redis is away', async () => {
    const redis = await startRedisServer();
    await using limited = await startTestServer({ settings: { ...settings, REDIS_URL: redis.url } });
    const alena = await limited.tokenOf('alena');
    await redis.kill();

    const answers = [];
    for (let sent = 0; sent < 8; sent++) answers.push(await transports.http(limited, alena, cheap));

    expect(answers[0]?.errors).toBeUndefined();
    expect(answers.at(-1)?.errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
  });

  it('of an address is limited before its credential is looked at, over every transport', async () => {
    await using limited = await startTestServer({ settings: { ADDRESS_RATE_LIMIT_PER_MINUTE: '3' } });
    for (let sent = 0; sent < 3; sent++) await transports.http(limited, 'nonsense', cheap);

    const http = await transports.http(limited, 'nonsense', cheap);
    const sse = await transports.sse(limited, 'nonsense', cheap);

    for (const { errors } of [http, sse])
      expect(errors).toMatchObject([{ extensions: { code: 'RATE_LIMITED', limit: 'address' } }]);
    await expect(transports.ws(limited, 'nonsense', cheap)).rejects.toThrow('429');
  });

  it('of webhooks has a limit of its own, and Meta is told to come back', async () => {
    await using limited = await startTestServer({ settings: { WEBHOOK_RATE_LIMIT_PER_SECOND: '2' } });
    const body = { object: 'whatsapp_business_account', entry: [] };

    const answers = await Promise.all(Array.from({ length: 6 }, () => limited.postWebhook(body)));

    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(2);
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    expect(answers.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('1');
  });
});

describe('sockets and subscriptions', () => {
  it('of one viewer are limited', async () => {
    await using limited = await startTestServer({ settings: { MAX_SOCKETS_PER_VIEWER: '1' } });
    const alena = await limited.tokenOf('alena');
    const first = limited.socket(alena);
    const opened = Promise.withResolvers<void>();
    first.on('connected', () => opened.resolve());
    first.subscribe({ query: 'subscription { events { cursor } }' }, { next() {}, error() {}, complete() {} });
    await opened.promise;

    await expect(transports.ws(limited, alena, { query: '{ serverTime }' })).rejects.toThrow(
      'closed: 4403 Forbidden: too many sockets are open',
    );

    await first.dispose();
  });

  it('on one socket end at a hundred, and the socket lives on', async () => {
    const socket = server.socket(token);
    const refused: unknown[] = [];
    const ready = Promise.withResolvers<void>();
    for (let opened = 0; opened < 101; opened++) {
      socket.subscribe(
        { query: 'subscription { events { cursor } }' },
        {
          next() {},
          complete() {},
          error(error) {
            refused.push(error);
            ready.resolve();
          },
        },
      );
    }
    await ready.promise;

    expect(refused).toMatchObject([[{ extensions: { code: 'RATE_LIMITED', limit: 'subscriptions' } }]]);
    await socket.dispose();
  });
});

describe('introspection', () => {
  const asks = { query: '{ __schema { queryType { name } } }' };
  const hidden = {
    query:
      '{ ...x } fragment x on Query { ...__schema } fragment __schema on Query { t: __type(name: "Query") { name } }',
  };

  it('is for administrators in production, whatever the transport and however it is wrapped', async () => {
    await using closed = await startTestServer({ settings: { INTROSPECTION: 'administrators' } });
    const [alena, boris] = [await closed.tokenOf('alena'), await closed.tokenOf('boris')];

    for (const transport of transportNames) {
      for (const viewer of [boris, closed.dashboardToken]) {
        for (const asked of [asks, hidden])
          expect((await transports[transport](closed, viewer, asked)).errors).toMatchObject([
            { extensions: { code: 'FORBIDDEN', limit: 'introspection' } },
          ]);
      }
      expect((await transports[transport](closed, alena, asks)).data).toEqual({
        __schema: { queryType: { name: 'Query' } },
      });
    }
  });

  it('and GraphiQL can be switched off', async () => {
    await using closed = await startTestServer({ settings: { INTROSPECTION: 'off', GRAPHIQL: 'false' } });
    const page = await fetch(`${closed.url}/graphql`, { headers: { accept: 'text/html' } });
    const open = await fetch(`${server.url}/graphql`, { headers: { accept: 'text/html' } });

    expect((await transports.http(closed, await closed.tokenOf('alena'), asks)).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
    expect(await page.text()).not.toContain('<script');
    expect(await open.text()).toContain('<script');
  });
});

describe('trusted documents', () => {
  const known = 'query Time { serverTime }';
  const hash = createHash('sha256').update(known).digest('hex');
  let folder: string;
  let closed: TestServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cdesk-chats-trusted-'));
    const path = join(folder, 'manifest.json');
    await writeFile(path, JSON.stringify({ [`sha256:${hash}`]: known }));
    closed = await startTestServer({ settings: { TRUSTED_DOCUMENTS: path, TRUSTED_DOCUMENTS_ONLY: 'true' } });
  });

  afterAll(async () => {
    await closed[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(transportNames)('are run by their hash over %s, and nothing else is', async (transport) => {
    const ask = (asked: Record<string, unknown>) => transports[transport](closed, token, asked);

    for (const asked of [
      { documentId: `sha256:${hash}` },
      { documentId: hash },
      { extensions: { persistedQuery: { sha256Hash: hash } } },
      { query: known },
    ])
      expect((await ask(asked)).data).toMatchObject({ serverTime: expect.any(String) });
    for (const asked of [{ documentId: 'f'.repeat(64) }, { query: '{ serverTime }' }])
      expect((await ask(asked)).errors).toMatchObject([
        { extensions: { code: 'FORBIDDEN', limit: 'trusted-documents' } },
      ]);
  });
});
