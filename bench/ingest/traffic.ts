import { createHmac } from 'node:crypto';
import { Pool } from 'undici';

export const APP_SECRET = 'the secret of the benchmark';
const CUSTOMERS = 2_000;

export type Signed = { body: string; signature: string };

let made = 0;

/** Text messages of two thousand customers, signed beforehand so that the load generator does little else than post. */
export function makeWebhooks(count: number): Signed[] {
  return Array.from({ length: count }, () => {
    made += 1;
    const from = String(420_640_000_000 + ((made * 7_919) % CUSTOMERS));
    const body = JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [
        {
          id: '100000000000001',
          changes: [
            {
              field: 'messages',
              value: {
                messaging_product: 'whatsapp',
                metadata: { display_phone_number: '420777000111', phone_number_id: '100000000000011' },
                contacts: [{ profile: { name: `Zákazník ${from}` }, wa_id: from }],
                messages: [
                  {
                    from,
                    id: `wamid.bench-${process.pid}-${made}`,
                    timestamp: String(Math.floor(Date.now() / 1000)),
                    type: 'text',
                    text: { body: `Dobrý den, mám dotaz k objednávce číslo ${made}.` },
                  },
                ],
              },
            },
          ],
        },
      ],
    });
    return { body, signature: `sha256=${createHmac('sha256', APP_SECRET).update(body).digest('hex')}` };
  });
}

export async function post(pool: Pool, webhook: Signed): Promise<void> {
  const { statusCode, body } = await pool.request({
    path: '/webhooks/whatsapp',
    method: 'POST',
    body: webhook.body,
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': webhook.signature },
  });
  await body.dump();
  if (statusCode !== 200) throw new Error(`a webhook was answered with ${statusCode}`);
}

/** At a fixed rate, whether or not the earlier ones were answered; gives each latency from when it was due. */
export async function steady(url: string, perSecond: number, seconds: number): Promise<number[]> {
  await using pool = disposable(new Pool(url, { connections: 64 }));
  const webhooks = makeWebhooks(perSecond * seconds);
  const beganAt = performance.now();
  return await Promise.all(
    webhooks.map(async (webhook, index) => {
      const dueAt = beganAt + (index * 1000) / perSecond;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueAt - performance.now())));
      // The timer of the load generator is late by itself; that is not the server's doing.
      const startedAt = Math.max(dueAt, performance.now());
      await post(pool.value, webhook);
      return performance.now() - startedAt;
    }),
  );
}

function disposable(value: Pool): AsyncDisposable & { value: Pool } {
  return { value, [Symbol.asyncDispose]: () => value.close() };
}
