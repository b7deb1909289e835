import type { NewMessage } from '../db/rows.ts';
import type { DescribedContent } from '../db/content.ts';
import { foldText, preview } from './preview.ts';

type Told = 'kind' | 'content' | 'preview' | 'searchText';
type BlankMessage = Omit<
  NewMessage,
  Told | 'id' | 'conversationId' | 'sequence' | 'sentAt' | 'sentSecond' | 'receivedAt'
>;

/** Kind, content and what is made of it for lists and for searching. */
export function textOf(described: DescribedContent): Pick<NewMessage, Told> {
  const line = preview(described.kind, described.content, described.media?.fileName ?? null);
  const whole = described.content.type === 'text' ? described.content.text : line;
  return { kind: described.kind, content: described.content, preview: line, searchText: foldText(whole) };
}

/** Everything that most messages leave empty. */
export function blankMessage(): BlankMessage {
  return {
    direction: 'INCOMING',
    origin: 'CUSTOMER',
    providerId: null,
    status: null,
    failureCode: null,
    failureTitle: null,
    failureDetail: null,
    failureRetryable: null,
    outcomeUnknown: false,
    editedAt: null,
    editedBy: null,
    withdrawnAt: null,
    discardedAt: null,
    waivedAt: null,
    imported: false,
    placeholder: false,
    sendState: null,
    acceptedAt: null,
    sentById: null,
    sentByTokenId: null,
    quotedProviderId: null,
    quotedId: null,
    forwarded: false,
    referral: null,
    cleaned: false,
    senderName: null,
    clientKey: null,
    templateId: null,
    payload: null,
  };
}
