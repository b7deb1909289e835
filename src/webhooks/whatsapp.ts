import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../log.ts';
import type { ChatModule } from '../services/module.ts';
import { Unavailable, type Ingest } from './ingest.ts';
import { parsePayload } from './payload.ts';
import { parseJson, readBody } from './raw-body.ts';
import { equalSecrets, isSignedBy } from './signature.ts';

export const WEBHOOK_PATH = '/webhooks/whatsapp';

const RETRY_AFTER_SECONDS = 5;
const WHATSAPP_OBJECT = 'whatsapp_business_account';

/** Of the module the route needs to know its secrets only. */
type ReadSecrets = { current(): Promise<Pick<ChatModule, 'secrets'>> };

export type WebhookRoute = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

type RouteOptions = {
  module: ReadSecrets;
  ingest: Ingest;
  /** Counts beside the present app secret while that is changed at Meta. */
  previousSecret?: string | undefined;
  addressOf: (request: IncomingMessage) => string;
  /** Where this address sends faster than it may. */
  secondsToWait: (address: string) => Promise<number | null>;
  log: Log;
};

/** Meta's edge: the handshake by GET, deliveries by POST. It answers 200 once a delivery is durably stored. */
export function createWebhookRoute(options: RouteOptions): WebhookRoute {
  return async (request, response) => {
    try {
      const seconds = await options.secondsToWait(options.addressOf(request));
      if (seconds !== null)
        return answer(response, 429, 'Too many webhooks from this address.', { 'retry-after': String(seconds) });
      if (request.method === 'GET') return await shakeHands(options.module, request, response);
      if (request.method === 'POST') return await takeDelivery(options, request, response);
      answer(response, 405, 'Use GET or POST.', { allow: 'GET, POST' });
    } catch (error) {
      // Whoever went away before the body was whole repeats it, and waits for no answer.
      if (request.destroyed && !request.complete) return;
      if (!(error instanceof Unavailable)) options.log.error({ err: error }, 'a webhook could not be taken');
      answer(response, 503, 'Try again later.', { 'retry-after': String(RETRY_AFTER_SECONDS) });
    }
  };
}

async function shakeHands(module: ReadSecrets, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
  const challenge = query.get('hub.challenge');
  const { webhookToken } = (await module.current()).secrets;
  const isKnown = webhookToken !== null && equalSecrets(query.get('hub.verify_token') ?? '', webhookToken);
  if (query.get('hub.mode') !== 'subscribe' || !isKnown) return answer(response, 403, 'The verify token is wrong.');
  if (challenge === null) return answer(response, 400, 'hub.challenge is missing.');
  answer(response, 200, challenge);
}

async function takeDelivery(
  { module, ingest, previousSecret, addressOf, log }: Omit<RouteOptions, 'secondsToWait'>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const receivedAt = new Date();
  const body = await readBody(request);
  if (!body) return answer(response, 413, 'The body is larger than 3 MB.', { connection: 'close' });
  const { appSecret } = (await module.current()).secrets;
  const isSigned = appSecret !== null && isSignedBy([appSecret, previousSecret ?? []].flat(), body, headerOf(request));
  if (!isSigned) {
    log.warn(
      { address: addressOf(request), bytes: body.length },
      'a webhook with a missing or wrong signature was refused',
    );
    return answer(response, 401, 'The signature is missing or wrong.');
  }
  const payload = parseJson(body);
  if (payload === undefined) {
    await ingest.reject(body, receivedAt, 'the body is not JSON');
    return answer(response, 400, 'The body is not JSON.');
  }
  const { object, items } = parsePayload(payload);
  // Another product of Meta's: kept, and nothing in it is for us.
  const isOurs = object === null || object === WHATSAPP_OBJECT;
  await ingest.accept(body, isOurs ? items : [], receivedAt);
  answer(response, 200, 'OK');
}

function headerOf(request: IncomingMessage): string | undefined {
  const header = request.headers['x-hub-signature-256'];
  return Array.isArray(header) ? undefined : header;
}

function answer(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(text);
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': body.length,
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(body);
}
