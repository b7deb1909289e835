import type { KeysetPosition, PageRequest } from '../db/keyset.ts';
import { badInput } from '../errors.ts';
import { isUuid } from './global-id.ts';

export const MAX_PAGE_SIZE = 100;

export type PageArguments = {
  first?: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
};

/** Exactly one of `first` and `last`, 1 to 100; `after` goes with `first`, `before` with `last`. */
export function pageRequest(
  page: PageArguments,
  order: string,
  isPosition: (position: KeysetPosition) => boolean,
): PageRequest {
  const { first, after, last, before } = page;
  if (first != null && last != null) throw badInput('Give first or last, not both.', 'last');
  if (first == null && last == null) throw badInput('Give first or last.', 'first');
  const forward = first != null;
  const argument = forward ? 'first' : 'last';
  const size = first ?? last ?? 0;
  if (size < 1 || size > MAX_PAGE_SIZE) throw badInput(`${argument} must be from 1 to ${MAX_PAGE_SIZE}.`, argument);
  if (forward && before != null) throw badInput('before goes with last.', 'before');
  if (!forward && after != null) throw badInput('after goes with first.', 'after');
  const cursor = forward ? after : before;
  if (cursor == null) return { size, forward, position: null };
  const cursorArgument = forward ? 'after' : 'before';
  const position = decodeCursor(cursor, order, cursorArgument);
  if (!isPosition(position)) throw badInput(`${cursorArgument} is not a cursor of this list.`, cursorArgument);
  return { size, forward, position };
}

export function isRowId(value: unknown): boolean {
  return typeof value === 'string' && isUuid(value);
}

/** For cursors that somebody made up: what is no value of its column must not reach the database. */
export function isInstant(value: unknown): boolean {
  if (typeof value !== 'string' || !INSTANT.test(value) || value.startsWith('0000')) return false;
  const date = new Date(value);
  // 31 February is read as a day in March.
  return !Number.isNaN(date.getTime()) && date.toISOString() === value;
}

export function isText(value: unknown): boolean {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0');
}

export function isInteger(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= MAX_INT;
}

/** Of the lists that are ordered by a time, then the id. */
export function isTimePosition([at, id, ...rest]: KeysetPosition): boolean {
  return isInstant(at) && isRowId(id) && rest.length === 0;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const MAX_INT = 2_147_483_647;

/** `first` of a plain list. */
export function listSize(first: number | null | undefined): number {
  const size = first ?? 20;
  if (size < 1 || size > MAX_PAGE_SIZE) throw badInput(`first must be from 1 to ${MAX_PAGE_SIZE}.`, 'first');
  return size;
}

/** Names the order, so that a cursor of another order is refused instead of giving a wrong page. */
export function encodeCursor(order: string, position: KeysetPosition): string {
  return Buffer.from(JSON.stringify([order, ...position])).toString('base64url');
}

export function decodeCursor(cursor: string, order: string, argument: string): KeysetPosition {
  const parts = parse(cursor);
  if (!Array.isArray(parts) || parts.length < 2 || !parts.every(isKey))
    throw badInput(`${argument} is not a cursor of this list.`, argument);
  if (parts[0] !== order) throw badInput(`${argument} is a cursor of another list or another order.`, argument);
  return parts.slice(1);
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}

function isKey(part: unknown): part is string | number | null {
  return part === null || typeof part === 'string' || typeof part === 'number';
}

export type Page<Row> = {
  nodes: Row[];
  cursorOf(row: Row): string;
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
};

/** `rows` as the statement gave them: one more than the page where there is more, backwards when paging backwards. */
export function toPage<Row>(rows: Row[], request: PageRequest, cursorOf: (row: Row) => string): Page<Row> {
  const hasMore = rows.length > request.size;
  const nodes = rows.slice(0, request.size);
  if (!request.forward) nodes.reverse();
  const [first, last] = [nodes[0], nodes.at(-1)];
  const isInside = request.position !== null;
  const pageInfo = {
    hasNextPage: request.forward ? hasMore : isInside,
    hasPreviousPage: request.forward ? isInside : hasMore,
    startCursor: first ? cursorOf(first) : null,
    endCursor: last ? cursorOf(last) : null,
  };
  return { nodes, cursorOf, pageInfo };
}

/** For a list of which the viewer may see nothing. */
export function emptyPage(): Page<never> & { totalCount: () => Promise<number> } {
  const pageInfo = { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null };
  return { nodes: [], cursorOf: () => '', pageInfo, totalCount: () => Promise.resolve(0) };
}
