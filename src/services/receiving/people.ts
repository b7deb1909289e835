import { newId } from '../../db/new-id.ts';
import type { LoadedParticipant, ParticipantRow } from '../../db/rows.ts';
import { findFormerBearers, saveFormerIds, type NewFormerId } from '../../db/statements/former-ids.ts';
import {
  findParticipants,
  insertParticipants,
  refreshParticipantSearch,
  updateParticipants,
  type ParticipantKeys,
} from '../../db/statements/participants.ts';
import type { Transaction } from '../../db/transaction.ts';
import type { Identity } from './items.ts';
import { comparisonKey, phoneNumberOfWaId } from '../phone-numbers.ts';
import { joinParticipantSearch } from '../search-text.ts';
import { lostRace } from './race.ts';

/** The customers that a batch names, found or made. */
export class People {
  private readonly byKey = new Map<string, LoadedParticipant>();
  private readonly byUserId = new Map<string, LoadedParticipant>();
  private readonly byGroupId = new Map<string, LoadedParticipant>();
  /** By id. */
  private readonly added = new Map<string, LoadedParticipant>();
  private readonly changed = new Set<LoadedParticipant>();
  private readonly former = new Map<string, { participant: LoadedParticipant; until: Date }[]>();
  private readonly givenUp: NewFormerId[] = [];

  static async load(tx: Transaction, keys: ParticipantKeys): Promise<People> {
    const people = new People();
    const [rows, bearers] = await Promise.all([
      findParticipants(tx, keys),
      findFormerBearers(tx, [...keys.comparisonKeys, ...keys.userIds]),
    ]);
    for (const row of rows) people.index(row);
    for (const { formerId, participant, until } of bearers) people.noteFormer([formerId], participant, until);
    return people;
  }

  /** The participant of an identity, made where nobody has either id. */
  resolve(identity: Identity): LoadedParticipant {
    return this.find(identity) ?? this.add(newParticipant(identity));
  }

  find(identity: Identity): LoadedParticipant | undefined {
    return this.findByNumber(identity) ?? this.findByUserId(identity);
  }

  findByNumber({ waId }: Identity): LoadedParticipant | undefined {
    return waId ? this.byKey.get(comparisonKey(waId)) : undefined;
  }

  findByUserId({ userId }: Identity): LoadedParticipant | undefined {
    return userId ? this.byUserId.get(userId) : undefined;
  }

  /** Who had these ids at that time, where it was somebody who has others now. A user id is nobody else's, ever. */
  formerBearer({ waId, userId }: Identity, at: Date): LoadedParticipant | undefined {
    const [byUserId] = userId ? (this.former.get(userId) ?? []) : [];
    if (byUserId) return byUserId.participant;
    return waId ? this.former.get(comparisonKey(waId))?.find(({ until }) => at < until)?.participant : undefined;
  }

  /** From `at` on these ids are not the participant's any more. */
  giveUp(previous: Identity, participant: LoadedParticipant, at: Date): void {
    const ids = keysOf(previous).filter((id) => id !== participant.comparisonKey && id !== participant.userId);
    for (const id of ids) this.givenUp.push({ id, participantId: participant.id, until: at });
    this.noteFormer(ids, participant, at);
  }

  private noteFormer(ids: string[], participant: LoadedParticipant, until: Date): void {
    // One row, one object, whichever way it was found.
    const known = this.find(participant) ?? participant;
    this.index(known);
    for (const id of ids) this.former.set(id, [...(this.former.get(id) ?? []), { participant: known, until }]);
  }

  isNew(participantId: string): boolean {
    return this.added.has(participantId);
  }

  /** From now on these ids, too, lead to the participant, for as long as the batch lasts. */
  lead({ waId, userId }: Identity, participant: LoadedParticipant): void {
    if (waId) this.byKey.set(comparisonKey(waId), participant);
    if (userId) this.byUserId.set(userId, participant);
  }

  /** A group is a participant of its own, so that it never mixes with what a member writes alone. */
  resolveGroup(groupId: string): LoadedParticipant {
    return (
      this.byGroupId.get(groupId) ??
      this.add({ ...newParticipant({ waId: null, userId: null, profileName: null }), groupId })
    );
  }

  /** What a new message tells about its sender: names and ids that nobody else has replace the old ones. */
  learn(participant: LoadedParticipant, identity: Identity, at: Date): void {
    const { waId, userId, profileName } = identity;
    const previous = { ...participant };
    if (waId && comparisonKey(waId) !== participant.comparisonKey && isFree(this.findByNumber(identity), participant))
      this.move(participant, { waId, userId: null, profileName: null });
    if (userId && userId !== participant.userId && isFree(this.findByUserId(identity), participant))
      this.move(participant, { waId: null, userId, profileName: null });
    this.giveUp(previous, participant, at);
    if (!profileName || profileName === participant.profileName) return;
    participant.profileName = profileName;
    this.changed.add(participant);
  }

