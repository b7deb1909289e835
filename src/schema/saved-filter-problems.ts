import type { Context } from '../context.ts';
import type { SavedFilter } from '../generated/prisma/client.ts';
import { filtersIn } from '../services/list/filter-tree.ts';
import { storedFilter, withRowIds } from './list-request.ts';

/** What of a stored filter no longer resolves, as sentences. */
export async function savedFilterProblems(saved: SavedFilter, { loaders }: Context): Promise<string[]> {
  const stored = storedFilter(saved);
  if (!stored) return ['It was stored by another release and cannot be read: it holds nothing.'];
  const filters = filtersIn(withRowIds(stored, 'filter'));
  const operatorIds = unique(filters.flatMap((filter) => filter.lastRepliedByIds ?? []));
  const numberIds = unique(filters.flatMap((filter) => filter.businessNumberIds ?? []));
  const [operators, numbers] = await Promise.all([
    Promise.all(operatorIds.map((id) => loaders.operator.load(id))),
    Promise.all(numberIds.map((id) => loaders.businessNumber.load(id))),
  ]);
  return [
    ...operators.flatMap((operator) => {
      if (!operator) return ['An operator in it no longer exists.'];
      return operator.deactivatedAt ? [`The operator ${operator.displayName} is deactivated.`] : [];
    }),
    ...numbers.flatMap((number) => {
      if (!number) return ['A business number in it no longer exists.'];
      return number.active && number.slot !== null
        ? []
        : [`The business number ${number.phoneNumber} is no longer used.`];
    }),
  ];
}

function unique(ids: string[]): string[] {
  return [...new Set(ids)];
}
