import type { Database } from '../../db/database.ts';
import { addRemovalJob, deleteMessages } from '../../db/statements/erasure.ts';
import { touchRequests } from '../../db/statements/requests.ts';
import {
  deleteExports,
  deleteOldAuditEntries,
  deleteOldDeliveries,
  deleteOldKeys,
  dropPointers,
  findExpiredExports,
  findExpiredFiles,
  lockOldMessages,
  markFilesExpired,
  type Stripped,
} from '../../db/statements/retention.ts';
import { transaction, type Transaction } from '../../db/transaction.ts';
import type { RequestConnector } from '../connector.ts';
import { tellRequestsChanged } from '../requests/tell.ts';

/** Days that things are kept; 0: for ever. */
export type RetentionDays = { deliveries: number; media: number; messages: number; audit: number };

/** Takes a file away; a missing one is fine. */
export type RemoveFile = (storageKey: string) => Promise<void>;

const DAY_MS = 86_400_000;
/** The contract promises a week. */
const KEY_DAYS = 8;

export type RetentionOptions = {
  db: Database;
  days: RetentionDays;
  connector: RequestConnector;
  removeFile: RemoveFile;
};

/** Deletes what is older than it may be, a few hundred rows per transaction. */
export async function enforceRetention({ db, days, connector, removeFile }: RetentionOptions): Promise<void> {
  await inBatches(db, days.deliveries, deleteOldDeliveries);
  await inBatches(db, days.audit, deleteOldAuditEntries);
  await inBatches(db, KEY_DAYS, deleteOldKeys);
  const mediaBefore = days.media === 0 ? null : daysAgo(days.media);
  await removeFiles(db, removeFile, (tx) => findExpiredFiles(tx, mediaBefore), markFilesExpired);
  await removeFiles(db, removeFile, findExpiredExports, deleteExports);
  await inBatches(db, days.messages, (tx, before) => deleteOldestMessages(tx, before, connector));
}

async function inBatches(
  db: Database,
  days: number,
  work: (tx: Transaction, before: Date) => Promise<boolean>,
): Promise<void> {
  if (days === 0) return;
  const before = daysAgo(days);
  while (await transaction(db, (tx) => work(tx, before)));
}

type StoredFile = { id: string; key: string };

/** First the bytes, then the row: what breaks off in between is found again. */
async function removeFiles(
  db: Database,
  removeFile: RemoveFile,
  find: (tx: Transaction) => Promise<StoredFile[]>,
  settle: (tx: Transaction, ids: string[]) => Promise<void>,
): Promise<void> {
  for (;;) {
    const found = await transaction(db, find);
    if (found.length === 0) return;
    for (const { key } of found) await removeFile(key);
    await transaction(db, (tx) =>
      settle(
        tx,
        found.map(({ id }) => id),
      ),
    );
  }
}

/** Their files go by a job: a message must not outlive its day because a file cannot be reached. */
async function deleteOldestMessages(tx: Transaction, before: Date, connector: RequestConnector): Promise<boolean> {
  const old = await lockOldMessages(tx, firstIdOf(before));
  if (old.length === 0) return false;
  const { storageKeys, requestIds } = await deleteMessages(tx, { messageIds: old.map(({ id }) => id) });
  if (storageKeys.length > 0) await addRemovalJob(tx, storageKeys);
  const conversationIds = [...new Set(old.map(({ conversationId }) => conversationId))];
  for (const stripped of await dropPointers(tx, conversationIds)) announce(tx, stripped);
  const requests = await touchRequests(tx, requestIds);
  const change = { fields: ['linkedMessages', 'attachments'] };
  await tellRequestsChanged(tx, requests, { operatorId: null }, change, connector);
  return true;
}

function announce(tx: Transaction, { id: conversationId, businessNumberId, lostBeacon }: Stripped): void {
  const common = { conversationId, businessNumberId, occurredAt: tx.now };
  if (lostBeacon)
    tx.append({ ...common, type: 'BEACON_CHANGED', data: { on: false, reason: 'TRIGGER_WITHDRAWN', since: null } });
  tx.append({ ...common, type: 'CONVERSATION_CHANGED', data: { changedFields: ['messages'] } });
}

function daysAgo(days: number): Date {
  return new Date(Date.now() - days * DAY_MS);
}

/** The smallest version 7 id of an instant. */
function firstIdOf(instant: Date): string {
  const hex = instant.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
