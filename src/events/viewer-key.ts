import { visit, type DocumentNode } from 'graphql';
import type { Viewer } from '../auth.ts';

/** Fields whose value depends on who asks and not only on their rights. */
const PERSONAL_FIELDS = new Set([
  'viewer',
  'viewerCan',
  'availableActions',
  'clientKey',
  'handledToday',
  'waitingMine',
  'openConversations',
]);

const personal = new WeakMap<DocumentNode, boolean>();

/** Viewers with the same key get the same answer to this document. */
export function viewerKey(document: DocumentNode, viewer: Viewer): string {
  const rights = viewer.kind === 'operator' ? [...viewer.permissions].toSorted() : [...viewer.scopes].toSorted();
  const numbers = viewer.kind === 'token' && viewer.businessNumberIds ? [...viewer.businessNumberIds].toSorted() : null;
  const who = isPersonal(document) ? (viewer.kind === 'operator' ? viewer.operatorId : viewer.tokenId) : null;
  return JSON.stringify([viewer.kind, rights, numbers, who]);
}

function isPersonal(document: DocumentNode): boolean {
  const known = personal.get(document);
  if (known !== undefined) return known;
  let found = false;
  visit(document, {
    Field(node) {
      found ||= PERSONAL_FIELDS.has(node.name.value);
    },
  });
  personal.set(document, found);
  return found;
}
