import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { answerControl } from './control.ts';
import { customerWrites, postStatus } from './customers.ts';
import { GraphError } from './graph-error.ts';
import { answerGraph } from './graph.ts';
import type { Sandbox, SandboxOptions } from './options.ts';
import type { Reply } from './reply.ts';
import { createState } from './state.ts';
import type { State } from './state.ts';
import { changeTemplate, removeTemplate } from './templates.ts';

/** Plays Meta over HTTP: the Graph API for our server, and the customers behind it. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const state = createState(options);
  const sandbox = createSandbox(state);
  const server = createServer((request, response) => {
    const served = serve(state, sandbox, request, response).finally(() => state.handling.delete(served));
    // A control that waits for the others must not wait for itself.
    if (!isControl(request.url)) state.handling.add(served);
  });
  const host = options.host ?? '127.0.0.1';
  server.listen(options.port ?? 0, host);
  await once(server, 'listening');

  state.url = `http://${host.includes(':') ? `[${host}]` : host}:${portOf(server)}`;
  sandbox.url = state.url;
  sandbox[Symbol.asyncDispose] = () => stop(state, server);
  return sandbox;
}

function createSandbox(state: State): Sandbox {
  const { accessToken, businessAccountId, ledger, faults, poster } = state;
  return {
    url: state.url,
    accessToken,
    businessAccountId,
    phoneNumbers: () => state.phoneNumbers,
    setPhoneNumbers: (numbers) => void (state.phoneNumbers = numbers),
    customerWrites: (message) => customerWrites(state, message),
    customerReads: (wamid) => postStatus(state, wamid, 'read'),
    postStatus: (wamid, status, errorCode) => postStatus(state, wamid, status, errorCode),
    handshake: (verifyToken) => poster.handshake(verifyToken),
    postWebhook: (body) => poster.post(body),
    ledger: (filter) => ledger.list(filter),
    fail: (rule) => faults.add(rule),
    clearFaults: () => faults.clear(),
    setDelays: (delays) => void Object.assign(state.delays, delays),
    setLimits: (limits) => void Object.assign(state.limits, limits),
    templates: () => state.templates,
    addTemplate: (template) => void state.templates.push(template),
    removeTemplate: (name, language) => removeTemplate(state, name, language),
    changeTemplate: (change) => changeTemplate(state, change),
    async settled() {
      while (state.handling.size > 0) await Promise.all(state.handling);
      await state.deliveries.settled();
      await poster.settled();
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function serve(
  state: State,
  sandbox: Sandbox,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', state.url);
  const reply = await answer(state, sandbox, request, url);
  if (reply.kind === 'cut') request.socket.destroy();
  if (reply.kind === 'json') write(state, response, reply.httpStatus, {}, JSON.stringify(reply.body));
  if (reply.kind === 'bytes') write(state, response, reply.httpStatus, reply.headers, reply.body);
  // A caller who has hung up does not stop the message.
  if (reply.kind === 'json' || reply.kind === 'bytes') await finished(response).catch(() => undefined);
  reply.afterwards?.();
}

async function answer(state: State, sandbox: Sandbox, request: IncomingMessage, url: URL): Promise<Reply> {
  try {
    if (isControl(url.pathname)) return await answerControl(sandbox, state, request, url);
    return await answerGraph(state, request, url);
  } catch (error) {
    if (error instanceof GraphError) {
      return { kind: 'json', httpStatus: error.httpStatus, body: error.toBody(`A${state.traces.hex(22)}`) };
    }
    state.log.error({ err: error }, 'sandbox: unexpected failure');
    return { kind: 'bytes', httpStatus: 500, headers: { 'content-type': 'text/plain' }, body: 'The sandbox failed' };
  }
}

function isControl(path: string | undefined): boolean {
  return /^\/sandbox(\/|\?|$)/.test(path ?? '');
}

function write(
  state: State,
  response: ServerResponse,
  httpStatus: number,
  headers: Record<string, string>,
  body: string | Uint8Array,
): void {
  const { percent, minutesToRegain } = state.limits.usage;
  const figures = { call_count: percent, total_cputime: 1, total_time: 1 };
  const usage = [{ type: 'whatsapp', ...figures, estimated_time_to_regain_access: minutesToRegain }];
  response.writeHead(httpStatus, {
    'content-type': 'application/json; charset=UTF-8',
    'facebook-api-version': 'v25.0',
    'x-business-use-case-usage': JSON.stringify({ [state.businessAccountId]: usage }),
    ...headers,
  });
  response.end(body);
}

async function stop(state: State, server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await Promise.all([closed, state.deliveries.close(), state.poster.close()]);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
