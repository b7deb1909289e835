import type { InputObjectRef } from '@pothos/core';
import { badInput } from '../errors.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { builder, type Types } from './builder.ts';
import { DateTimeFilterInput, toRange, type DateTimeFilter } from './date-time-filter.ts';
import { argumentId } from './global-id.ts';

export type RequestFilter = {
  and?: RequestFilter[] | null;
  or?: RequestFilter[] | null;
  statusKeys?: string[] | null;
  closed?: boolean | null;
  tagIds?: string[] | null;
  companyIds?: string[] | null;
  assigneeIds?: string[] | null;
  templateIds?: string[] | null;
  createdAt?: DateTimeFilter | null;
};

export const RequestFilterInput: InputObjectRef<Types, RequestFilter> =
  builder.inputRef<RequestFilter>('RequestFilterInput');

builder.inputType(RequestFilterInput, {
  description: 'Everything given must hold. At most 5 levels deep and 50 conditions.',
  fields: (t) => ({
    and: t.field({ type: [RequestFilterInput], description: 'Each of these must hold.' }),
    or: t.field({ type: [RequestFilterInput], description: 'One of these must hold; an empty list says nothing.' }),
    statusKeys: t.stringList(),
    closed: t.boolean({ description: 'Whether the status is one that ends a request.' }),
    tagIds: t.idList({ description: 'With at least one of these tags.' }),
    companyIds: t.idList(),
    assigneeIds: t.idList(),
    templateIds: t.idList(),
    createdAt: t.field({ type: DateTimeFilterInput }),
  }),
});

const MAX_DEPTH = 5;
const MAX_CONDITIONS = 50;

/** What the filter asks of a row; times without a zone of their own are those of `timeZone`. */
export function requestsMatching(filter: RequestFilter, now: Date, timeZone: string): Prisma.RequestWhereInput {
  const budget = { conditions: MAX_CONDITIONS };
  return matching(filter, 1);

  function matching(part: RequestFilter, depth: number): Prisma.RequestWhereInput {
    if (depth > MAX_DEPTH) throw badInput(`A filter is at most ${MAX_DEPTH} levels deep.`, 'filter');
    const conditions = [...leaves(part, now, timeZone)];
    budget.conditions -= conditions.length;
    if (budget.conditions < 0) throw badInput(`A filter has at most ${MAX_CONDITIONS} conditions.`, 'filter');
    const all = (part.and ?? []).map((inner) => matching(inner, depth + 1));
    const some = (part.or ?? []).map((inner) => matching(inner, depth + 1));
    return { AND: [...conditions, ...all, ...(some.length > 0 ? [{ OR: some }] : [])] };
  }
}

function* leaves(part: RequestFilter, now: Date, timeZone: string): Iterable<Prisma.RequestWhereInput> {
  const { statusKeys, closed, tagIds, companyIds, assigneeIds, templateIds, createdAt } = part;
  if (statusKeys) yield { statusKey: { in: statusKeys } };
  if (closed != null) yield { status: { closed } };
  if (tagIds) yield { tags: { some: { tagId: { in: rowIds('Tag', tagIds) } } } };
  if (companyIds) yield { companyId: { in: rowIds('Company', companyIds) } };
  if (assigneeIds) yield { assigneeId: { in: rowIds('Operator', assigneeIds) } };
  if (templateIds) yield { templateId: { in: rowIds('RequestTemplate', templateIds) } };
  if (!createdAt) return;
  const { gte, lt } = toRange(createdAt, now, timeZone, 'createdAt');
  yield { createdAt: { ...(gte && { gte }), ...(lt && { lt }) } };
}

function rowIds(type: string, ids: string[]): string[] {
  return ids.map((id) => argumentId(type, id, 'filter'));
}
