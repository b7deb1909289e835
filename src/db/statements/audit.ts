import type pg from 'pg';
import type { AuditEntry } from '../../generated/prisma/client.ts';
import type { PageRequest } from '../keyset.ts';
import { modelColumns } from '../models.ts';
import type { Transaction } from '../transaction.ts';

export async function insertAuditEntry(tx: Transaction, entry: AuditEntry): Promise<void> {
  await tx.query(
    `INSERT INTO audit_entry (id, at, operator_id, api_token_id, action, subject_id, detail, address)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      entry.id,
      entry.at,
      entry.operatorId,
      entry.apiTokenId,
      entry.action,
      entry.subjectId,
      entry.detail,
      entry.address,
    ],
  );
}

/** Newest first, by a row comparison that uses the index at any depth. */
export async function findAuditPage(pool: pg.Pool, page: PageRequest): Promise<AuditEntry[]> {
  const [direction, compare] = page.forward ? ['DESC', '<'] : ['ASC', '>'];
  const after = page.position ? `WHERE (a.at, a.id) ${compare} ($1::timestamptz, $2::uuid)` : '';
  const text = `SELECT ${modelColumns('AuditEntry', 'a')} FROM audit_entry a ${after}
    ORDER BY a.at ${direction}, a.id ${direction} LIMIT ${page.size + 1}`;
  return (await pool.query<AuditEntry>(text, page.position ? [...page.position] : [])).rows;
}
