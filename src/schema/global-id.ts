import { decodeGlobalID } from '@pothos/plugin-relay';
import { badInput, Failure, NotFoundError } from '../errors.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** In base64. Both are ASCII, which a buffer's way of making it takes four times as long for. */
export function globalId(type: string, id: string): string {
  return btoa(`${type}:${id}`);
}

/** The row id of a global id of this type; null where it is of another type or none at all. */
export function rowId(type: string, global: string): string | null {
  try {
    const { typename, id } = decodeGlobalID(global);
    return typename === type && isUuid(id) ? id.toLowerCase() : null;
  } catch {
    return null;
  }
}

/** For arguments of queries: another kind of id is the caller's mistake, and the argument is named. */
export function argumentId(type: string, global: string, argument: string): string {
  const id = rowId(type, global);
  if (id === null) throw badInput(`${argument} is not the id of a ${type}.`, argument);
  return id;
}

/** For inputs of mutations: what cannot be an id of this type cannot be found. */
export function inputId(type: string, global: string, field: string): string {
  const id = rowId(type, global);
  if (id === null) throw new Failure(new NotFoundError(`There is no such ${type}.`, ['input', field]));
  return id;
}

/** A row id that nothing has. */
export const NOTHING = '00000000-0000-0000-0000-000000000000';

/** For inputs whose problems are told together: what cannot be an id of this type becomes an id that nothing has. */
export function soughtId(type: string, global: string): string {
  return rowId(type, global) ?? NOTHING;
}
