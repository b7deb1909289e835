import type { Statement, Transaction } from '../transaction.ts';

const take: Statement = {
  name: 'take-request-serial',
  text: `INSERT INTO request_counter AS c (year, serial) VALUES ($1, 1)
    ON CONFLICT (year) DO UPDATE SET serial = c.serial + 1 RETURNING serial`,
};

const find: Statement = {
  name: 'find-request-codes',
  text: `SELECT r.conversation_id AS "conversationId", r.code FROM request r
    WHERE r.conversation_id = ANY($1::uuid[]) AND r.deleted_at IS NULL ORDER BY r.created_at, r.id`,
};

const write: Statement = {
  name: 'write-request-codes',
  text: `UPDATE conversation c SET version = c.version + 1, request_count = n.count, request_codes = n.codes
    FROM unnest($1::uuid[], $2::integer[], $3::text[]) AS n (id, count, codes) WHERE c.id = n.id`,
};

/** The next serial of a year; its counter stays locked until the transaction ends. */
export async function takeSerial(tx: Transaction, year: number): Promise<number> {
  const [counter] = await tx.query<{ serial: number }>(take, [year]);
  if (!counter) throw new Error('the counter of request codes answered nothing');
  return counter.serial;
}

/** Codes of the requests of these conversations, oldest first. */
export function findRequestCodes(
  tx: Transaction,
  conversationIds: string[],
): Promise<{ conversationId: string; code: string }[]> {
  return tx.query(find, [conversationIds]);
}

/** What the rows of locked conversations tell of their requests. */
export async function writeRequestCodes(
  tx: Transaction,
  rows: { conversationId: string; count: number; codes: string }[],
): Promise<void> {
  await tx.query(write, [
    rows.map((row) => row.conversationId),
    rows.map((row) => row.count),
    rows.map((row) => row.codes),
  ]);
}
