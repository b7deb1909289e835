import type { TestServer } from './server.ts';

/** Requests up to this number, twice as many messages, every second one linked to two requests. */
export async function fileRequests(server: TestServer, conversation: string, size: number): Promise<void> {
  await server.sql('DELETE FROM request WHERE conversation_id = $1', [conversation]);
  await server.sql(
    `INSERT INTO message (id, conversation_id, sequence, direction, origin, kind, content, preview, sent_at, sent_second)
     SELECT gen_random_uuid(), $1, n, 'INCOMING', 'CUSTOMER', 'TEXT', '{"type":"text","text":"x"}', 'x', now(), now()
     FROM generate_series(1, $2) AS n ON CONFLICT (conversation_id, sequence) DO NOTHING`,
    [conversation, size * 2],
  );
  await server.sql(
    `INSERT INTO request (id, code, name, description, status_key, company_id, contact_id, template_id, assignee_id, created_by_id,
       conversation_id, custom_fields, created_at, updated_at)
     SELECT gen_random_uuid(), 'S' || $2 || '-' || n, 'r', 'd', 'new', c.id, p.id, t.id, o.id, o.id, $1, '{"price":"1"}', now(), now()
     FROM generate_series(1, $2::int) AS n, company c, contact p, request_template t, operator o
     WHERE c.name LIKE 'Stroj%' AND p.name LIKE 'Karel%' AND t.name = 'Reklamace' AND o.login = 'boris'`,
    [conversation, size],
  );
  await server.sql(
    `INSERT INTO request_tag (request_id, tag_id) SELECT r.id, t.id FROM request r, tag t WHERE r.conversation_id = $1`,
    [conversation],
  );
  await server.sql(
    `INSERT INTO discussion_post (id, request_id, kind, author_id, body)
     SELECT gen_random_uuid(), r.id, 'PUBLIC_POST', o.id, 'p' || n FROM request r, operator o, generate_series(1, 3) AS n
     WHERE r.conversation_id = $1 AND o.login = 'boris'`,
    [conversation],
  );
  await server.sql(
    `INSERT INTO message_request_link (message_id, request_id, role)
     SELECT m.id, r.id, 'LINKED' FROM message m CROSS JOIN LATERAL
       (SELECT id FROM request r WHERE r.conversation_id = $1 ORDER BY md5(r.id::text || m.id::text) LIMIT 2) r
     WHERE m.conversation_id = $1 AND m.sequence % 2 = 0`,
    [conversation],
  );
}
