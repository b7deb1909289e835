import type pg from 'pg';
import type { Database } from '../database.ts';
import type { Statement, Transaction } from '../transaction.ts';

const JOB = `graphile_worker.add_job('mirror-request', json_build_object('requestId', r.id),
  job_key => 'mirror:' || r.id, max_attempts => 25)`;

const addJob: Statement = {
  name: 'add-mirror-job',
  text: `SELECT ${JOB} FROM (VALUES ($1::uuid)) AS r (id)`,
};

const snapshot: Statement = {
  name: 'find-request-to-mirror',
  // One statement, so that it is one moment of the request and its parts.
  text: `SELECT r.id, r.revision, json_build_object(
    'id', r.id, 'externalId', r.external_id, 'code', r.code, 'revision', r.revision, 'version', r.version,
    'name', r.name, 'description', r.description, 'visibility', r.visibility,
    'status', r.status_key, 'closed', s.closed, 'deleted', r.deleted_at IS NOT NULL, 'fields', r.custom_fields,
    'company', (SELECT json_build_object('id', c.id, 'externalId', c.external_id, 'name', c.name)
      FROM company c WHERE c.id = r.company_id),
    'contact', (SELECT json_build_object('id', c.id, 'externalId', c.external_id, 'name', c.name,
      'phoneNumber', c.phone_number, 'email', c.email) FROM contact c WHERE c.id = r.contact_id),
    'template', (SELECT json_build_object('id', t.id, 'externalId', t.external_id, 'name', t.name)
      FROM request_template t WHERE t.id = r.template_id),
    'assignee', (SELECT o.login FROM operator o WHERE o.id = r.assignee_id),
    'createdBy', (SELECT o.login FROM operator o WHERE o.id = r.created_by_id),
    'conversation', (SELECT json_build_object('id', c.id, 'number', c.number) FROM conversation c WHERE c.id = r.conversation_id),
    'tags', (SELECT coalesce(json_agg(t.name ORDER BY t.name), '[]') FROM request_tag rt JOIN tag t ON t.id = rt.tag_id
      WHERE rt.request_id = r.id),
    'messages', (SELECT coalesce(json_agg(json_build_object('id', m.id, 'role', l.role, 'sentAt', m.sent_at)
        ORDER BY m.sent_second, m.sequence), '[]')
      FROM message_request_link l JOIN message m ON m.id = l.message_id WHERE l.request_id = r.id),
    'attachments', (SELECT coalesce(json_agg(json_build_object('id', a.id, 'fileName', a.file_name, 'mimeType', a.mime_type,
        'byteSize', a.byte_size, 'sha256', a.sha256) ORDER BY ra.added_at, a.id), '[]')
      FROM request_attachment ra JOIN attachment a ON a.id = ra.attachment_id WHERE ra.request_id = r.id),
    'discussion', (SELECT coalesce(json_agg(json_build_object('id', p.id, 'externalId', p.external_id, 'kind', p.kind,
        'author', coalesce(o.login, p.author_name), 'body', p.body, 'createdAt', p.created_at) ORDER BY p.created_at, p.id), '[]')
      FROM (SELECT * FROM discussion_post p WHERE p.request_id = r.id ORDER BY p.created_at DESC, p.id DESC LIMIT 100) p
        LEFT JOIN operator o ON o.id = p.author_id),
    'createdAt', r.created_at, 'updatedAt', r.updated_at) AS state
    FROM request r JOIN request_status s ON s.key = r.status_key WHERE r.id = $1`,
};

const settle: Statement = {
  name: 'settle-request-mirror',
  text: `UPDATE request SET mirrored_revision = greatest(mirrored_revision, $2), external_id = coalesce(external_id, $3)
    WHERE id = $1`,
};

const requeue: Statement = {
  name: 'requeue-request-mirrors',
  text: `SELECT ${JOB} FROM (SELECT id FROM request WHERE mirrored_revision < revision ORDER BY id LIMIT $1) r`,
};

/** One waiting job per request, whatever the number of its changes: it sends the state in which it finds it. */
export async function addMirrorJob(tx: Transaction, requestId: string): Promise<void> {
  await tx.query(addJob, [requestId]);
}

export type RequestState = { id: string; revision: number; state: object };

export async function findRequestState(pool: pg.Pool, id: string): Promise<RequestState | null> {
  return (await pool.query<RequestState>({ ...snapshot, values: [id] })).rows[0] ?? null;
}

/** CDESK has this revision; the id that it gave is kept once and for all. */
export async function settleMirror(
  { pool }: Pick<Database, 'pool'>,
  mirrored: { requestId: string; revision: number; externalId: string | null },
): Promise<void> {
  await pool.query({ ...settle, values: [mirrored.requestId, mirrored.revision, mirrored.externalId] });
}

export async function requeueMirrors(pool: pg.Pool, limit: number): Promise<number> {
  return (await pool.query({ ...requeue, values: [limit] })).rowCount ?? 0;
}
