import { brandWithType } from '@pothos/core';
import { decodeGlobalID } from '@pothos/plugin-relay';
import type { Context } from '../context.ts';
import { badInput } from '../errors.ts';
import { builder } from './builder.ts';
import { isUuid } from './global-id.ts';
import { mayAccess, type Access } from './rights.ts';

type Found = object | null;
/** Null where it does not exist or the viewer may not see it: the two look alike. */
type Find = (id: string, context: Context) => Found | Promise<Found>;

const finders = new Map<string, Find>();
const MAX_NODES = 100;

/** Says who may find one kind of node, and how. A type that is not registered here cannot be asked for by its id. */
export function findable(type: string, access: Access, find: Find): void {
  finders.set(type, (id, context) =>
    isUuid(id) && mayAccess(context, access) ? find(id.toLowerCase(), context) : null,
  );
}

/** For the one object whose id is not a row's. */
export function findableOnce(type: string, access: Access, find: (context: Context) => ReturnType<Find>): void {
  finders.set(type, (id, context) => (id === '1' && mayAccess(context, access) ? find(context) : null));
}

const Node = builder.nodeInterfaceRef();

builder.queryField('node', (t) =>
  t.field({
    type: Node,
    nullable: true,
    description: 'Any object by its global id; null where it does not exist or may not be seen.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, context) => findNode(id, context),
  }),
);

builder.queryField('nodes', (t) =>
  t.field({
    type: [Node],
    nullable: { list: false, items: true },
    description: `Objects by their global ids, in the order of the ids; at most ${MAX_NODES}.`,
    args: { ids: t.arg.idList({ required: true }) },
    resolve: (_root, { ids }, context) => {
      if (ids.length > MAX_NODES) throw badInput(`ids has at most ${MAX_NODES} entries.`, 'ids');
      return Promise.all(ids.map((id) => findNode(id, context)));
    },
  }),
);

async function findNode(global: string, context: Context): Promise<Found> {
  const key = parts(global);
  const found = key && context.viewer ? await finders.get(key.type)?.(key.id, context) : null;
  // The type is registered: the schema knows a type of this name.
  if (found && key) brandWithType(found, key.type as never);
  return found ?? null;
}

function parts(global: string): { type: string; id: string } | null {
  try {
    const { typename, id } = decodeGlobalID(global);
    return { type: typename, id };
  } catch {
    return null;
  }
}
