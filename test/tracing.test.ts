import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startCollector, type CollectedSpan, type Collector } from './support/collector.ts';
import { createTestDatabase } from './support/database.ts';
import { collect, eventually } from './support/events.ts';
import { batchOf, textMessage } from './support/payloads.ts';
import { beginConversation, reached, send } from './support/sends.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

const SECRET_TEXT = 'a text that no trace may hold';
const CUSTOMER = '420603777888';
const COLLECTOR_TOKEN = 'only for the collector';

const parts = new AsyncDisposableStack();
let collector: Collector;
/** Takes webhooks and mutations. */
let here: TestServer;
/** Has the subscribers. */
let elsewhere: TestServer;

beforeAll(async () => {
  collector = parts.use(await startCollector());
  const { url: databaseUrl } = parts.use(await createTestDatabase());
  const settings = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(COLLECTOR_TOKEN)}`,
    REDIS_URL: inject('redisUrl'),
  };
  here = parts.use(await startTestServer({ databaseUrl, settings }));
  elsewhere = parts.use(await startTestServer({ databaseUrl, settings: { ...settings, ROLE: 'api' } }));
});

afterAll(() => parts.disposeAsync());

describe('a webhook', () => {
  it('is followed to the socket of a subscriber on another process', async () => {
    const heard = await follow('subscription { messageAdded { cursor } }');
    const caller = newTrace();
    const { status } = await here.postWebhook(write('one'), { traceparent: caller.header });
    expect(status).toBe(200);
    await heard.take(1);

    const push = await spanOf(caller, 'push MESSAGE_ADDED');
    const request = await spanOf(caller, 'POST /webhooks/whatsapp');
    const batch = await spanOf(caller, 'store deliveries');
    expect(request).toMatchObject({ parentId: caller.spanId, kind: 'SERVER' });
    expect(request.attributes).toMatchObject({ 'http.response.status_code': 200, 'http.request.method': 'POST' });
    expect(batch).toMatchObject({ parentId: request.spanId, instance: request.instance });
    expect(push).toMatchObject({ parentId: batch.spanId, kind: 'PRODUCER' });
    expect(push.instance).not.toBe(request.instance);
    heard.stop();
  });

  it('that was stored together with others leads to where it was stored, and back', async () => {
    const callers = Array.from({ length: 20 }, newTrace);
    await Promise.all(
      callers.map(({ header }, index) => here.postWebhook(write(`many ${index}`), { traceparent: header })),
    );
    const requests = await Promise.all(callers.map((caller) => spanOf(caller, 'POST /webhooks/whatsapp')));
    const batches = () => collector.spans.filter(({ name }) => name === 'store deliveries');
    const isLinked = (request: CollectedSpan, batch: CollectedSpan) =>
      request.links.some(({ spanId }) => spanId === batch.spanId) &&
      batch.links.some(({ spanId }) => spanId === request.spanId);
    const storedIn = requests.map((request) =>
      batches().filter((batch) => batch.parentId === request.spanId || isLinked(request, batch)),
    );

    expect(storedIn.map(({ length }) => length)).toEqual(requests.map(() => 1));
    expect(storedIn.flat().some((batch) => batch.links.length > 0)).toBe(true);
  });
});

describe('a reply', () => {
  it('is followed to Meta, to what became of it, and to the socket of a subscriber', async () => {
    const { conversationId } = await beginConversation(here, { from: `+${CUSTOMER}`, text: SECRET_TEXT });
    const heard = await follow('subscription { messageStatusChanged { cursor } }');
    const caller = newTrace();
    const alena = (await here.as('alena')).setHeader('traceparent', caller.header);
    const { message } = await send(alena, 'replyToConversation', { conversationId, text: SECRET_TEXT });
    await reached(await here.as('boris'), message?.id ?? '', 'READ');
    await heard.take(3);

    const request = await spanOf(caller, 'POST /graphql');
    const operation = await spanOf(caller, 'mutation');
    const sending = await spanOf(caller, 'send message');
    const call = await spanOf(caller, 'Graph API POST');
    const read = await spanOf(caller, 'status READ');
    const push = await spanOf(caller, 'push MESSAGE_STATUS_CHANGED');
    expect(request).toMatchObject({ parentId: caller.spanId, kind: 'SERVER' });
    expect(operation).toMatchObject({ parentId: request.spanId });
    expect(operation.attributes).toMatchObject({
      'graphql.operation.type': 'mutation',
      'graphql.operation.name': 'Send',
    });
    expect(sending).toMatchObject({ parentId: operation.spanId, kind: 'PRODUCER' });
    expect(call).toMatchObject({ parentId: sending.spanId, kind: 'CLIENT' });
    expect(call.attributes).toMatchObject({ 'cdesk.outcome': 'answered' });
    // The webhook that told of it has a trace of its own, which is linked.
    expect(read.parentId).toBe(operation.spanId);
    const told = await eventually(async () => collector.spans.find(({ spanId }) => spanId === read.links[0]?.spanId));
    expect(told).toMatchObject({ name: 'store deliveries' });
    expect(told.traceId).not.toBe(caller.traceId);
    expect(push.parentId).toBe(operation.spanId);
    expect(push.instance).not.toBe(request.instance);
    heard.stop();
  });
});

describe('what the collector gets', () => {
  it('holds no text, no number of a person and no secret', async () => {
    await eventually(async () => collector.spans.length > 0);
    const received = collector.received();
    const token = await here.tokenOf('alena');

    for (const canary of [SECRET_TEXT, CUSTOMER, token, here.sandbox.accessToken, here.dashboardToken, COLLECTOR_TOKEN])
      expect(received).not.toContain(canary);
  });

  it('comes with the headers that it wants to see, and never of a look at the health', async () => {
    await fetch(`${here.url}/readyz`);
    const { path, headers } = await eventually(async () => collector.requests[0]);

    expect(path).toBe('/v1/traces');
    expect(headers.authorization).toBe(COLLECTOR_TOKEN);
    expect(collector.spans.filter(({ name }) => name.includes('readyz'))).toEqual([]);
  });
});

describe('without a collector', () => {
  it('nothing is recorded, whatever callers send', async () => {
    await using server = await startTestServer();
    await server.postWebhook(write('quiet'), { traceparent: newTrace().header });
    const { conversationId } = await beginConversation(server);
    await send(await server.as('alena'), 'replyToConversation', { conversationId, text: 'x' });

    expect(await server.sql('SELECT 1 FROM event WHERE trace_parent IS NOT NULL')).toEqual([]);
    expect(await server.sql('SELECT 1 FROM message WHERE trace_parent IS NOT NULL')).toEqual([]);
  });

  it('that answers, everything goes on', async () => {
    await using server = await startTestServer({
      settings: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', LOG_LEVEL: 'silent' },
    });

    expect((await server.postWebhook(write('away'))).status).toBe(200);
    expect(await server.sql('SELECT 1 FROM event WHERE trace_parent IS NOT NULL')).not.toEqual([]);
  });

  it('for most traces, only the chosen share is recorded, as a whole', async () => {
    await using few = await startCollector();
    const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: few.url, OTEL_TRACES_SAMPLER_ARG: '0' };
    const server = await startTestServer({ settings });
    await server.postWebhook(write('none'), { traceparent: newTrace().header });
    // What waits is sent before it ends.
    await server[Symbol.asyncDispose]();

    expect(few.spans).toEqual([]);
  });
});

type Trace = { traceId: string; spanId: string; header: string };

function newTrace(): Trace {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  return { traceId, spanId, header: `00-${traceId}-${spanId}-01` };
}

function spanOf({ traceId }: Trace, name: string): Promise<CollectedSpan> {
  return eventually(async () => collector.spans.find((span) => span.traceId === traceId && span.name === name));
}

function write(text: string) {
  return batchOf(number1.phoneNumberId, [textMessage({ text: `${SECRET_TEXT} ${text}`, from: CUSTOMER })]);
}

/** Once it follows live: what is caught up on was pushed by nobody. */
async function follow(query: string) {
  const live = collect(elsewhere.socket(elsewhere.dashboardToken), query);
  await eventually(async () =>
    (await (await fetch(`${elsewhere.url}/metrics`)).text()).includes('cdesk_subscriptions 1'),
  );
  return live;
}
