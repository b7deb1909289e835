import type { PageRequest } from '../db/keyset.ts';
import { encodeCursor } from './connection.ts';

type Created = { createdAt: Date; id: string };
type Sort = { createdAt: 'asc' | 'desc' };

/** Paging through Prisma by time of creation, then id. */
export type CreatedOrder = {
  cursorOf: (row: Created) => string;
  orderBy: (page: PageRequest) => [Sort, { id: 'asc' | 'desc' }];
  /** Conditions for the rows after the position. */
  beyond: (page: PageRequest) => object[];
};

export function createdOrder(name: string, first: 'newest' | 'oldest'): CreatedOrder {
  const isAscending = (page: PageRequest) => page.forward === (first === 'oldest');
  return {
    cursorOf: (row) => encodeCursor(name, [row.createdAt.toISOString(), row.id]),
    orderBy: (page) => {
      const direction = isAscending(page) ? 'asc' : 'desc';
      return [{ createdAt: direction }, { id: direction }];
    },
    // A range of the index less a few rows of the same instant: an OR of conditions would read all that came before.
    beyond: (page) => {
      if (!page.position) return [];
      const createdAt = new Date(String(page.position[0]));
      const id = String(page.position[1]);
      return isAscending(page)
        ? [{ createdAt: { gte: createdAt } }, { NOT: { createdAt, id: { lte: id } } }]
        : [{ createdAt: { lte: createdAt } }, { NOT: { createdAt, id: { gte: id } } }];
    },
  };
}
