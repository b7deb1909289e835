import { Agent, fetch, type Dispatcher } from 'undici';
import { z } from 'zod';
import { signatureOf } from './signature.ts';

export type ConnectorOptions = { url: string; secret: string; timeoutMs: number };

/** Brings one message to CDESK; throws where it is not known to have arrived, and then it may be sent again. */
export type ConnectorClient = AsyncDisposable & {
  send(message: object, idempotencyKey: string): Promise<{ externalId: string | null }>;
};

/** Says nothing of what was in the message or the answer. */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError';
}

const MAX_ANSWER_BYTES = 64 * 1024;

const answerSchema = z.object({ externalId: z.string().min(1).max(255).nullish() });

export function createConnectorClient({ url, secret, timeoutMs }: ConnectorOptions): ConnectorClient {
  const agent = new Agent({ connections: 8, maxResponseSize: MAX_ANSWER_BYTES });
  return {
    async send(message, idempotencyKey) {
      const body = JSON.stringify(message);
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'cdesk-chats',
        'idempotency-key': idempotencyKey,
        'x-cdesk-signature': signatureOf(secret, body, new Date()),
      };
      const { status, text } = await post(url, { body, headers, dispatcher: agent, timeoutMs });
      if (status < 200 || status > 299) throw new ConnectorError(`CDESK answered with ${status}.`);
      return { externalId: answerSchema.safeParse(parse(text)).data?.externalId ?? null };
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}

async function post(
  url: string,
  {
    timeoutMs,
    ...request
  }: { body: string; headers: Record<string, string>; dispatcher: Dispatcher; timeoutMs: number },
): Promise<{ status: number; text: string }> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { ...request, method: 'POST', redirect: 'manual', signal });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    throw new ConnectorError('CDESK could not be reached, or did not answer in time.', { cause: error });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
