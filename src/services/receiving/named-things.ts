import type { Identity, Item } from './items.ts';
import { messageIdOf } from './our-id.ts';
import { keysOf } from './people.ts';

/** Everything that must be looked up before the items can be applied. */
export class NamedThings {
  readonly identities: Identity[] = [];
  readonly groupIds: string[] = [];
  readonly providerIds: string[] = [];
  readonly ourIds: string[] = [];

  constructor(items: readonly Item[]) {
    for (const item of items) this.collect(item);
  }

  private collect(item: Item): void {
    if ('participant' in item) this.identities.push(item.participant);
    if (item.type === 'identity-change') this.identities.push(item.previous, item.next);
    if ('providerId' in item) this.providerIds.push(item.providerId);
    if ('targetProviderId' in item) this.providerIds.push(item.targetProviderId);
    if (item.type === 'message' && item.quotedProviderId) this.providerIds.push(item.quotedProviderId);
    if (item.type === 'message' && item.groupId) this.groupIds.push(item.groupId);
    const ourId = item.type === 'status' ? messageIdOf(item.opaqueId) : null;
    if (ourId) this.ourIds.push(ourId);
  }
}

/** What items have in common that belong together: their customers and messages, and the account as a whole. */
export function namesOf(items: readonly Item[]): Set<string> {
  const { identities, groupIds, providerIds, ourIds } = new NamedThings(items);
  const recipients = items.flatMap((item) => (item.type === 'status' ? item.recipient : []));
  const account = items.some(({ type }) => type === 'template' || type === 'account') ? ['account'] : [];
  const people = [...identities, ...recipients].flatMap(keysOf);
  return new Set([...people, ...groupIds, ...providerIds, ...ourIds, ...account]);
}
