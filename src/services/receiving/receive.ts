import { insertConversations, lockInvolvedConversations } from '../../db/statements/conversations.ts';
import { saveDeliveries, type NewDelivery } from '../../db/statements/deliveries.ts';
import { findMessages } from '../../db/statements/messages.ts';
import { parkItems, takeParkedItems } from '../../db/statements/parked-items.ts';
import { insertStatusEntries } from '../../db/statements/status-entries.ts';
import type { Transaction } from '../../db/transaction.ts';
import type { Identity, Item } from './items.ts';
import { Changes, type Rules } from '../changes.ts';
import { applyItem } from './apply.ts';
import { Batch } from './batch.ts';
import { introduce } from './introductions.ts';
import { mergeParticipants } from './merging.ts';
import { People } from './people.ts';
import { lostRace } from './race.ts';
import type { Delivery, Numbers, ReceivedItem } from './delivery.ts';
import { messageIdOf } from './our-id.ts';

/**
 * Stores deliveries and applies their items, all in the given transaction and in a fixed number of statements.
 * What it throws has changed nothing: the caller tries smaller pieces.
 */
export async function receiveDeliveries(
  tx: Transaction,
  deliveries: Delivery[],
  numbers: Numbers,
  rules: Rules,
): Promise<void> {
  const items = deliveries.flatMap((delivery) =>
    delivery.items.map((item) => ({ item, receivedAt: delivery.receivedAt })),
  );
  const usable = items.filter(({ item }) => isOurs(item, numbers));
  if (usable.length > 0) await receiveItems(tx, usable, numbers, rules);
  await saveDeliveries(
    tx,
    deliveries.map((delivery) => outcome(delivery, numbers)),
  );
}

export async function receiveItems(
  tx: Transaction,
  items: ReceivedItem[],
  numbers: Numbers,
  rules: Rules,
): Promise<void> {
  const batch = await load(tx, items, numbers, rules);
  for (const { item, receivedAt } of items) applyItem(batch, item, receivedAt);
  await applyParked(tx, batch);
  for (const conversation of await batch.people.saveChanged(tx)) batch.tellParticipantChanged(conversation);
  if (!(await batch.changes.saveMessages(tx))) throw lostRace('message');
  await insertStatusEntries(tx, batch.statusEntries);
  await batch.saveExtras(tx);
  await parkItems(tx, batch.parked);
  await batch.changes.finish(tx);
}

async function load(tx: Transaction, items: ReceivedItem[], numbers: Numbers, rules: Rules): Promise<Batch> {
  const named = new NamedThings(items.map(({ item }) => item));
  const people = await meetPeople(
    tx,
    named,
    items.map(({ item }) => item),
    rules,
  );
  const batch = new Batch(new Changes(tx.now, rules), people, numbers);
  const pairs = batch.pairsOf(items.map(({ item }) => item));
  await people.saveNew(tx);
  const involved = { pairs, providerIds: named.providerIds, messageIds: named.ourIds };
  const locked = await lockInvolvedConversations(tx, involved);
  batch.hold(locked, await findMessages(tx, named.providerIds, named.ourIds));
  await addMissingConversations(tx, batch, items);
  return batch;
}

async function meetPeople(tx: Transaction, named: NamedThings, items: Item[], rules: Rules): Promise<People> {
  const people = await People.load(tx, named.identities, named.groupIds);
  const known = new Set((await findMessages(tx, named.noticeIds, [])).map((notice) => notice.providerId));
  for (const merge of introduce(people, items, (providerId) => known.has(providerId))) {
    await mergeParticipants(tx, people, merge, rules);
  }
  return people;
}

async function addMissingConversations(tx: Transaction, batch: Batch, items: ReceivedItem[]): Promise<void> {
  const missing = batch.missingConversations(items);
  if (missing.length === 0) return;
  const inserted = await insertConversations(tx, missing);
  if (inserted.length < missing.length) throw lostRace('conversation');
  batch.hold(missing, []);
}

/** Statuses, edits, revokes and reactions that came before their message. */
async function applyParked(tx: Transaction, batch: Batch): Promise<void> {
  const waiting = await takeParkedItems<Item>(tx, batch.newProviderIds(), []);
  for (const { item, receivedAt } of waiting) applyItem(batch, revived(item), receivedAt);
}

/** JSON has no dates. */
export function revived(item: Item): Item {
  return 'at' in item && item.at !== null ? { ...item, at: new Date(item.at) } : item;
}

/** Items of numbers that are not configured are kept in the delivery and applied to nothing. */
function isOurs(item: Item, numbers: Numbers): boolean {
  if (item.type === 'unknown') return false;
  return !('phoneNumberId' in item) || numbers.has(item.phoneNumberId);
}

function outcome(delivery: Delivery, numbers: Numbers): NewDelivery {
  const { id, receivedAt, body, items, attempts } = delivery;
  const state = items.some((item) => isOurs(item, numbers)) ? 'PROCESSED' : 'IGNORED';
  return { id, receivedAt, body, state, attempts, itemCount: items.length, error: null, failures: null };
}

/** Everything that must be looked up before the items can be applied. */
class NamedThings {
  readonly identities: Identity[] = [];
  readonly groupIds: string[] = [];
  readonly providerIds: string[] = [];
  readonly ourIds: string[] = [];
  readonly noticeIds: string[] = [];

  constructor(items: Item[]) {
    for (const item of items) this.collect(item);
  }

  private collect(item: Item): void {
    if ('participant' in item) this.identities.push(item.participant);
    if (item.type === 'identity-change') {
      this.identities.push(item.previous, item.next);
      this.noticeIds.push(item.providerId);
    }
    if ('providerId' in item) this.providerIds.push(item.providerId);
    if ('targetProviderId' in item) this.providerIds.push(item.targetProviderId);
    if (item.type === 'message' && item.quotedProviderId) this.providerIds.push(item.quotedProviderId);
    if (item.type === 'message' && item.groupId) this.groupIds.push(item.groupId);
    const ourId = item.type === 'status' ? messageIdOf(item.opaqueId) : null;
    if (ourId) this.ourIds.push(ourId);
  }
}
