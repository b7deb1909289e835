import type { ConversationRow, MessageRow } from '../db/rows.ts';
import type { MessageStatus } from '../generated/prisma/enums.ts';
import { messagingWindow, type Changes } from './changes.ts';
import { refreshLastMessage } from './last-messages.ts';
import { closeWindow } from './window.ts';

/** The second one is what older versions of the API say. */
const OUTSIDE_WINDOW: ReadonlySet<number | null> = new Set([131047, 470]);

/** Meta's reason, or ours, for a message that did not go out. */
export type Problem = { code: number | null; title: string; detail: string | null };

export type StatusChange = { previous: MessageStatus; at: Date; problem: Problem | null };

/** Meta has the message: by its answer, or by a status that came before or instead of it. */
export function noteAccepted(changes: Changes, message: MessageRow, providerId: string, at: Date): void {
  message.providerId ??= providerId;
  message.outcomeUnknown = false;
  if (message.sendState !== null) message.sendState = 'ACCEPTED';
  changes.change(message);
  if (message.acceptedAt) return;
  message.acceptedAt = at;
  // Automation and the phone app have no operator: whoever replied last stays.
  if (message.sentById) setLastReplier(changes, changes.conversation(message.conversationId), message.sentById, at);
}

function setLastReplier(changes: Changes, conversation: ConversationRow, operatorId: string, at: Date): void {
  if (conversation.lastRepliedById === operatorId) return;
  changes.touch(conversation).lastRepliedById = operatorId;
  const data = { changedFields: ['lastRepliedBy'] };
  changes.tell(conversation, { type: 'CONVERSATION_CHANGED', occurredAt: at, data });
}

/** Writes the status where it shows, tells of it, and lets beacon and window follow. */
export function changeStatus(changes: Changes, message: MessageRow, next: MessageStatus, change: StatusChange): void {
  const conversation = changes.touch(changes.conversation(message.conversationId));
  message.status = next;
  setFailure(message, next === 'FAILED' ? change.problem : null, changes);
  changes.change(message);
  refreshLastMessage(conversation, message);
  changes.tell(conversation, {
    type: 'MESSAGE_STATUS_CHANGED',
    messageId: message.id,
    occurredAt: change.at,
    data: { status: next, previous: change.previous },
    traceParent: message.traceParent,
  });
  if (message.imported) return;
  if (next === 'FAILED') noteFailed(changes, conversation, change);
  if (change.previous === 'FAILED') changes.recheckBeacon(conversation, 'OPERATOR_REPLIED');
  if (OUTSIDE_WINDOW.has(message.failureCode))
    changes.setWindow(conversation, closeWindow(messagingWindow(conversation), earlier(change.at, changes.now)));
}

/** A failure that is told has happened, whatever Meta's clock says. */
function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}

function noteFailed(changes: Changes, conversation: ConversationRow, { problem, at }: StatusChange): void {
  changes.recheckBeacon(conversation, 'REPLY_FAILED');
  const code = problem?.code ?? null;
  const effect = changes.rules.effectOf(code);
  if (effect) changes.noteEffect(effect, conversation.participantId);
  const trouble = changes.rules.troubleOf(code);
  if (trouble) changes.noteTrouble(trouble, code, conversation.businessNumberId, at);
}

function setFailure(message: MessageRow, problem: Problem | null, changes: Changes): void {
  message.failureCode = problem?.code ?? null;
  message.failureTitle = problem?.title ?? null;
  message.failureDetail = problem?.detail ?? null;
  message.failureRetryable = problem ? changes.rules.isRetryable(problem.code) : null;
}
