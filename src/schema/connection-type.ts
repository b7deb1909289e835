import type { ArgBuilder, ObjectRef } from '@pothos/core';
import { builder, type Types } from './builder.ts';
import type { Page } from './connection.ts';
import { reads, readsOnward } from './wanted-rows.ts';

export const PageInfo = builder.objectRef<Page<unknown>['pageInfo']>('PageInfo').implement({
  description: 'Where a page stands in its list.',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage'),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage'),
    startCursor: t.exposeString('startCursor', { nullable: true }),
    endCursor: t.exposeString('endCursor', { nullable: true }),
  }),
});

/** A page of a list with what is asked for only when it is selected. */
export type Connection<Row> = Page<Row> & {
  totalCount: () => Promise<number>;
  /** Stream position read before the rows. */
  asOf?: string;
};

export function pageArguments(arg: ArgBuilder<Types>) {
  return {
    first: arg.int({ description: 'Size of the page from its start, 1 to 100.' }),
    after: arg.string(),
    last: arg.int({ description: 'Size of the page from its end, 1 to 100.' }),
    before: arg.string(),
  };
}

/** `XConnection` and `XEdge` as Relay wants them; with `asOf` where a client can go on by subscription. */
export function connectionType<Row extends object>(
  name: string,
  node: ObjectRef<Types, Row>,
  options: { asOf: boolean },
) {
  const edge = builder.objectRef<{ cursor: string; node: Row }>(`${name}Edge`).implement({
    fields: (t) => ({
      cursor: t.exposeString('cursor', { extensions: reads() }),
      // The helper's row type is the ref's own shape, which the field's conditional type cannot see.
      node: t.field({ type: node, extensions: readsOnward, resolve: (row) => row.node as never }),
    }),
  });
  return builder.objectRef<Connection<Row>>(`${name}Connection`).implement({
    fields: (t) => ({
      edges: t.field({
        type: [edge],
        extensions: readsOnward,
        resolve: (page) => page.nodes.map((node) => ({ cursor: page.cursorOf(node), node })),
      }),
      nodes: t.field({ type: [node], extensions: readsOnward, resolve: (page) => page.nodes }),
      pageInfo: t.field({ type: PageInfo, extensions: reads(), resolve: (page) => page.pageInfo }),
      totalCount: t.int({
        description: 'Counted only when selected.',
        extensions: reads(),
        resolve: (page) => page.totalCount(),
      }),
      ...(options.asOf && {
        asOf: t.field({
          type: 'EventCursor',
          extensions: reads(),
          description: 'Stream position that this page is not older than: subscribe with it to lose nothing.',
          resolve: (page) => page.asOf ?? '',
        }),
      }),
    }),
  });
}
