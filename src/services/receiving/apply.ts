import type { Item } from './items.ts';
import { applyAccountEvent, applyCall, applyPreference, applyTemplateEvent } from './account.ts';
import type { Batch } from './batch.ts';
import { applyEdit, applyReaction, applyRevoke } from './corrections.ts';
import { applyIdentityChange, applyMessage } from './message.ts';
import { applyStatus } from './status.ts';

/** Applies one item to what is loaded. Everything is safe to repeat: what is there already changes nothing. */
export function applyItem(batch: Batch, item: Item, receivedAt: Date): void {
  switch (item.type) {
    case 'message':
      return applyMessage(batch, item, receivedAt);
    case 'status':
      return applyStatus(batch, item, receivedAt);
    case 'reaction':
      return applyReaction(batch, item);
    case 'edit':
      return applyEdit(batch, item, receivedAt);
    case 'revoke':
      return applyRevoke(batch, item);
    case 'identity-change':
      return applyIdentityChange(batch, item, receivedAt);
    case 'call':
      return applyCall(batch, item, receivedAt);
    case 'preference':
      return applyPreference(batch, item, receivedAt);
    case 'template':
      return applyTemplateEvent(batch, item, receivedAt);
    case 'account':
      return applyAccountEvent(batch, item, receivedAt);
    case 'unknown':
      return;
  }
}
