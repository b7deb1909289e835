import type { Database } from '../db/database.ts';
import { lockOperator, setDeactivated, setSignedOut } from '../db/statements/operators.ts';
import { transaction } from '../db/transaction.ts';
import { Failure, NotFoundError, ValidationError } from '../errors.ts';
import type { Actor } from './actor.ts';
import { recordAudit } from './audit.ts';
import { announceStates } from './operator-presence.ts';

/** Lets an operator in or locks them out, everywhere at once. Safe to repeat. */
export async function setOperatorActive(
  db: Database,
  actor: Actor,
  { operatorId, active }: { operatorId: string; active: boolean },
): Promise<void> {
  await transaction(db, async (tx) => {
    const operator = await lockOperator(tx, operatorId);
    if (!operator) throw new Failure(new NotFoundError('There is no such operator.', ['input', 'operatorId']));
    if (operatorId === actor.operatorId && !active)
      throw new Failure(
        new ValidationError('YOURSELF', 'Nobody locks themselves out: ask a colleague.', ['input', 'operatorId']),
      );
    if ((operator.deactivatedAt === null) === active) return;
    const deactivatedAt = active ? null : tx.now;
    await setDeactivated(tx, operatorId, deactivatedAt);
    await announceStates(tx, [{ ...operator, deactivatedAt }]);
    const action = active ? 'OPERATOR_ACTIVATED' : 'OPERATOR_DEACTIVATED';
    await recordAudit(tx, actor, { action, subject: { type: 'Operator', id: operatorId } });
  });
}

/** Ends every log-in of the operator that was issued until now. */
export async function signOut(db: Database, operatorId: string): Promise<void> {
  await transaction(db, async (tx) => {
    const operator = await lockOperator(tx, operatorId);
    if (!operator) return;
    await setSignedOut(tx, operatorId);
    await announceStates(tx, [{ ...operator, signedOutAt: tx.now }]);
  });
}
