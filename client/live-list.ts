import type {
  ConversationListChangesSubscription,
  ConversationListQuery,
  ConversationOrderInput,
  ConversationRowFragment,
} from '../src/generated/client/graphql.ts';

export type Row = ConversationRowFragment;
type Page = NonNullable<ConversationListQuery['conversations']>;
type Change = ConversationListChangesSubscription['conversationListChanged'];
type Key = [value: string | number, id: string];

/**
 * A list that a client loaded once and keeps right by `conversationListChanged`: the whole of it, or the rows down to
 * the last one that was loaded. It never asks again.
 */
export class LiveList {
  /** Where to resume: the newest position that this list has been brought to. */
  cursor: string;
  private readonly order: Required<ConversationOrderInput>;
  private readonly rows = new Map<string, Row>();
  /** The last row loaded; null where the list was loaded to its end. */
  private readonly end: Key | null;

  constructor(page: Page, order: Partial<ConversationOrderInput> = {}) {
    this.order = { field: order.field ?? 'LAST_MESSAGE_AT', direction: order.direction ?? 'DESC' };
    this.cursor = page.asOf;
    for (const row of page.nodes) this.rows.set(row.id, row);
    const last = page.nodes.at(-1);
    this.end = page.pageInfo.hasNextPage && last ? this.keyOf(last) : null;
  }

  /** Safe to repeat: a redelivered change brings the row as it is now, not as it was. */
  apply({ change, conversationId, conversation, cursor }: Change): void {
    this.cursor = cursor;
    const isShown = change !== 'LEFT' && conversation && !this.isBeyondEnd(conversation);
    if (isShown) this.rows.set(conversationId, conversation);
    else this.rows.delete(conversationId);
  }

  shown(): Row[] {
    return [...this.rows.values()].toSorted((a, b) => this.compare(this.keyOf(a), this.keyOf(b)));
  }

  isBeyondEnd(row: Row): boolean {
    return this.end !== null && this.compare(this.keyOf(row), this.end) > 0;
  }

  private keyOf(row: Row): Key {
    switch (this.order.field) {
      case 'NUMBER':
        return [row.number, ''];
      case 'LAST_MESSAGE_AT':
        return [row.lastMessageAt, tie(row)];
      case 'CREATED_AT':
        return [row.createdAt, tie(row)];
      case 'AWAITING_SINCE':
        return [row.beacon.since ?? NEVER, tie(row)];
      case 'WINDOW_EXPIRES_AT':
        return [row.window.expiresAt ?? NEVER, tie(row)];
    }
  }

  private compare([a, tieA]: Key, [b, tieB]: Key): number {
    const ascending = a === b ? Number(tieA > tieB) - Number(tieA < tieB) : a < b ? -1 : 1;
    return this.order.direction === 'ASC' ? ascending : -ascending;
  }
}

/** What has no such instant ends ascending order. */
const NEVER = '~';

/** Rows of the same instant follow their ids, in the order of the text that is encoded in them. */
function tie(row: Row): string {
  return atob(row.id);
}
