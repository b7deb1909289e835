import type { Database } from '../../db/database.ts';
import { dropParkedItems, findArrivedItems, takeParkedItem } from '../../db/statements/parked-items.ts';
import { transaction } from '../../db/transaction.ts';
import type { Rules } from '../changes.ts';
import type { Numbers } from './delivery.ts';
import type { Item } from './items.ts';
import { receiveItems, revived } from './receive.ts';

const LIFE_MS = 24 * 60 * 60 * 1000;

/**
 * An item and the message it waits for may be stored by two processes at the same moment, each without seeing the other.
 * Gives back how many were applied.
 */
export async function applyArrivedItems(db: Database, settings: { numbers: Numbers; rules: Rules }): Promise<number> {
  const ids = await transaction(db, findArrivedItems);
  for (const id of ids) {
    await transaction(db, async (tx) => {
      const parked = await takeParkedItem<Item>(tx, id);
      if (parked) await receiveItems(tx, [{ ...parked, item: revived(parked.item) }], settings.numbers, settings.rules);
    });
  }
  return ids.length;
}

/** What nobody's message has come for within a day is ignored. */
export function dropOldItems(db: Database): Promise<number> {
  return transaction(db, (tx) => dropParkedItems(tx, new Date(tx.now.getTime() - LIFE_MS)));
}
