import type { TestServer } from './server.ts';
import { number1 } from './server.ts';

/** What a masked value must never show without its scope. */
export const marks = {
  READ_MESSAGE_BODIES: 'body-mark',
  READ_CONTACT_DATA: 'contact-mark',
  READ_REQUESTS: 'request-mark',
  READ_INTERNAL_NOTES: 'note-mark',
} as const;

/** Row ids by the name of their GraphQL type. */
export type OneOfEach = Record<string, string>;

const id = (n: number) => `00000000-0000-7000-8000-0000000000${String(n).padStart(2, '0')}`;

/** One row of every kind of node, marked wherever a text of customers, requests or notes can stand. */
export async function makeOneOfEach(server: TestServer): Promise<OneOfEach> {
  await server.sandbox.customerWrites({
    phoneNumberId: number1.phoneNumberId,
    from: '+420601123456',
    name: 'contact-mark',
    text: 'body-mark',
  });
  const { operator, conversation, message, participant, number } = await existing(server);
  const insert = (table: string, row: Record<string, unknown>) => insertRow(server, table, row);
  await markMessage(server, message, participant, operator);
  await insert('attachment', {
    id: id(1),
    message_id: message,
    file_name: 'body-mark.png',
    mime_type: 'image/png',
    state: 'AVAILABLE',
    storage_key: 'nothing-is-there',
    sha256: 'ab'.repeat(32),
    byte_size: 1,
  });
  await insert('company', { id: id(2), name: 'contact-mark s.r.o.' });
  await insert('contact', {
    id: id(3),
    name: 'contact-mark',
    email: 'contact-mark@example.com',
    phone_number: '+420601123456',
    comparison_key: '420601123456',
    company_id: id(2),
  });
  await insert('template', {
    id: id(4),
    meta_id: '400000000000001',
    name: 'visit',
    language: 'cs',
    category: 'UTILITY',
    status: 'APPROVED',
    parameter_format: 'NONE',
    components: JSON.stringify([{ type: 'BODY', text: 'Přijedeme.' }]),
    last_synced_at: new Date(),
  });
  await insert('request_template', { id: id(5), name: 'request-mark', default_description: 'request-mark' });
  await insert('tag', { id: id(6), name: 'request-mark' });
  await insertRequest(server, { conversation, message, operator });
  await insert('saved_filter', { id: id(9), owner_id: operator, name: 'Mine', name_key: 'mine', filter: '{}' });
  await insert('api_token', { id: id(10), name: 'Token', hash: 'h', hint: 'hint', created_by_id: operator });
  await insert('webhook_delivery', { id: id(11), body: Buffer.from('{}') });
  await insert('audit_entry', { id: id(12), action: 'SETTINGS_CHANGED' });
  return {
    Operator: operator,
    Conversation: conversation,
    Message: message,
    Participant: participant,
    BusinessNumber: number,
    Attachment: id(1),
    Company: id(2),
    Contact: id(3),
    Template: id(4),
    RequestTemplate: id(5),
    Tag: id(6),
    Request: id(7),
    DiscussionPost: id(8),
    SavedFilter: id(9),
    ApiToken: id(10),
    WebhookDelivery: id(11),
    AuditEntry: id(12),
    ChatSettings: '1',
  };
}

type Existing = Record<'operator' | 'conversation' | 'message' | 'participant' | 'number', string>;

async function existing(server: TestServer): Promise<Existing> {
  const [row] = await server.sql<Existing>(
    `SELECT o.id AS operator, c.id AS conversation, m.id AS message, c.participant_id AS participant,
       c.business_number_id AS number
     FROM conversation c JOIN message m ON m.conversation_id = c.id, operator o WHERE o.login = 'alena'`,
  );
  if (!row) throw new Error('the first message did not arrive');
  return row;
}

async function markMessage(server: TestServer, message: string, participant: string, operator: string): Promise<void> {
  await server.sql(
    `UPDATE message SET preview = 'body-mark', search_text = 'body-mark', sender_name = 'contact-mark',
       referral = '{"sourceType":"ad","headline":"body-mark","body":"body-mark","sourceUrl":"https://body-mark","clickId":"body-mark","sourceId":"body-mark"}'
     WHERE id = $1`,
    [message],
  );
  await server.sql(
    `UPDATE participant SET profile_name = 'contact-mark', user_id = 'contact-mark',
       previous_phone_numbers = '{+420contact-mark}' WHERE id = $1`,
    [participant],
  );
  await server.sql(
    `INSERT INTO reaction (message_id, by_customer, emoji, operator_id, at) VALUES ($1, true, 'body-mark', $2, now())`,
    [message, operator],
  );
}

async function insertRequest(
  server: TestServer,
  { conversation, message, operator }: Record<'conversation' | 'message' | 'operator', string>,
): Promise<void> {
  await server.sql(`INSERT INTO request_status (key, name) VALUES ('new', 'New') ON CONFLICT DO NOTHING`);
  const [status] = await server.sql<{ key: string }>('SELECT key FROM request_status ORDER BY position LIMIT 1');
  await insertRow(server, 'request', {
    id: id(7),
    code: '1',
    name: 'request-mark',
    description: 'request-mark',
    status_key: status?.key,
    company_id: id(2),
    contact_id: id(3),
    template_id: id(5),
    custom_fields: '{"a":"request-mark"}',
    conversation_id: conversation,
    created_by_id: operator,
    updated_at: new Date(),
  });
  await insertRow(server, 'message_request_link', { message_id: message, request_id: id(7), role: 'SOURCE' });
  await insertRow(server, 'request_tag', { request_id: id(7), tag_id: id(6) });
  await insertRow(server, 'discussion_post', {
    id: id(8),
    request_id: id(7),
    kind: 'INTERNAL_NOTE',
    author_id: operator,
    author_name: 'note-mark',
    body: 'note-mark',
  });
}

async function insertRow(server: TestServer, table: string, row: Record<string, unknown>): Promise<void> {
  const columns = Object.keys(row);
  await server.sql(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
    Object.values(row),
  );
}
