import { createHash, randomUUID } from 'node:crypto';

import type { EventType } from '../../src/db/event-log.ts';
import { API_TOKEN_PREFIX } from '../../src/services/api-token-secret.ts';
import type { TestServer } from './server.ts';

type Made = {
  type: EventType;
  conversationId?: string;
  businessNumberId?: string;
  requestId?: string;
  messageId?: string;
  templateId?: string;
  operatorId?: string;
  data?: Record<string, unknown>;
};

/** Writes events as a transaction of another process would; the hub finds them in the log. */
export async function appendEvents(server: Pick<TestServer, 'sql'>, ...events: Made[]): Promise<void> {
  const items = events.map((event) => ({
    type: event.type,
    conversation_id: event.conversationId ?? null,
    business_number_id: event.businessNumberId ?? null,
    request_id: event.requestId ?? null,
    message_id: event.messageId ?? null,
    template_id: event.templateId ?? null,
    operator_id: event.operatorId ?? null,
    data: event.data ?? {},
    occurred_at: new Date().toISOString(),
  }));
  await server.sql('SELECT append_events($1::jsonb)', [JSON.stringify(items)]);
}

/** A dashboard token with these scopes; gives the secret. */
export async function makeToken(
  server: Pick<TestServer, 'sql'>,
  scopes: string[],
  businessNumberIds: string[] = [],
): Promise<{ id: string; secret: string }> {
  const [id, secret] = [randomUUID(), `${API_TOKEN_PREFIX}${randomUUID()}`];
  await server.sql(
    `INSERT INTO api_token (id, name, hash, hint, scopes, business_number_ids, created_by_id)
     SELECT $1, 'made by a test', $2, 'abcd', $3::"TokenScope"[], $4::uuid[], id FROM operator ORDER BY number LIMIT 1`,
    [id, createHash('sha256').update(secret).digest('hex'), scopes, businessNumberIds],
  );
  return { id, secret };
}

/** The cursor of a position, as the server writes it. */
export async function cursorAt(server: Pick<TestServer, 'sql'>, seq: number, epoch?: string): Promise<string> {
  const [head] = await server.sql<{ epoch: string }>('SELECT epoch FROM stream_head');
  return Buffer.from(`1.${epoch ?? head?.epoch}.${seq}`).toString('base64url');
}

export async function headOf(server: Pick<TestServer, 'sql'>): Promise<{ seq: number; epoch: string; floor: number }> {
  const [head] = await server.sql<{ seq: string; epoch: string; floor: string }>(
    'SELECT seq, epoch, floor_seq AS floor FROM stream_head',
  );
  return { seq: Number(head?.seq), epoch: head?.epoch ?? '', floor: Number(head?.floor) };
}
