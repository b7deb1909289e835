import {
  insertConversations,
  lockInvolvedConversations,
  lockNamedConversations,
} from '../../db/statements/conversations.ts';
import { saveDeliveries, type NewDelivery } from '../../db/statements/deliveries.ts';
import { findMessages } from '../../db/statements/messages.ts';
import { findAwaited, parkItems, takeParkedItems } from '../../db/statements/parked-items.ts';
import { insertStatusEntries } from '../../db/statements/status-entries.ts';
import type { Transaction } from '../../db/transaction.ts';
import type { ConversationRow, MessageRow } from '../../db/rows.ts';
import type { Item } from './items.ts';
import { Changes, type Rules } from '../changes.ts';
import { applyItem } from './apply.ts';
import { Batch, pairKey, timeOf, type Pair } from './batch.ts';
import { expectFormerIds, inItsTime, introduce, upToDate } from './introductions.ts';
import { mergeParticipants } from './merging.ts';
import { participantKeys, People } from './people.ts';
import { lostRace } from './race.ts';
import type { Delivery, Numbers, ReceivedItem } from './delivery.ts';
import { NamedThings } from './named-things.ts';

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
  saveDeliveries(
    tx,
    deliveries.map((delivery) => outcome(delivery, numbers)),
  );
}

/** Meta's ids that are stored; true for those of ghosts. */
type KnownIds = ReadonlyMap<string, boolean>;

/** Meta's ids of messages, and ours. */
type MessageIds = { providerIds: string[]; ourIds: string[] };

/** Stored rows, read after their conversations were locked. */
type Held = { conversations: ConversationRow[]; messages: MessageRow[] };

/** In two round trips: what the items name, which is nearly always all that they change, and what became of it. */
export async function receiveItems(
  tx: Transaction,
  items: ReceivedItem[],
  numbers: Numbers,
  rules: Rules,
): Promise<void> {
  const named = new NamedThings(items.map(({ item }) => item));
  const keys = participantKeys(named.identities, named.groupIds);
  const [conversations, messages, awaited, people] = await Promise.all([
    lockNamedConversations(tx, keys, named),
    findMessages(tx, named.providerIds, named.ourIds),
    findAwaited(tx, named.providerIds),
    People.load(tx, keys),
  ]);
  const known = knownIds(messages);
  const told = inTheirTime(people, items, known);
  const news = told.filter(({ item }) => !isRepeat(item, known));
  const telling = told.filter(({ item }) => !isRepeat(item, known) || isRevealing(item, known, people));
  const merges = introduce(people, itemsOf(telling));
  for (const merge of merges) await mergeParticipants(tx, people, merge, rules);
  const batch = new Batch(new Changes(tx.now, rules), people, numbers, awaited);
  const held = merges.length > 0 ? null : { conversations, messages };
  await load(tx, batch, news, held, { providerIds: [...known.keys()], ourIds: named.ourIds });
  for (const { item, receivedAt } of told) applyItem(batch, item, receivedAt);
  await applyParked(tx, batch);
  await save(tx, batch);
}

/** Each item of whoever it was when it happened. */
function inTheirTime(people: People, items: ReceivedItem[], known: KnownIds): ReceivedItem[] {
  const noticed = items.map((entry) => {
    if (entry.item.type !== 'identity-change' || isRepeat(entry.item, known)) return entry;
    const item = upToDate(people, entry.item);
    expectFormerIds(people, item, timeOf(item.at, entry.receivedAt));
    return { ...entry, item };
  });
  return noticed.map((entry) => ({ ...entry, item: inItsTime(people, entry.item) }));
}

/** Conversations are locked, or made, before anything is read that may change. */
async function load(
  tx: Transaction,
  batch: Batch,
  news: ReceivedItem[],
  held: Held | null,
  ids: MessageIds,
): Promise<void> {
  const pairs = batch.pairsOf(itemsOf(news));
  await batch.people.saveNew(tx);
  const { conversations, messages } = held && isAll(held, pairs, batch.people) ? held : await lock(tx, pairs, ids);
  batch.hold(conversations, messages);
  await addMissingConversations(tx, batch, news);
}

