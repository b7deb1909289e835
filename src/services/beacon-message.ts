import type { TailRow } from '../db/statements/beacon-tail.ts';
import type { BeaconMessage } from './beacon.ts';

const REPLY_ORIGINS = new Set(['OPERATOR', 'PHONE_APP_ECHO']);

/** Which messages ask and which answer: notices, automation and imported history do neither. */
export function beaconMessage(row: TailRow, rules: { templateClearsBeacon: boolean }): BeaconMessage {
  const { id, sequence, sentAt } = row;
  const waived = row.waivedAt !== null;
  if (row.direction === 'INCOMING') return { id, sequence, sentAt, by: 'customer', live: asksForReply(row), waived };
  return { id, sequence, sentAt, by: 'us', live: isLiveReply(row, rules), waived: false };
}

export function asksForReply(row: Pick<TailRow, 'origin' | 'kind' | 'imported' | 'withdrawnAt'>): boolean {
  return row.origin === 'CUSTOMER' && row.kind !== 'SYSTEM' && !row.imported && row.withdrawnAt === null;
}

function isLiveReply(row: TailRow, rules: { templateClearsBeacon: boolean }): boolean {
  if (row.imported || row.status === 'FAILED' || row.discardedAt !== null || row.withdrawnAt !== null) return false;
  return REPLY_ORIGINS.has(row.origin) && (row.kind !== 'TEMPLATE' || rules.templateClearsBeacon);
}
