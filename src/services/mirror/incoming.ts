import { v7 as uuid } from 'uuid';
import type { Database } from '../../db/database.ts';
import { transaction } from '../../db/transaction.ts';
import { Failure, type UserError } from '../../errors.ts';
import { claimKey } from '../idempotency.ts';
import type { CodeScheme } from '../requests/codes.ts';
import { applyCatalogueChange } from './catalogue.ts';
import type { IncomingChange } from './changes.ts';
import { applyPost } from './post.ts';
import { applyRequestChange } from './request.ts';

export type Outcome = { outcome: 'applied' | 'repeated' | 'refused'; errors: UserError[] };

const ACTOR = 'connector';

/** Applies one change of CDESK's, once: it is whole or not at all, and a repeat changes nothing. */
export async function applyIncoming(db: Database, change: IncomingChange, codes: CodeScheme): Promise<Outcome> {
  try {
    return await transaction(db, async (tx) => {
      const { id: key, ...content } = change;
      const claim = { actor: ACTOR, key, operation: change.type, content, resultId: uuid() };
      if (await claimKey(tx, claim)) return { outcome: 'repeated', errors: [] };
      if (change.type === 'request.changed') await applyRequestChange(tx, change.request, codes);
      else if (change.type === 'request.post') await applyPost(tx, change);
      else await applyCatalogueChange(tx, change);
      return { outcome: 'applied', errors: [] };
    });
  } catch (error) {
    if (error instanceof Failure) return { outcome: 'refused', errors: error.errors };
    throw error;
  }
}
