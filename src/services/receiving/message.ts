import { newId } from '../../db/new-id.ts';
import type { ConversationRow, MessageRow, NewMessage } from '../../db/rows.ts';
import type { IdentityChangeItem, MessageItem } from './items.ts';
import type { DescribedContent } from '../../db/content.ts';
import { askedAgain, beaconOff } from '../beacon.ts';
import { beaconState, messagingWindow, type Changes } from '../changes.ts';
import { noteLastMessages, refreshLastMessage, secondOf } from '../last-messages.ts';
import { blankMessage, textOf } from '../new-message.ts';
import { extendWindow } from '../window.ts';
import { announceMedia } from './attachments.ts';
import { timeOf, type Batch } from './batch.ts';
import type { People } from './people.ts';

export function applyMessage(batch: Batch, item: MessageItem, receivedAt: Date): void {
  const known = batch.message(item.providerId);
  if (known) return replacePlaceholder(batch, known, item, receivedAt);
  const conversation = batch.conversationOf(item);
  learnParticipant(batch.people, conversation, item, receivedAt);
  const message = storeMessage(batch, conversation, describe(item, receivedAt, batch, conversation.id));
  if (item.media) announceMedia(batch, message, item.media, receivedAt);
  noteArrival(batch.changes, conversation, message, item);
}

/** Names and ids. A ghost's conversation may be somebody else's than the real message says. */
function learnParticipant(people: People, conversation: ConversationRow, item: MessageItem, receivedAt: Date): void {
  if (item.groupId || item.imported) return;
  const participant = people.find(item.participant);
  if (participant?.id !== conversation.participantId) return;
  people.learn(participant, item.participant, timeOf(item.at, receivedAt));
}

export function applyIdentityChange(batch: Batch, item: IdentityChangeItem, receivedAt: Date): void {
  if (batch.message(item.providerId)) return;
  const conversation = batch.conversationOf(item);
  moveIds(batch, item, timeOf(item.at, receivedAt));
  const notice: DescribedContent = { kind: 'SYSTEM', content: item.content, media: null };
  const message = { ...blankMessage(), ...textOf(notice), providerId: item.providerId, origin: 'SYSTEM' as const };
  storeMessage(batch, conversation, { ...message, ...times(item.at, receivedAt) });
}

/** Whoever else bears the new ids by now keeps them. */
function moveIds({ people }: Batch, { previous, next }: IdentityChangeItem, at: Date): void {
  const participant = people.find(previous) ?? people.find(next);
  const bearer = people.find(next);
  if (!participant || (bearer && bearer !== participant)) return;
  people.move(participant, next);
  people.giveUp(previous, participant, at);
}

type Described = Omit<NewMessage, 'id' | 'conversationId' | 'sequence'>;

/** Gives the message its place, tells of it, and keeps the row's copy of the last message. */
function storeMessage(batch: Batch, conversation: ConversationRow, described: Described): NewMessage {
  batch.changes.touch(conversation).lastSequence += 1;
  const message = { ...described, id: newId(), conversationId: conversation.id, sequence: conversation.lastSequence };
  batch.add(message);
  if (message.sentAt < conversation.createdAt) conversation.createdAt = message.sentAt;
  noteLastMessages(conversation, message);
  batch.changes.tell(conversation, { type: 'MESSAGE_ADDED', messageId: message.id, occurredAt: message.sentAt });
  return message;
}

/** Beacon, unread and window, which history and notices leave alone. */
function noteArrival(changes: Changes, conversation: ConversationRow, message: MessageRow, item: MessageItem): void {
  if (item.imported || item.kind === 'SYSTEM') return;
  if (item.from === 'phone-app') return noteEcho(changes, conversation);
  changes.setUnread(conversation, conversation.unreadCount + 1);
  if (!item.groupId)
    changes.setWindow(conversation, extendWindow(messagingWindow(conversation), message.sentAt, 'CUSTOMER_MESSAGE'));
  if (changes.rules.beaconOrder === 'provider_time') return changes.recheckBeacon(conversation, 'CUSTOMER_MESSAGE');
  changes.setBeacon(conversation, askedAgain(beaconState(conversation), message), 'CUSTOMER_MESSAGE');
}

/** Whoever answers from the phone has read what was there. */
function noteEcho(changes: Changes, conversation: ConversationRow): void {
  changes.setUnread(conversation, 0);
  conversation.readUpToSequence = conversation.lastSequence;
  conversation.readUpToId = conversation.lastIncomingMessageId;
  if (changes.rules.beaconOrder === 'provider_time') return changes.recheckBeacon(conversation, 'OPERATOR_REPLIED');
  changes.setBeacon(conversation, beaconOff, 'OPERATOR_REPLIED');
}

/** The real message of a ghost takes its place; anything else under a known id is a repeat. An edit came later. */
function replacePlaceholder(batch: Batch, known: MessageRow, item: MessageItem, receivedAt: Date): void {
  if (!known.placeholder || item.placeholder) return;
  const isEdited = known.editedAt !== null;
  Object.assign(known, isEdited ? {} : textOf(item), surroundings(item, batch, known.conversationId), {
    placeholder: false,
  });
  batch.changes.change(known);
  if (item.media && !isEdited) announceMedia(batch, known, item.media, receivedAt);
  const conversation = batch.changes.touch(batch.changes.conversation(known.conversationId));
  learnParticipant(batch.people, conversation, item, receivedAt);
  refreshLastMessage(conversation, known);
  batch.changes.tell(conversation, { type: 'MESSAGE_UPDATED', messageId: known.id, occurredAt: known.sentAt });
}

function describe(item: MessageItem, receivedAt: Date, batch: Batch, conversationId: string): Described {
  const isOurs = item.from === 'phone-app';
  return {
    ...blankMessage(),
    ...textOf(item),
    ...times(item.at, receivedAt),
    providerId: item.providerId,
    direction: isOurs ? 'OUTGOING' : 'INCOMING',
    origin: isOurs ? 'PHONE_APP_ECHO' : originOf(item),
    status: isOurs ? (item.importedStatus ?? 'SENT') : null,
    imported: item.imported,
    placeholder: item.placeholder,
    ...surroundings(item, batch, conversationId),
    senderName: item.groupId ? item.participant.profileName : null,
  };
}

/** What WhatsApp itself says stands among what the customer wrote. */
function originOf({ kind }: MessageItem): 'SYSTEM' | 'CUSTOMER' {
  return kind === 'SYSTEM' ? 'SYSTEM' : 'CUSTOMER';
}

type Surroundings = 'cleaned' | 'forwarded' | 'referral' | 'quotedProviderId' | 'quotedId';
type Reason = 'failureCode' | 'failureTitle' | 'failureDetail';

/** What comes with a message beside what it says. */
function surroundings(
  item: MessageItem,
  batch: Batch,
  conversationId: string,
): Pick<MessageRow, Surroundings | Reason> {
  const quoted = item.quotedProviderId ? batch.message(item.quotedProviderId) : undefined;
  return {
    cleaned: item.cleaned,
    forwarded: item.forwarded,
    referral: item.referral,
    quotedProviderId: item.quotedProviderId,
    quotedId: quoted?.conversationId === conversationId ? quoted.id : null,
    failureCode: item.problem?.code ?? null,
    failureTitle: item.problem?.title ?? null,
    failureDetail: item.problem?.detail ?? null,
  };
}

function times(at: Date | null, receivedAt: Date): Pick<NewMessage, 'sentAt' | 'sentSecond' | 'receivedAt'> {
  const sentAt = timeOf(at, receivedAt);
  return { sentAt, sentSecond: secondOf(sentAt), receivedAt };
}
