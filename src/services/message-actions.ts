import type { Attachment, Message } from '../generated/prisma/client.ts';
import type { Content } from '../db/content.ts';
import { isDiscardable, isFilable, isQuotable, isReactable, isRetryable } from './message-rules.ts';

export type Action =
  | 'COPY_TEXT'
  | 'QUOTE'
  | 'REACT'
  | 'CREATE_REQUEST'
  | 'LINK_TO_REQUEST'
  | 'UNLINK_FROM_REQUEST'
  | 'RETRY'
  | 'DISCARD'
  | 'DOWNLOAD'
  | 'SHOW_STATUS_HISTORY';

/** What the viewer may do in the conversation, and what else decides. */
export type Situation = {
  readBodies: boolean;
  discard: boolean;
  replyFreeForm: boolean;
  /** The message is a template and that template can still be sent. */
  sendItsTemplate: boolean;
  createRequest: boolean;
  /** They may file messages, and the conversation has a request to file them under. */
  linkRequest: boolean;
  /** It is filed under a request that it was not the origin of. */
  unlinkRequest: boolean;
  attachments: Pick<Attachment, 'storageKey'>[];
  now: Date;
};

/** What the viewer can do with the message now. The mutations hold the same rules. */
export function messageActions(message: Message, situation: Situation): Action[] {
  const { readBodies, discard, replyFreeForm, attachments, now } = situation;
  const canSendAgain = message.kind === 'TEMPLATE' ? situation.sendItsTemplate : replyFreeForm;
  const offers: [Action, boolean][] = [
    ['COPY_TEXT', readBodies && hasText(message)],
    ['QUOTE', replyFreeForm && isQuotable(message)],
    ['REACT', replyFreeForm && isReactable(message, now)],
    ['CREATE_REQUEST', situation.createRequest && isFilable(message)],
    ['LINK_TO_REQUEST', situation.linkRequest && isFilable(message)],
    ['UNLINK_FROM_REQUEST', situation.unlinkRequest],
    ['RETRY', canSendAgain && isRetryable(message)],
    ['DISCARD', discard && isDiscardable(message)],
    ['DOWNLOAD', readBodies && attachments.some(({ storageKey }) => storageKey !== null)],
    ['SHOW_STATUS_HISTORY', message.direction === 'OUTGOING'],
  ];
  return offers.flatMap(([action, isOffered]) => (isOffered ? [action] : []));
}

function hasText({ content }: Pick<Message, 'content'>): boolean {
  // Written by us only, in the shape of `Content`.
  const said = content as Content;
  if (said.type === 'media') return said.caption !== null;
  return said.type !== 'unsupported';
}
