import type { Program } from '../../test/support/debian-program.ts';
import { flood, type Flood } from '../wrk.ts';
import { makeWebhooks } from './traffic.ts';

/** Each webhook once; `most` per second are surely not taken. */
export async function floodWebhooks(
  wrk: Program,
  url: string,
  { seconds, concurrent, most }: { seconds: number; concurrent: number; most: number },
): Promise<Flood> {
  const webhooks = makeWebhooks(most * seconds);
  const posts = webhooks.map(({ signature, body }) => ({ headers: { 'x-hub-signature-256': signature }, body }));
  const flooded = await flood(wrk, `${url}/webhooks/whatsapp`, posts, { seconds, concurrent });
  if (flooded.answered + concurrent >= posts.length) throw new Error(`${posts.length} webhooks are too few`);
  return flooded;
}
