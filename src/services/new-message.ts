import type { NewMessage } from '../db/rows.ts';
import type { DescribedContent } from '../db/content.ts';
import { preview, readableText } from './preview.ts';
import { foldLine } from './search-text.ts';

type Told = 'kind' | 'content' | 'preview' | 'searchText';
type BlankMessage = Omit<
  NewMessage,
  Told | 'id' | 'conversationId' | 'sequence' | 'sentAt' | 'sentSecond' | 'receivedAt'
>;

/** Kind, content and what is made of it for lists and for searching. */
export function textOf(described: DescribedContent): Pick<NewMessage, Told> {
  const { kind, content } = described;
  const fileName = described.media?.fileName ?? null;
  const shown = preview(kind, content, fileName);
  // Where nothing can be read the word for its kind is shown, and found.
  const searchText = foldLine(readableText(content, fileName)) || foldLine(shown);
  return { kind, content, preview: shown, searchText };
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
    retries: 0,
    traceParent: null,
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
