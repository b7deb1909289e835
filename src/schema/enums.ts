import * as enums from '../generated/prisma/enums.ts';
import { builder } from './builder.ts';

export const ConversationSource = builder.enumType(enums.ConversationSource, {
  name: 'ConversationSource',
  description: 'The application in which the customer writes. More may come.',
});
export const MessageDirection = builder.enumType(enums.MessageDirection, {
  name: 'MessageDirection',
  description: 'Seen from the organisation.',
});
export const MessageStatus = builder.enumType(enums.MessageStatus, {
  name: 'MessageStatus',
  description: 'Delivery state of an outgoing message; incoming ones have none.',
});
export const MessageKind = builder.enumType(enums.MessageKind, {
  name: 'MessageKind',
  description: 'What a message is made of.',
});
export const MessageOrigin = builder.enumType(enums.MessageOrigin, {
  name: 'MessageOrigin',
  description: 'Who wrote a message.',
});
export const BeaconReason = builder.enumType(enums.BeaconReason, {
  name: 'BeaconReason',
  description: 'Why the beacon changed last.',
});
export const WindowState = builder.enumType(enums.WindowState, {
  name: 'WindowState',
  description: "State of Meta's 24-hour window: while it is closed only templates can be sent.",
});
export const WindowOpener = builder.enumType(enums.WindowOpener, {
  name: 'WindowOpener',
  description: 'What opened the window.',
});
export const ChatPermission = builder.enumType(enums.ChatPermission, {
  name: 'ChatPermission',
  description: 'A right of an operator.',
});
export const TokenScope = builder.enumType('TokenScope', {
  description: 'What a dashboard token may do.',
  values: {
    READ_EVENTS: { description: 'Follow the event stream; what the events hold needs the scopes below.' },
    READ_COUNTERS: { description: 'See and follow how many conversations wait.' },
    READ_CONVERSATIONS: { description: 'See conversations, messages without their text, templates and operators.' },
    READ_MESSAGE_BODIES: { description: 'See what messages say, their files and previews; search in them.' },
    READ_CONTACT_DATA: { description: 'See names, phone numbers, contacts and companies of customers.' },
    READ_REQUESTS: { description: 'See requests; what is written in them needs READ_MESSAGE_BODIES.' },
    READ_INTERNAL_NOTES: { description: 'See internal notes and internal requests, too.' },
    WRITE_MESSAGES: { description: 'Send. Whatever names a conversation or a message needs READ_CONVERSATIONS, too.' },
    WRITE_REQUESTS: { description: 'Make and change requests, as far as they and their conversations are seen.' },
  } satisfies Record<enums.TokenScope, object>,
});
export const AttachmentState = builder.enumType(enums.AttachmentState, {
  name: 'AttachmentState',
  description: 'Where the file is.',
});
export const RequestVisibility = builder.enumType(enums.RequestVisibility, {
  name: 'RequestVisibility',
  description: 'INTERNAL: tokens see it only with READ_INTERNAL_NOTES.',
});
export const DiscussionKind = builder.enumType(enums.DiscussionKind, {
  name: 'DiscussionKind',
  description: 'INTERNAL_NOTE: among operators; tokens see it only with READ_INTERNAL_NOTES.',
});
export const RequestLinkRole = builder.enumType(enums.RequestLinkRole, {
  name: 'RequestLinkRole',
  description: 'SOURCE: the message that the request was made from; it cannot be unlinked.',
});

export const RequestSearchScope = builder.enumType('RequestSearchScope', {
  description:
    "Requests of this conversation, of all conversations of this customer, of the customer's company, or everything that the viewer may see.",
  values: ['CONVERSATION', 'PARTICIPANT', 'COMPANY', 'ALL'] as const,
});

export const LoginState = builder.enumType('LoginState', {
  description:
    'ONLINE: a live connection or a request in the last 60 seconds; IDLE: a valid log-in without; else LOGGED_OUT.',
  values: ['ONLINE', 'IDLE', 'LOGGED_OUT'] as const,
});

export const MessageAction = builder.enumType('MessageAction', {
  description: 'What the viewer can do with a message now.',
  values: [
    'COPY_TEXT',
    'QUOTE',
    'REACT',
    'CREATE_REQUEST',
    'LINK_TO_REQUEST',
    'UNLINK_FROM_REQUEST',
    'RETRY',
    'DISCARD',
    'DOWNLOAD',
    'SHOW_STATUS_HISTORY',
  ] as const,
});