  /** The customer has another number or user id from now on; their conversations stay theirs. */
  move(participant: LoadedParticipant, next: Identity): void {
    if (next.waId && next.waId !== participant.waId) renumber(participant, next.waId);
    if (next.userId) participant.userId = next.userId;
    this.index(participant);
    this.changed.add(participant);
  }

  /** The newest word holds, in whatever order they come. */
  setMarketing(participant: LoadedParticipant, wanted: 'stop' | 'resume', at: Date): void {
    if (participant.marketingChangedAt && at <= participant.marketingChangedAt) return;
    participant.marketingChangedAt = at;
    participant.marketingStoppedAt = wanted === 'stop' ? at : null;
    this.changed.add(participant);
  }

  /** Two turned out to be one: what `gone` knew is `kept`'s now. The database has let go of gone's ids already. */
  absorb(kept: LoadedParticipant, gone: LoadedParticipant): void {
    this.added.delete(gone.id);
    this.changed.delete(gone);
    if (gone.waId && !kept.waId) renumber(kept, gone.waId);
    kept.userId ??= gone.userId;
    kept.profileName ??= gone.profileName;
    kept.previousPhoneNumbers = [...new Set([...kept.previousPhoneNumbers, ...gone.previousPhoneNumbers])];
    if ((gone.marketingChangedAt ?? 0) > (kept.marketingChangedAt ?? 0)) {
      kept.marketingStoppedAt = gone.marketingStoppedAt;
      kept.marketingChangedAt = gone.marketingChangedAt;
    }
    for (const given of this.givenUp) if (given.participantId === gone.id) given.participantId = kept.id;
    this.lead(gone, kept);
    this.index(kept);
    this.changed.add(kept);
  }

  /** New rows go in before the conversations that need them. */
  async saveNew(tx: Transaction): Promise<void> {
    const inserted = await insertParticipants(tx, [...this.added.values()].map(withSearchText));
    if (inserted.length < this.added.size) throw lostRace('participant');
    // What a new one learns in this batch is written over the row that this transaction has just made.
    const written = new Map(inserted.map((row) => [row.id, row.rowVersion]));
    for (const row of this.added.values()) row.rowVersion = written.get(row.id) ?? null;
  }

  /** Gives back the conversations whose row shows another name or number now. */
  async saveChanged(tx: Transaction): Promise<{ id: string; businessNumberId: string }[]> {
    saveFormerIds(tx, this.givenUp);
    const rows = [...this.changed].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    if (rows.length === 0) return [];
    if ((await updateParticipants(tx, rows.map(withSearchText))).length < rows.length) throw lostRace('participant');
    return refreshParticipantSearch(
      tx,
      rows.map((row) => ({ id: row.id, search: participantSearch(row) })),
    );
  }

  private add(row: LoadedParticipant): LoadedParticipant {
    this.added.set(row.id, row);
    this.index(row);
    return row;
  }

  private index(row: LoadedParticipant): void {
    if (row.comparisonKey) this.byKey.set(row.comparisonKey, row);
    if (row.userId) this.byUserId.set(row.userId, row);
    if (row.groupId) this.byGroupId.set(row.groupId, row);
  }
}

function isFree(holder: LoadedParticipant | undefined, participant: LoadedParticipant): boolean {
  return holder === undefined || holder === participant;
}

/** By what these customers and groups are found. */
export function participantKeys(identities: Identity[], groupIds: string[] = []): ParticipantKeys {
  return {
    comparisonKeys: identities.flatMap(({ waId }) => (waId ? [comparisonKey(waId)] : [])),
    userIds: identities.flatMap(({ userId }) => userId ?? []),
    groupIds,
  };
}

/** By what a customer is known. */
export function keysOf({ waId, userId }: Identity): string[] {
  return [...(waId ? [comparisonKey(waId)] : []), ...(userId ? [userId] : [])];
}

function renumber(row: ParticipantRow, waId: string): void {
  if (row.phoneNumber) row.previousPhoneNumbers = [...new Set([...row.previousPhoneNumbers, row.phoneNumber])];
  Object.assign(row, { waId, comparisonKey: comparisonKey(waId), phoneNumber: phoneNumberOfWaId(waId) });
}

function newParticipant({ waId, userId, profileName }: Identity): LoadedParticipant {
  return {
    id: newId(),
    waId,
    userId,
    groupId: null,
    phoneNumber: waId ? phoneNumberOfWaId(waId) : null,
    comparisonKey: waId ? comparisonKey(waId) : null,
    profileName,
    previousPhoneNumbers: [],
    marketingStoppedAt: null,
    marketingChangedAt: null,
    rowVersion: null,
  };
}

function withSearchText<Row extends ParticipantRow>(row: Row): Row & { searchText: string } {
  return { ...row, searchText: participantSearch(row) };
}

export function participantSearch(
  row: Pick<ParticipantRow, 'profileName' | 'phoneNumber' | 'waId' | 'userId'>,
): string {
  const name = row.profileName ?? (row.phoneNumber || row.waId ? '' : (row.userId ?? ''));
  return joinParticipantSearch(name, row.phoneNumber ?? row.waId ?? '');
}
