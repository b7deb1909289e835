import { findBusinessNumbers } from '../../db/statements/settings.ts';
import type { Transaction } from '../../db/transaction.ts';
import { clearChannelProblems, openUnlessSettled } from '../channel-problems.ts';
import { comparisonKey } from '../phone-numbers.ts';
import type { AccountItem, Trouble } from './items.ts';

export type ToldTrouble = { eventKey: string; item: AccountItem; trouble: Trouble; at: Date };

const sentences: Record<string, string> = {
  ACCOUNT_VIOLATION:
    'WhatsApp reports a violation of its policy. Read it in the Business Manager and ask for a review.',
  ACCOUNT_RESTRICTED: 'WhatsApp has restricted the account: some messages cannot be sent until the restriction ends.',
  ACCOUNT_DELETED: 'The WhatsApp account was deleted. Set up another one.',
  ACCOUNT_OFFBOARDED: 'The number was disconnected from the API in the WhatsApp Business app. Connect it again there.',
  APP_REMOVED: 'This application was removed from the WhatsApp account. Connect it again in the Business Manager.',
  ACCOUNT_DISABLED: 'WhatsApp has disabled the account or is about to. Ask for a review in the Business Manager.',
  ACCOUNT_REVIEW_REJECTED: 'WhatsApp rejected the account in its review. See the Business Manager.',
  NUMBER_FLAGGED: 'The quality of the number is low: WhatsApp may lower its limits. Check what is sent and to whom.',
  NAME_REJECTED: 'WhatsApp rejected the display name of the number. Choose another one in the Business Manager.',
  PIN_CHANGED: 'The two-step PIN of the number was changed. If nobody here did it, secure the account.',
  PIN_RESET_REQUESTED:
    'Somebody asked to reset the two-step PIN of the number. If nobody here did, secure the account.',
  ACCOUNT_ALERT: 'WhatsApp raised an alert for the account. See the Business Manager.',
  PROVIDER_ERROR: 'WhatsApp could not do something that it was asked for.',
};

/** Opens and clears problems of the channel. */
export async function applyTroubles(tx: Transaction, troubles: ToldTrouble[]): Promise<void> {
  for (const told of troubles) await apply(tx, told);
}

async function apply(tx: Transaction, { item, trouble, at }: ToldTrouble): Promise<void> {
  const { key, code, providerCode } = trouble;
  const businessNumberId = await numberOf(tx, item.displayPhoneNumber);
  // One app is told of every account and number that it serves: the trouble of others is none of ours.
  if (businessNumberId === undefined || !(await isOurAccount(tx, item.businessAccountId))) return;
  if (trouble.isOver) {
    await clearChannelProblems(tx, key, at);
    return;
  }
  await openUnlessSettled(tx, {
    key,
    code,
    message: `${sentences[code] ?? sentences.ACCOUNT_ALERT} (${item.summary})`,
    businessNumberId,
    providerCode,
    // Meta itself refuses what it does not want: only its answers stop the sending.
    stopsSending: false,
    since: at,
    expiresAt: trouble.until ?? (trouble.lastsMs === null ? null : new Date(at.getTime() + trouble.lastsMs)),
  });
}

async function isOurAccount(tx: Transaction, businessAccountId: string): Promise<boolean> {
  const text = 'SELECT 1 FROM settings WHERE coalesce(whatsapp_business_account_id, $1) = $1';
  return businessAccountId === '' || (await tx.query(text, [businessAccountId])).length > 0;
}

/** Null where all of the account is meant; undefined where it is none of our numbers. */
async function numberOf(tx: Transaction, digits: string | null): Promise<string | null | undefined> {
  if (!digits) return null;
  const numbers = await findBusinessNumbers(tx);
  return numbers.find(({ phoneNumber }) => comparisonKey(phoneNumber) === comparisonKey(digits))?.id;
}
