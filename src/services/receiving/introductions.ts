import type { LoadedParticipant } from '../../db/rows.ts';
import type { Identity, IdentityChangeItem, Item } from './items.ts';
import type { People } from './people.ts';

/** Two participants that turned out to be one person. */
export type Merge = { kept: LoadedParticipant; gone: LoadedParticipant };

/**
 * Who is who, before anything is applied: ids that one element names together belong to one person, and so do the old
 * and the new ones of a notice. `items` holds no repeats: since they were told first, a number may have become somebody
 * else's. Gives back those who have rows of their own and must become one.
 */
export function introduce(people: People, items: Item[]): Merge[] {
  const merges: Merge[] = [];
  for (const item of items) {
    if (item.type === 'identity-change') collect(merges, people, successor(people, item));
  }
  for (const identity of items.flatMap(fullIdentity)) collect(merges, people, sameBearer(people, identity));
  return merges;
}

/**
 * Notices of people who are not known yet: what was written with the old ids before may follow, in this batch or in a
 * later one, and belongs to the bearer of the new ones.
 */
export function expectFormerIds(people: People, notice: IdentityChangeItem, at: Date): void {
  if (!people.find(notice.previous)) people.giveUp(notice.previous, people.resolve(notice.next), at);
}

/** Told late: whoever wrote it had those ids then and has others now. Everything else stays as it is. */
export function inItsTime(people: People, item: Item): Item {
  if (!('participant' in item) || (item.type === 'message' && item.groupId)) return item;
  return { ...item, participant: presentIds(people, item.participant, item.at) };
}

/** Told late: who changed to these ids has changed to others since. */
export function upToDate(people: People, notice: IdentityChangeItem): IdentityChangeItem {
  return { ...notice, next: presentIds(people, notice.next, notice.at) };
}

function presentIds(people: People, identity: Identity, at: Date | null): Identity {
  const bearer = at && people.formerBearer(identity, at);
  return bearer ? { waId: bearer.waId, userId: bearer.userId, profileName: null } : identity;
}

function collect(merges: Merge[], people: People, merge: Merge | null): void {
  if (!merge) return;
  merges.push(merge);
  people.lead(merge.gone, merge.kept);
}

/** Only what brings a message or a call makes people; the rest refers to what is there. */
function fullIdentity(item: Item): Identity[] {
  if (item.type !== 'message' && item.type !== 'call' && item.type !== 'preference') return [];
  if (item.type === 'message' && item.groupId) return [];
  return item.participant.waId && item.participant.userId ? [item.participant] : [];
}

/** A number and a user id in one element: whoever is known by the user id alone is the bearer of the number. */
function sameBearer(people: People, identity: Identity): Merge | null {
  const byNumber = people.findByNumber(identity);
  const byUserId = people.findByUserId(identity);
  if (!byNumber || !byUserId) {
    people.lead(identity, byNumber ?? byUserId ?? people.resolve(identity));
    return null;
  }
  if (byNumber === byUserId || byUserId.waId !== null) return null;
  return oldestFirst(byNumber, byUserId);
}

/** The bearer of the old ids has the new ones now; whoever wrote with the new ones already is the same person. */
function successor(people: People, { previous, next }: { previous: Identity; next: Identity }): Merge | null {
  const before = people.find(previous);
  const after = people.find(next);
  if (!before) return null;
  if (!after || before === after) {
    people.lead(next, before);
    return null;
  }
  const isSomebodyElse = next.userId !== null && after.userId !== null && next.userId !== after.userId;
  return isSomebodyElse ? null : { kept: before, gone: after };
}

function oldestFirst(one: LoadedParticipant, other: LoadedParticipant): Merge {
  return one.id < other.id ? { kept: one, gone: other } : { kept: other, gone: one };
}
