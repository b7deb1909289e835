import { v7 as uuid } from 'uuid';
import type { ParticipantRow } from '../../db/rows.ts';
import {
  findParticipants,
  insertParticipants,
  refreshParticipantSearch,
  updateParticipants,
} from '../../db/statements/participants.ts';
import type { Transaction } from '../../db/transaction.ts';
import type { Identity } from './items.ts';
import { comparisonKey, phoneNumberOfWaId } from '../phone-numbers.ts';
import { foldText } from '../preview.ts';
import { lostRace } from './race.ts';

/** The customers that a batch names, found or made. Names and ids that Meta tells anew replace the old ones. */
export class People {
  private readonly byKey = new Map<string, ParticipantRow>();
  private readonly byUserId = new Map<string, ParticipantRow>();
  private readonly byGroupId = new Map<string, ParticipantRow>();
  private readonly added = new Set<ParticipantRow>();
  private readonly changed = new Set<ParticipantRow>();

  static async load(tx: Transaction, identities: Identity[], groupIds: string[]): Promise<People> {
    const people = new People();
    const comparisonKeys = identities.flatMap(({ waId }) => (waId ? [comparisonKey(waId)] : []));
    const userIds = identities.flatMap(({ userId }) => (userId ? [userId] : []));
    if (comparisonKeys.length + userIds.length + groupIds.length === 0) return people;
    for (const row of await findParticipants(tx, { comparisonKeys, userIds, groupIds })) people.index(row);
    return people;
  }

  /** The participant of an identity, made where nobody has either id. */
  resolve(identity: Identity): ParticipantRow {
    const known = this.find(identity);
    if (!known) return this.add(newParticipant(identity));
    this.learn(known, identity);
    return known;
  }

  find({ waId, userId }: Identity): ParticipantRow | undefined {
    return (waId ? this.byKey.get(comparisonKey(waId)) : undefined) ?? (userId ? this.byUserId.get(userId) : undefined);
  }

  /** A group is a participant of its own, so that it never mixes with what a member writes alone. */
  resolveGroup(groupId: string): ParticipantRow {
    return (
      this.byGroupId.get(groupId) ??
      this.add({ ...newParticipant({ waId: null, userId: null, profileName: null }), groupId })
    );
  }

  /** The customer has another number or user id from now on; their conversations stay theirs. */
  move(participant: ParticipantRow, next: Identity): void {
    if (next.waId && next.waId !== participant.waId) this.renumber(participant, next.waId);
    if (next.userId) participant.userId = next.userId;
    this.index(participant);
    this.changed.add(participant);
  }

  setMarketing(participant: ParticipantRow, stoppedAt: Date | null): void {
    if (participant.marketingStoppedAt?.getTime() === stoppedAt?.getTime()) return;
    participant.marketingStoppedAt = stoppedAt;
    this.changed.add(participant);
  }

  /** New rows go in before the conversations that need them. */
  async saveNew(tx: Transaction): Promise<void> {
    const inserted = await insertParticipants(tx, [...this.added]);
    if (inserted.length < this.added.size) throw lostRace('participant');
  }

  /** Gives back the conversations whose row shows another name or number now. */
  async saveChanged(tx: Transaction): Promise<{ id: string; businessNumberId: string }[]> {
    const rows = [...this.changed].filter((row) => !this.added.has(row)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    if (rows.length === 0) return [];
    await updateParticipants(tx, rows);
    return refreshParticipantSearch(
      tx,
      rows.map((row) => ({ id: row.id, search: participantSearch(row) })),
    );
  }

  private add(row: ParticipantRow): ParticipantRow {
    this.added.add(row);
    this.index(row);
    return row;
  }

  private index(row: ParticipantRow): void {
    if (row.comparisonKey) this.byKey.set(row.comparisonKey, row);
    if (row.userId) this.byUserId.set(row.userId, row);
    if (row.groupId) this.byGroupId.set(row.groupId, row);
  }

  private learn(row: ParticipantRow, { waId, userId, profileName }: Identity): void {
    if (waId && !row.waId) this.move(row, { waId, userId: null, profileName: null });
    if (userId && row.userId !== userId && !this.byUserId.has(userId))
      this.move(row, { waId: null, userId, profileName: null });
    if (!profileName || profileName === row.profileName) return;
    row.profileName = profileName;
    this.changed.add(row);
  }

  private renumber(row: ParticipantRow, waId: string): void {
    if (row.phoneNumber) row.previousPhoneNumbers = [...new Set([...row.previousPhoneNumbers, row.phoneNumber])];
    Object.assign(row, { waId, comparisonKey: comparisonKey(waId), phoneNumber: phoneNumberOfWaId(waId) });
  }
}

function newParticipant({ waId, userId, profileName }: Identity): ParticipantRow {
  return {
    id: uuid(),
    waId,
    userId,
    groupId: null,
    phoneNumber: waId ? phoneNumberOfWaId(waId) : null,
    comparisonKey: waId ? comparisonKey(waId) : null,
    profileName,
    previousPhoneNumbers: [],
    marketingStoppedAt: null,
  };
}

/** What a search for a customer looks at: folded name, then the digits of the number. */
export function participantSearch(
  row: Pick<ParticipantRow, 'profileName' | 'phoneNumber' | 'waId' | 'userId'>,
): string {
  const name = row.profileName ?? (row.phoneNumber || row.waId ? '' : (row.userId ?? ''));
  return `${foldText(name)} ${(row.phoneNumber ?? row.waId ?? '').replace('+', '')}`.trim();
}
