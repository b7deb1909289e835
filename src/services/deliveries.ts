import type { Database } from '../db/database.ts';
import { countDeliveries, requeueDeliveries, type DeliveryChoice } from '../db/statements/delivery-log.ts';
import { transaction } from '../db/transaction.ts';
import { Failure, ValidationError } from '../errors.ts';
import type { Actor } from './actor.ts';
import { recordAudit } from './audit.ts';

const MAX_IDS = 1_000;
/** More than this per call would keep new deliveries waiting. */
const MAX_REPLAYED = 10_000;

/**
 * Puts deliveries back in line to be applied again. What they brought is there already and changes nothing; what had
 * failed, or was for a number that was not configured, is applied now. A dry run only counts.
 */
export async function replayDeliveries(
  db: Database,
  actor: Actor,
  replay: DeliveryChoice & { dryRun: boolean },
): Promise<{ matched: number; queued: number }> {
  const { dryRun, ...choice } = replay;
  requireChoice(choice);
  return transaction(db, async (tx) => {
    const matched = await countDeliveries(tx, choice);
    if (dryRun || matched === 0) return { matched, queued: 0 };
    const queued = await requeueDeliveries(tx, choice, MAX_REPLAYED);
    await recordAudit(tx, actor, { action: 'DELIVERIES_REPLAYED', detail: `${queued} of ${matched}` });
    return { matched, queued };
  });
}

function requireChoice({ ids, receivedFrom, receivedTo, states }: DeliveryChoice): void {
  if (!ids && !receivedFrom && !receivedTo && !states)
    throw refusal('NOTHING_CHOSEN', 'Name ids, a time or states.', ['input']);
  if (ids && ids.length > MAX_IDS) throw refusal('TOO_MANY', `Name at most ${MAX_IDS} ids.`, ['input', 'ids']);
  if (receivedFrom && receivedTo && receivedFrom >= receivedTo)
    throw refusal('EMPTY_RANGE', 'receivedFrom must be before receivedTo.', ['input', 'receivedTo']);
}

function refusal(rule: string, message: string, path: string[]): Failure {
  return new Failure(new ValidationError(rule, message, path));
}