/** Who is new has no conversation yet. What is missing else is of somebody with other ids by now, or came meanwhile. */
function isAll({ conversations, messages }: Held, pairs: Pair[], people: People): boolean {
  const ids = new Set(conversations.map(({ id }) => id));
  const locked = new Set(conversations.map(pairKey));
  return (
    messages.every(({ conversationId }) => ids.has(conversationId)) &&
    pairs.every((pair) => locked.has(pairKey(pair)) || people.isNew(pair.participantId))
  );
}

async function lock(tx: Transaction, pairs: Pair[], { providerIds, ourIds }: MessageIds): Promise<Held> {
  const [conversations, messages] = await Promise.all([
    lockInvolvedConversations(tx, { pairs, providerIds, messageIds: ourIds }),
    findMessages(tx, providerIds, ourIds),
  ]);
  return { conversations, messages };
}

async function save(tx: Transaction, batch: Batch): Promise<void> {
  for (const conversation of await batch.people.saveChanged(tx)) batch.tellParticipantChanged(conversation);
  batch.changes.saveMessages(tx);
  insertStatusEntries(tx, batch.statusEntries);
  await batch.saveExtras(tx);
  parkItems(tx, batch.parked);
  await batch.changes.finish(tx);
}

function knownIds(messages: MessageRow[]): KnownIds {
  return new Map(messages.flatMap(({ providerId, placeholder }) => (providerId ? [[providerId, placeholder]] : [])));
}

function itemsOf(received: ReceivedItem[]): Item[] {
  return received.map(({ item }) => item);
}

/** What is told again makes nobody: since then the number may have become somebody else's. */
function isRepeat(item: Item, known: KnownIds): boolean {
  return (item.type === 'message' || item.type === 'identity-change') && known.has(item.providerId);
}

/** The real message of a ghost may tell more of its sender, but makes nobody. */
function isRevealing(item: Item, known: KnownIds, people: People): boolean {
  if (item.type !== 'message' || item.placeholder || item.imported) return false;
  return known.get(item.providerId) === true && people.find(item.participant) !== undefined;
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
  const waiting = await takeParkedItems<Item>(tx, batch.awaitedIds(), []);
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

/** While the module is off, deliveries are only kept; they are applied once it is on again. */
export async function keepDeliveries(tx: Transaction, deliveries: Delivery[]): Promise<void> {
  saveDeliveries(
    tx,
    deliveries.map((delivery) => (delivery.rejected ? rejection(delivery, delivery.rejected) : kept(delivery))),
  );
}

function kept({ id, receivedAt, body, items, attempts }: Delivery): NewDelivery {
  return { id, receivedAt, body, state: 'RECEIVED', attempts, itemCount: items.length, error: null, failures: null };
}

function rejection({ id, receivedAt, body, attempts }: Delivery, error: string): NewDelivery {
  return { id, receivedAt, body, state: 'REJECTED', attempts, itemCount: 0, error, failures: null };
}

function outcome(delivery: Delivery, numbers: Numbers): NewDelivery {
  if (delivery.rejected) return rejection(delivery, delivery.rejected);
  const { id, receivedAt, body, items, attempts } = delivery;
  const state = items.some((item) => isOurs(item, numbers)) ? 'PROCESSED' : 'IGNORED';
  const error = leftOut(items, numbers);
  return { id, receivedAt, body, state, attempts, itemCount: items.length, error, failures: null };
}

/** What was kept and not applied, for whoever looks why something is missing. */
function leftOut(items: Item[], numbers: Numbers): string | null {
  const strange = items.filter((item) => 'phoneNumberId' in item && !isOurs(item, numbers)).length;
  const unknown = items.filter((item) => item.type === 'unknown');
  const sentences = [
    strange > 0 ? `${strange} of ${items.length} items are of no number that is configured` : [],
    unknown[0] ? `${unknown.length} of ${items.length} items were not understood: ${unknown[0].why}` : [],
  ];
  return sentences.flat().join('; ') || null;
}
