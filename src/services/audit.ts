import { v7 as uuid } from 'uuid';
import type { Database } from '../db/database.ts';
import { insertAuditEntry } from '../db/statements/audit.ts';
import { transaction, type Transaction } from '../db/transaction.ts';
import type { Actor } from './actor.ts';

export type AuditAction =
  | 'MODULE_SWITCHED'
  | 'SETTINGS_CHANGED'
  | 'CONNECTION_CHECKED'
  | 'TOKEN_CREATED'
  | 'TOKEN_REVOKED'
  | 'OPERATOR_ACTIVATED'
  | 'OPERATOR_DEACTIVATED'
  | 'PARTICIPANT_ERASED'
  | 'PARTICIPANT_EXPORTED'
  | 'DELIVERIES_REPLAYED'
  | 'SECRETS_RESEALED'
  | 'EPOCH_BEGUN'
  | 'REFUSED';

export type AuditedChange = {
  action: AuditAction;
  /** What it was done to, by the name of its type and its row id. */
  subject?: { type: string; id: string };
  /** Names of what changed, counts, reasons; never a secret, a message or a customer's data. */
  detail?: string;
};

const MAX_DETAIL_LENGTH = 500;

/** Who runs a command on the server itself. */
export const COMMAND: Actor = { key: 'command', operatorId: null, tokenId: null, address: null };

/** Writes down who did what, in the transaction of the change itself: one is not without the other. */
export async function recordAudit(tx: Transaction, actor: Actor, change: AuditedChange): Promise<void> {
  await insertAuditEntry(tx, {
    id: uuid(),
    at: tx.now,
    operatorId: actor.operatorId,
    apiTokenId: actor.tokenId,
    action: change.action,
    subjectId: change.subject ? `${change.subject.type}:${change.subject.id}` : null,
    detail: change.detail?.slice(0, MAX_DETAIL_LENGTH) ?? null,
    address: actor.address,
  });
}

export type RecordRefusal = (actor: Actor, attempted: string) => Promise<void>;

const REPEAT_MS = 60_000;
const MAX_REMEMBERED = 10_000;

/** Attempts that rights refused. Once a minute for the same actor and attempt, so that a loop cannot fill the log. */
export function createRecordRefusal(db: Database): RecordRefusal {
  const told = new Map<string, number>();
  return async (actor, attempted) => {
    const now = Date.now();
    const key = `${actor.key} ${attempted}`;
    if (now - (told.get(key) ?? -REPEAT_MS) < REPEAT_MS) return;
    if (told.size >= MAX_REMEMBERED) told.clear();
    told.set(key, now);
    await transaction(db, (tx) => recordAudit(tx, actor, { action: 'REFUSED', detail: attempted }));
  };
}
